"""Makes the world's sound fit a device that takes a multiple of its rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Input samples under the filter: enough that what it lets through beside the band is 60 dB down.
_REACH = 32


class Upsampler:
    """A windowed-sinc interpolator that goes on from block to block; it delays by half its reach, 16 samples."""

    def __init__(self, factor: int) -> None:
        """Raises ValueError for a factor below 1."""
        if factor < 1:
            raise ValueError(f"factor must be at least 1, not {factor}")
        self._factor = factor
        length = _REACH * factor
        at = (np.arange(length) - (length - 1) / 2) / factor
        taps = np.sinc(0.92 * at) * np.kaiser(length, 7.0)  # 0.92: the band ends where the filter's slope begins
        phases = taps.reshape(_REACH, factor)[::-1]  # (reach, factor), newest sample last
        self._phases = (phases / phases.sum(axis=0)).astype(np.float32)
        self._before = np.zeros((_REACH - 1, 2), np.float32)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (n, 2) → float32 (n × factor, 2)."""
        if self._factor == 1:
            return samples
        joined = np.concatenate([self._before, samples])
        self._before = joined[len(joined) - (_REACH - 1) :]
        windows = np.lib.stride_tricks.sliding_window_view(joined, _REACH, axis=0)  # (n, 2, reach)
        made = windows @ self._phases  # (n, 2, factor)
        return np.ascontiguousarray(made.transpose(0, 2, 1).reshape(-1, 2))
