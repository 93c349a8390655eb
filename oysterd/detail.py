"""How finely the world is drawn: in full, or at half its size while the machine is too slow for more.

Pictures are not fed back into a world, so how finely they are drawn changes nothing but themselves.
"""

from __future__ import annotations

from collections import deque

from model.conditions import STEPS_PER_S

_WINDOW_STEPS = 6 * STEPS_PER_S  # six seconds: less is a hiccup, as when another program starts
_FULL_COSTS = 1.7  # times what half the size does, at most: measured 1.5 to 1.6
_SOONEST_S, _LATEST_S = 30.0, 600.0  # after which the full size is tried again, twice as long after each time it failed


class Detail:
    """Whether pictures are to be drawn in full, from what steps took."""

    def __init__(self, slice_s: float = 1 / STEPS_PER_S) -> None:
        self._slice_s = slice_s
        self._took_s: deque[float] = deque(maxlen=_WINDOW_STEPS)
        self.is_full = True
        self._patience_s, self._changed_s = _SOONEST_S, -2 * _LATEST_S

    def step(self, took_s: float, now_s: float) -> str | None:
        """Take note of a step; what is to be told of it where the size changes."""
        self._took_s.append(took_s)
        since_s, mean_s = now_s - self._changed_s, sum(self._took_s) / len(self._took_s)
        if self.is_full:
            if len(self._took_s) == _WINDOW_STEPS and mean_s > self._slice_s:
                # One that fits for long is not blamed for what comes later.
                self._patience_s = _SOONEST_S if since_s > _LATEST_S else min(2 * self._patience_s, _LATEST_S)
                self._set(False, now_s)
                return (
                    f"a step takes {1000 * mean_s:.0f} ms, more than its {1000 * self._slice_s:.0f}: "
                    f"pictures are drawn at half their size (world.height_px asks for smaller ones)"
                )
        elif since_s > self._patience_s and mean_s * _FULL_COSTS < self._slice_s:
            self._set(True, now_s)
            return "pictures are drawn in full again"
        return None

    def _set(self, is_full: bool, now_s: float) -> None:
        self.is_full, self._changed_s = is_full, now_s
        self._took_s.clear()
