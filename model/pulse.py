"""The pulse of a step: the few numbers by which the dynamics set the picture in motion, as one token of latents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLASH_UNIT = 0.25  # a flash of 1 is four deviations: rare, and never mistaken for noise
QUIET = 0.3  # flashes fainter than this are none


@dataclass(frozen=True)
class Pulse:
    """flash: light of a lightning, 0..1; gust: how the wind blows about its mean, −1..1."""

    flash: float = 0.0
    gust: float = 0.0

    @staticmethod
    def of(token: NDArray[np.float32]) -> Pulse:
        """Read a token's latents (channels,)."""
        flash, gust = float(token[0]) * FLASH_UNIT, float(token[1])
        return Pulse(min(1.0, flash) if flash > QUIET else 0.0, max(-1.0, min(1.0, gust)))


def tokens(flash: NDArray[np.float32], gust: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Latents (T, 1, channels) of flashes and gusts (T,)."""
    out = np.zeros((len(flash), 1, channels), np.float32)
    out[:, 0, 0], out[:, 0, 1] = flash / FLASH_UNIT, gust
    return out
