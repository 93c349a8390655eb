"""What to do about a device that fails again and again: one rung after the other, each a stronger means."""

from __future__ import annotations

from enum import Enum

from drivers.base import Clock

# A device that gave samples for so long is well again: what it does next is a new story.
STEADY_S = 5.0


class Rung(Enum):
    """The means, weakest first."""

    REOPEN = "it is opened anew"
    RESET = "its hardware is reset"
    NEW_PROCESS = "its process is started anew"
    WITHOUT = "the room runs without it"


class Ladder:
    """Climbs a rung with every failure and comes down when the device has been steady.

    Only who has seen the device work asks for a new process: one that never did is new already. A device without a
    reset is opened anew for ever.
    """

    def __init__(self, clock: Clock, can_reset: bool) -> None:
        self._clock = clock
        self._can_reset = can_reset
        self._failures = 0
        self._failed_ns = 0
        self._has_worked = False

    def worked(self) -> None:
        """The device gave a sample."""
        self._has_worked = True
        if self._clock.now_ns() - self._failed_ns >= STEADY_S * 1e9:
            self._failures = 0

    def failed(self) -> Rung:
        """The device is lost: what to do now."""
        self._failures += 1
        self._failed_ns = self._clock.now_ns()
        if self._failures == 1 or not self._can_reset:
            return Rung.REOPEN
        if self._failures == 2:
            return Rung.RESET
        return Rung.NEW_PROCESS if self._has_worked else Rung.WITHOUT
