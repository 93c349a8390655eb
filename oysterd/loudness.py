"""How loud the world is to an ear, and a slow hand on the fader that keeps it so."""

from __future__ import annotations

from collections import deque

import numpy as np

from oysterd.filters import Filter, Sound, k_weighting

# The short-term window of EBU Tech 3341.
WINDOW_S = 3.0
# Quieter than this is silence (the absolute gate of ITU-R BS.1770-4): it says nothing of how loud the world is.
GATE_LUFS = -70.0
# As fast as the fader moves. Slow, so that a storm stays louder than a calm; the number is arbitrary.
FADER_DB_S = 0.5


class Loudness:
    """Short-term loudness of stereo sound after ITU-R BS.1770-4, with its absolute gate alone."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._weigh = Filter(k_weighting(rate_hz), 2)
        self._blocks: deque[tuple[int, float]] = deque()  # (samples, mean square over them, both sides added)

    def heard(self, samples: Sound) -> None:
        """Take float64 (n, 2)."""
        if len(samples) == 0:
            return
        weighted = self._weigh(samples)
        power = float((weighted**2).mean(axis=0).sum())
        if _lufs(power) > GATE_LUFS:
            self._blocks.append((len(samples), power))
        while sum(count for count, _ in self._blocks) > WINDOW_S * self._rate_hz:
            self._blocks.popleft()

    @property
    def lufs(self) -> float | None:
        """Of the last three seconds that were no silence; None before the first."""
        total = sum(count for count, _ in self._blocks)
        return _lufs(sum(count * power for count, power in self._blocks) / total) if total else None


class Leveller:
    """Moves the world's loudness towards `target_lufs`, slowly and by at most `range_db` either way."""

    def __init__(self, target_lufs: float, range_db: float, rate_hz: int) -> None:
        self._target_lufs = target_lufs
        self._range_db = range_db
        self._rate_hz = rate_hz
        self._loudness = Loudness(rate_hz)
        self.gain_db = 0.0

    def __call__(self, samples: Sound) -> Sound:
        """float64 (n, 2) → the same shape; the gain goes evenly through the block."""
        self._loudness.heard(samples)
        before = self.gain_db
        lufs = self._loudness.lufs
        if lufs is not None:
            wanted = float(np.clip(self._target_lufs - lufs, -self._range_db, self._range_db))
            step = FADER_DB_S * len(samples) / self._rate_hz
            self.gain_db += float(np.clip(wanted - self.gain_db, -step, step))
        n = len(samples)
        gains_db = before + (self.gain_db - before) * np.arange(1, n + 1) / max(n, 1)
        return samples * 10 ** (gains_db[:, None] / 20)


def _lufs(power: float) -> float:
    return -0.691 + 10 * float(np.log10(max(power, 1e-20)))
