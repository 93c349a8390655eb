"""A clock that a test turns by hand: sleeping moves it on at once."""

from __future__ import annotations


class HandClock:
    """Starts at one hour; `slept_s` lists what was slept."""

    def __init__(self) -> None:
        self._now_ns = 3_600_000_000_000
        self.slept_s: list[float] = []

    def now_ns(self) -> int:
        return self._now_ns

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept_s.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now_ns += round(seconds * 1e9)
