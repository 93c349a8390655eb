"""How finely the world is drawn: in full, or at a share of its size while the machine is too slow for more.

Pictures are not fed back into a world, so how finely they are drawn changes nothing but themselves.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from model.conditions import STEPS_PER_S
from model.preset import SHARES

_FIRST_STEPS = 8  # by which a world that begins is judged, before anybody has waited for it
_FIXED, _SPARE = 0.35, 0.9  # of a step's time, which no smaller picture saves; and of a slice, that a size may take
_WINDOW_STEPS = 6 * STEPS_PER_S  # six seconds: less is a hiccup, as when another program starts
_NEXT_COSTS = 1.45  # times what a size does costs the next larger one, at most
_SOONEST_S, _LATEST_S = 30.0, 600.0  # after which a larger size is tried again, twice as long after each time it failed
_NAMES = {
    1.0: "in full",
    0.75: "at three quarters of their size",
    0.5: "at half their size",
    0.375: "at three eighths of their size",
}


class Detail:
    """At which share of their size pictures are to be drawn, from what steps took."""

    def __init__(self, slice_s: float = 1 / STEPS_PER_S) -> None:
        self._slice_s = slice_s
        self._took_s: deque[float] = deque(maxlen=_WINDOW_STEPS)
        self._level, self._steps = 0, 0
        self._patience_s, self._changed_s, self._grew = _SOONEST_S, -2 * _LATEST_S, False

    @property
    def share(self) -> float:
        """One of SHARES."""
        return SHARES[self._level]

    def step(self, took_s: float, now_s: float) -> str | None:
        """Take note of a step; what is to be told of it where the size changes."""
        self._took_s.append(took_s)
        self._steps += 1
        if self._steps == _FIRST_STEPS and (why := self._begin(now_s)):
            return why
        since_s, mean_s = now_s - self._changed_s, sum(self._took_s) / len(self._took_s)
        if len(self._took_s) == _WINDOW_STEPS and mean_s > self._slice_s and self._level + 1 < len(SHARES):
            if since_s > _LATEST_S:  # one that fits for long is not blamed for what comes later
                self._patience_s = _SOONEST_S
            elif self._grew:
                self._patience_s = min(2 * self._patience_s, _LATEST_S)
            self._set(self._level + 1, now_s)
            return self._too_slow(mean_s)
        if self._level and since_s > self._patience_s and mean_s * _NEXT_COSTS < self._slice_s:
            self._set(self._level - 1, now_s)
            return f"pictures are drawn {_NAMES[self.share]} again"
        return None

    def _begin(self, now_s: float) -> str | None:
        """Choose a size by the first steps: the largest that would fit, as nothing drawn so far was slow by chance."""
        took_s = median(self._took_s)
        if took_s <= self._slice_s:
            return None
        fits = (_FIXED + (1 - _FIXED) * share * share for share in SHARES)
        fitting = [at for at, cost in enumerate(fits) if took_s * cost <= _SPARE * self._slice_s]
        self._set(fitting[0] if fitting else len(SHARES) - 1, now_s)
        return self._too_slow(took_s)

    def _too_slow(self, took_s: float) -> str:
        return (
            f"a step takes {1000 * took_s:.0f} ms, more than its {1000 * self._slice_s:.0f}: "
            f"pictures are drawn {_NAMES[self.share]} (world.height_px asks for smaller ones)"
        )

    def _set(self, level: int, now_s: float) -> None:
        self._grew = level < self._level
        self._level, self._changed_s = level, now_s
        self._took_s.clear()
