"""Has the cameras learn the empty room, all or none, and answers the command when the last of them has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from oysterd.bus import Bus
from oysterd.clock import Clock
from oysterd.commands import LearnRoom
from oysterd.config import Settings
from oysterd.errors import did_you_mean

# Beyond the seconds asked for, until a camera that has not answered is given up.
PATIENCE_S = 5.0


@dataclass
class _Asked:
    inputs: list[str]
    end_s: float
    waited_for: set[str]
    why: list[str] = field(default_factory=list)


class RoomLearning:
    """Has no thread of its own: whoever owns it calls `tick()` often. Used on the bus's thread only.

    `finished(id, why)` is called once for each command, with no `why` when all its cameras have learned the room.
    """

    def __init__(self, bus: Bus, settings: Settings, clock: Clock, finished: Callable[[str, list[str]], None]) -> None:
        self._bus = bus
        self._cameras = [device.name for device in settings.inputs if device.use == "presence"]
        self._clock = clock
        self._finished = finished
        self._asked: dict[str, _Asked] = {}

    def submit(self, command: LearnRoom) -> None:
        """Ask the cameras; a command whose cameras can't all be asked is refused, and none of them learns."""
        inputs = self._cameras if command.inputs is None else list(dict.fromkeys(command.inputs))
        why = [
            f'inputs: there is no camera "{name}"{did_you_mean(name, self._cameras)}'
            for name in inputs
            if name not in self._cameras
        ]
        if not inputs:
            why = ['inputs: none has use = "presence"']
        if any(set(inputs) & asked.waited_for for asked in self._asked.values()):
            why.append("inputs: they are learning already")
        asked = _Asked(inputs, self._clock.now_s() + command.seconds + PATIENCE_S, set(inputs), why)
        self._asked[command.id] = asked
        if why:
            asked.inputs, asked.waited_for = [], set()
        for name in asked.inputs:
            message = {"type": "learn_room", "id": command.id, "seconds": command.seconds}
            if not self._bus.send(f"input.{name}", message):
                self.learned(f"input.{name}", command.id, "its process is not there")
        self._finish(command.id)

    def learned(self, sender: str, identifier: str, why: str | None) -> None:
        """A camera has learned, or has not and says why."""
        asked, name = self._asked.get(identifier), sender.removeprefix("input.")
        if asked is None or name not in asked.waited_for:
            return
        asked.waited_for.discard(name)
        if why is not None:
            asked.why.append(f"inputs.{name}: {why}")
        self._finish(identifier)

    def died(self, child: str) -> None:
        """A child's process is gone, and what it was learning with it."""
        for identifier in list(self._asked):
            self.learned(child, identifier, "its process ended")

    def tick(self) -> None:
        """Give up who does not answer."""
        for identifier, asked in list(self._asked.items()):
            if self._clock.now_s() >= asked.end_s:
                for name in sorted(asked.waited_for):
                    self.learned(f"input.{name}", identifier, "no pictures came in that time")

    def _finish(self, identifier: str) -> None:
        asked = self._asked.get(identifier)
        if asked is None or asked.waited_for:
            return
        del self._asked[identifier]
        for name in asked.inputs:
            self._bus.send(f"input.{name}", {"type": "keep_room", "keep": not asked.why})
        self._finished(identifier, asked.why)
