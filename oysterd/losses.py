"""What is done about a device that is lost: it is said once, and tried again ever more seldom."""

from __future__ import annotations

from collections.abc import Callable


class Losses:
    """Tells of losses by `tell("lost", why=…)`: each reason once, until the device works again."""

    def __init__(self, tell: Callable[..., None], back_off_s: tuple[float, float]) -> None:
        """The pause before the next try doubles from the first of `back_off_s` to the second."""
        self._tell = tell
        self._first_s, self._most_s = back_off_s
        self._pause_s = self._first_s
        self._told_why = ""

    def lost(self, why: str) -> float:
        """Say so, where that is new; seconds until the device should be tried again."""
        if why != self._told_why:
            self._told_why = why
            self._tell("lost", why=why)
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, self._most_s)
        return pause_s

    def works(self) -> None:
        """It does: what comes next is a new story."""
        self._told_why, self._pause_s = "", self._first_s
