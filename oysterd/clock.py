"""The clock that is passed in, so that nothing which depends on time needs to wait for it in a test."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock: it never goes back, and its zero means nothing."""

    def now_s(self) -> float:
        """Seconds since an arbitrary zero."""
        ...

    def now_ns(self) -> int:
        """The same instant in nanoseconds, the unit of `captured_ns`."""
        ...


class MonotonicClock:
    """The machine's own monotonic clock, shared by all its processes."""

    def now_s(self) -> float:
        return time.monotonic()

    def now_ns(self) -> int:
        return time.monotonic_ns()


class ManualClock:
    """A clock that stands still until it is told to go on: for tests and for rendering offline."""

    def __init__(self, start_s: float = 0.0) -> None:
        # Whole nanoseconds are kept, since many small float steps would drift.
        self._now_ns = round(start_s * 1e9)

    def now_s(self) -> float:
        return self._now_ns / 1e9

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, seconds: float) -> None:
        """Go on by `seconds`; raises ValueError for a negative number, since a monotonic clock never goes back."""
        if seconds < 0:
            raise ValueError(f"a clock goes forward only, not by {seconds} s")
        self._now_ns += round(seconds * 1e9)
