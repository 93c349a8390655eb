"""Sends commands for devices to the processes that have them, and gathers the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from oysterd.bus import Bus, Message
from oysterd.clock import Clock
from oysterd.commands import DeviceCommand
from oysterd.errors import did_you_mean

# Longer than a device's own time-out; projectors are switched one after another.
ANSWER_WITHIN_S = 10.0


@dataclass
class _Asked:
    waiting_for: set[str]
    until_s: float


class DeviceLink:
    """The outboxes to all children that take commands, by the names operators give their devices."""

    def __init__(
        self, bus: Bus, clock: Clock, applied: Callable[[str], None], failed: Callable[[str, str], None]
    ) -> None:
        """`applied(id)` when all that were asked have done it, `failed(id, why)` when one has not."""
        self._bus = bus
        self._clock = clock
        self._applied = applied
        self._failed = failed
        self._children: dict[str, dict[str, str]] = {}  # child by device, by the command's field that names it
        self._asked: dict[str, _Asked] = {}

    def open(self, field: str, devices: Iterable[str], child: str) -> str:
        """Make an outbox to a child that has devices which commands name in `field`; its address for the child."""
        self._children.setdefault(field, {}).update(dict.fromkeys(devices, child))
        return self._bus.open(child)

    def submit(self, command: DeviceCommand) -> None:
        """Send a command to the child that has the device it names, or to all when it names none."""
        known = self._children.get(command.names_device_in, {})
        name = getattr(command, command.names_device_in)
        if name is not None and name not in known:
            here = f"; there are {', '.join(known)}" if known else ", and no other"
            why = f'{command.names_device_in}: there is no "{name}"{did_you_mean(name, known) or here}'
            self._failed(command.id, why)
            return
        children = {known[name]} if name is not None else set(known.values())
        if not children:
            self._failed(command.id, f"{command.names_device_in}: there is none in this room")
            return
        message: Message = {"type": command.name, "id": command.id, "request": command.request()}
        missing = [child for child in sorted(children) if not self._bus.send(child, message)]
        if missing:
            self._failed(command.id, f"{', '.join(missing)} is not there to take it")
            return
        self._asked[command.id] = _Asked(children, self._clock.now_s() + ANSWER_WITHIN_S + command.takes_s)

    def answered(self, child: str, identifier: str, why: str = "") -> None:
        """A child has done what it was asked, or has not, and says `why`. Answers nobody waits for are passed over."""
        asked = self._asked.get(identifier)
        if asked is None:
            return
        asked.waiting_for.discard(child)
        if why:
            del self._asked[identifier]
            self._failed(identifier, why)
        elif not asked.waiting_for:
            del self._asked[identifier]
            self._applied(identifier)

    def tick(self) -> None:
        """Give up on those who do not answer."""
        now_s = self._clock.now_s()
        for identifier, asked in list(self._asked.items()):
            if now_s > asked.until_s:
                del self._asked[identifier]
                self._failed(identifier, f"{', '.join(sorted(asked.waiting_for))} did not answer")
