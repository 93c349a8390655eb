"""A device's own time stamps, brought onto the monotonic clock and checked against it."""

from __future__ import annotations

import logging

from drivers.base import Clock

logger = logging.getLogger(__name__)

# How fast a device's clock may run away from ours: ten times what a quartz does.
DRIFT = 500e-6
# A stamp that is late by more was made by another clock, or by one that was set anew.
MOST_LATE_S = 0.5


class DeviceClock:
    """Turns stamps of one device into monotonic time.

    A sample can't arrive before it was taken, so the smallest distance from stamp to arrival that was seen is what the
    way here takes at the least; it counts as none. So jitter of the way does not become jitter of the moment.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._offset_ns: float | None = None  # our time minus the device's, the least seen
        self._last_ns = 0  # the newest stamp, on the device's clock
        self._arrived_ns = 0
        self.resets = 0  # how often stamps and our clock could not be brought together

    def moment_ns(self, stamp_ms: float) -> int | None:
        """When a sample was taken, on our clock and never in its future; None for one older than the last given."""
        now_ns, stamp_ns = self._clock.now_ns(), round(stamp_ms * 1e6)
        if self._offset_ns is not None and stamp_ns <= self._last_ns:
            if self._last_ns - stamp_ns < MOST_LATE_S * 1e9:
                return None
            self._set_anew(f"went back by {(self._last_ns - stamp_ns) / 1e9:.1f} s")
        if self._offset_ns is None:
            self._offset_ns = now_ns - stamp_ns
        else:
            may_be_ns = self._offset_ns + DRIFT * (now_ns - self._arrived_ns)
            self._offset_ns = min(may_be_ns, now_ns - stamp_ns)
        late_ns = now_ns - stamp_ns - self._offset_ns
        if late_ns > MOST_LATE_S * 1e9:
            self._set_anew(f"lags {late_ns / 1e9:.1f} s behind")
            self._offset_ns, late_ns = now_ns - stamp_ns, 0
        self._last_ns, self._arrived_ns = stamp_ns, now_ns
        return now_ns - round(late_ns)

    def _set_anew(self, why: str) -> None:
        self._offset_ns = None
        self.resets += 1
        logger.warning("%s: the clock of the device %s; its stamps are counted anew", self._name, why)
