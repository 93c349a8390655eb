"""A place for the latest of something: a newer value replaces an older one, and one that is too old is not there."""

from __future__ import annotations

from typing import Generic, TypeVar

from oysterd.clock import Clock

Value = TypeVar("Value")


class Slot(Generic[Value]):
    """The latest value, for as long as it is younger than `max_age_s`. Any thread may put and get."""

    def __init__(self, clock: Clock, max_age_s: float) -> None:
        self._clock = clock
        self._max_age_s = max_age_s
        # One object, replaced as a whole: no reader sees a value with another one's time.
        self._held: tuple[int, Value] | None = None

    def put(self, value: Value, captured_ns: int | None = None) -> None:
        """Hold a value of that moment on the monotonic clock, or of now; one older than what is held is dropped."""
        moment_ns = self._clock.now_ns() if captured_ns is None else captured_ns
        held = self._held
        if held is None or moment_ns >= held[0]:
            self._held = (moment_ns, value)

    def get(self) -> Value | None:
        """The latest value, or None when there is none or it is too old."""
        held = self._held
        if held is None or self._age_s(held[0]) > self._max_age_s:
            return None
        return held[1]

    def clear(self) -> None:
        """Forget what is held."""
        self._held = None

    @property
    def age_s(self) -> float | None:
        """How old the latest value is, however old; None when there never was one."""
        held = self._held
        return None if held is None else self._age_s(held[0])

    def _age_s(self, moment_ns: int) -> float:
        return (self._clock.now_ns() - moment_ns) / 1e9
