"""Makes the world's sound fit a card: another rate, and one that is not quite what the card says it is (soxr)."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

# How far a card's clock may be off, in parts of a million. Good ones are off by 20, bad ones by 150; beyond this limit
# something else is wrong, and the pitch would begin to be heard (500 are less than a hundredth of a semitone).
LARGEST_PPM = 500.0
# Samples of the input that soxr holds back when its rate may vary: measured, see tests/test_resample.py.
_HELD_BACK = 240


class Resampler:
    """A resampler that goes on from block to block while its ratio is corrected by parts of a million."""

    def __init__(self, in_hz: int, out_hz: int, channels: int = 2) -> None:
        self._in_hz, self._out_hz = in_hz, out_hz
        largest = in_hz * (1 + 2e-6 * LARGEST_PPM)  # soxr wants to know the largest ratio that will ever be asked for
        self._stream = soxr.ResampleStream(largest, out_hz, channels, dtype="float32", quality="HQ", vr=True)
        self._stream.set_io_ratio(in_hz, out_hz)

    @property
    def latency_s(self) -> float:
        """Seconds by which what comes out lies behind what went in."""
        return _HELD_BACK / self._in_hz

    def __call__(self, samples: NDArray[np.float32], ppm: float = 0.0) -> NDArray[np.float32]:
        """float32 (n, channels) → float32 (about n × out / in, channels); `ppm` more of them for a card that is fast.

        A new `ppm` is reached evenly over the block, so that no change of it is heard.
        """
        held = min(max(ppm, -LARGEST_PPM), LARGEST_PPM)
        self._stream.set_io_ratio(self._in_hz, self._out_hz * (1 + 1e-6 * held), len(samples))
        made: NDArray[np.float32] = self._stream.resample_chunk(np.ascontiguousarray(samples))
        return made
