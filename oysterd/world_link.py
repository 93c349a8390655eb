"""What the daemon has to say to the world's process, kept until the world has answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oysterd.bus import Bus, Message
from oysterd.commands import Command

logger = logging.getLogger(__name__)

CHILD = "world"
# A command during which the world died this often is taken to be the reason.
MOST_DEATHS = 2


@dataclass
class _Waiting:
    message: Message
    is_sent: bool = False
    deaths: int = 0


class WorldLink:
    """Commands wait here while the world begins, and are sent again to a world that was started anew."""

    def __init__(self, bus: Bus, failed: Callable[[str, str], None]) -> None:
        """`failed(id, why)` is told of commands that are given up."""
        self._bus = bus
        self._failed = failed
        self._waiting: dict[str, _Waiting] = {}
        self.address = bus.open(CHILD)
        self.is_ready = False

    def submit(self, command: Command) -> None:
        """Send a command to the world, now or as soon as it is there."""
        change = command.to_change()
        if change is None:
            message: Message = {"type": "snapshot", "id": command.id}
        else:
            content = change.model_dump(mode="json", exclude_none=True)
            message = {"type": "change", "id": command.id, "change": content}
        self._waiting[command.id] = _Waiting(message)
        self.flush()

    def conditions(self, message: dict[str, Any]) -> None:
        """Send the newest conditions; lost where the world is not there, for newer ones follow."""
        if self.is_ready:
            self._bus.send(CHILD, message)

    def flush(self) -> None:
        """Send what waits, in its order, as far as the world takes it."""
        if not self.is_ready:
            return
        for waiting in self._waiting.values():
            if not waiting.is_sent:
                waiting.is_sent = self._bus.send(CHILD, waiting.message)
                if not waiting.is_sent:
                    return

    def ready(self) -> None:
        """The world is there, and has been told nothing yet."""
        self.is_ready = True
        self.flush()

    def answered(self, identifier: str) -> None:
        """The world has applied or refused a command."""
        self._waiting.pop(identifier, None)

    def died(self) -> None:
        """The world's process is gone: what it had not answered waits for the next."""
        self.is_ready = False
        for identifier, waiting in list(self._waiting.items()):
            waiting.deaths += waiting.is_sent
            waiting.is_sent = False
            if waiting.deaths >= MOST_DEATHS:
                del self._waiting[identifier]
                self._failed(identifier, f"the world ended {MOST_DEATHS} times before it had applied this")
