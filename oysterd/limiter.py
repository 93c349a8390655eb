"""A limiter: it looks ahead, turns down before what is too loud arrives, and lets no sample past its ceiling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oysterd.filters import Sound

LOOK_AHEAD_S = 0.005  # how long turning down takes: long enough not to click, short enough not to be missed
RELEASE_DB_S = 20.0  # how fast it comes back; the number is arbitrary
SILENCE_DB = -200.0


class Limiter:
    """One gain for all channels, so that the picture of the room does not move. It measures samples, not true peaks.

    The gain that each sample needs is held over the look-ahead (a running minimum), then averaged over it: the average
    of numbers none of which is above what a sample needs is not above it either. All in decibels.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._ahead = max(round(LOOK_AHEAD_S * rate_hz), 1)
        self._rate_hz = rate_hz
        self._sound = np.zeros((self._ahead - 1, channels))  # taken, not yet given
        self._ceilings_db = np.zeros(self._ahead - 1)  # of the same samples
        self._needs_db = np.zeros(self._ahead - 1)
        self._held_db = np.zeros(self._ahead - 1)
        self.lowest_db = 0.0  # the gain, at its lowest in the last block

    @property
    def latency_s(self) -> float:
        return (self._ahead - 1) / self._rate_hz

    def __call__(self, samples: Sound, ceilings_db: NDArray[np.float64]) -> Sound:
        """float64 (n, channels) under ceilings dBFS (n,) → the same shape, `latency_s` later."""
        n = len(samples)
        if n == 0:
            return samples
        peaks = np.abs(samples).max(axis=1)
        peaks_db = 20 * np.log10(np.maximum(peaks, 10 ** (SILENCE_DB / 20)))
        needs = np.concatenate([self._needs_db, np.minimum(ceilings_db - peaks_db, 0.0)])
        held = _running_minimum(needs, self._ahead)  # (n,)
        # Back up by a fixed number of decibels a sample: g(k) = min over j ≤ k of held(j) + slope (k − j).
        rise = RELEASE_DB_S / self._rate_hz * np.arange(1, n + 1)
        before = self._held_db[-1] if len(self._held_db) else 0.0
        held = np.minimum(np.minimum.accumulate(held - rise), before) + rise
        all_held = np.concatenate([self._held_db, held])
        sums = np.concatenate([[0.0], np.cumsum(all_held)])
        gains_db = (sums[self._ahead :] - sums[: -self._ahead]) / self._ahead
        sound = np.concatenate([self._sound, samples])
        ceilings = np.concatenate([self._ceilings_db, ceilings_db])
        keep = self._ahead - 1
        self._sound, self._ceilings_db = sound[n:], ceilings[n:]
        self._needs_db, self._held_db = needs[n:], all_held[len(all_held) - keep :]
        self.lowest_db = float(gains_db.min())
        limits = 10 ** (ceilings[:n, None] / 20)
        # The clip is for what rounding may leave above.
        return np.clip(sound[:n] * 10 ** (np.minimum(gains_db, 0.0)[:, None] / 20), -limits, limits)


def _running_minimum(values: Sound, width: int) -> Sound:
    """The minimum of each `width` values in a row, (n,) → (n − width + 1,), by doubling."""
    made, covers = values, 1
    while covers < width:
        step = min(covers, width - covers)
        made = np.minimum(made[:-step], made[step:])
        covers += step
    return made
