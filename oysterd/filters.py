"""Recursive filters for sound, by blocks: exact, without a seam between blocks and without a loop over samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

_BLOCK = 128  # samples to a matrix product: fewer means more calls, more means more multiplications
# Two Butterworth sections in a row fall by 24 dB an octave, and a low and a high one add up to all that there was
# (Linkwitz and Riley, "Active Crossover Networks for Noncoincident Drivers", JAES 24(1), 1976).
_BUTTERWORTH_Q = 2**-0.5


@dataclass(frozen=True)
class Biquad:
    """A section of second order: y = (b0 + b1/z + b2/z²) / (1 + a1/z + a2/z²) x."""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float


def low_pass(hz: float, rate_hz: int) -> list[Biquad]:
    """Linkwitz-Riley, 24 dB an octave, 6 dB down at `hz`; sections of R. Bristow-Johnson's Audio EQ Cookbook."""
    cos, alpha = _angle(hz, rate_hz)
    return 2 * [_section((1 - cos) / 2, 1 - cos, (1 - cos) / 2, cos, alpha)]


def high_pass(hz: float, rate_hz: int) -> list[Biquad]:
    """The counterpart of `low_pass`."""
    cos, alpha = _angle(hz, rate_hz)
    return 2 * [_section((1 + cos) / 2, -(1 + cos), (1 + cos) / 2, cos, alpha)]


def k_weighting(rate_hz: int) -> list[Biquad]:
    """How loud a room takes sound to be: the two sections of ITU-R BS.1770-4, annex 1, at any rate.

    The recommendation gives coefficients for 48 kHz alone; the frequencies behind them are those that libebur128 found.
    """
    k, q, gain = np.tan(np.pi * 1681.974450955533 / rate_hz), 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = gain**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = Biquad(
        (gain + band * k / q + k * k) / a0, 2 * (k * k - gain) / a0, (gain - band * k / q + k * k) / a0,
        2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0,
    )  # fmt: skip
    k, q = np.tan(np.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return [shelf, Biquad(1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0)]


def _angle(hz: float, rate_hz: int) -> tuple[float, float]:
    angle = 2 * np.pi * hz / rate_hz
    return float(np.cos(angle)), float(np.sin(angle) / (2 * _BUTTERWORTH_Q))


def _section(b0: float, b1: float, b2: float, cos: float, alpha: float) -> Biquad:
    a0 = 1 + alpha
    return Biquad(b0 / a0, b1 / a0, b2 / a0, -2 * cos / a0, (1 - alpha) / a0)


class Filter:
    """Sections in a row, over all channels alike, going on from block to block.

    In a state space x' = A x + B u, y = C x + D u a block is one product: what its samples and the state before it
    give, each sample and the state after it.
    """

    def __init__(self, sections: Sequence[Biquad], channels: int) -> None:
        a, b, c, d = _state_space(sections)
        order = len(b)
        powers = [np.eye(order)]
        for _ in range(_BLOCK):
            powers.append(powers[-1] @ a)
        self._powers = powers
        self._from_state = np.stack([c @ power for power in powers[:-1]])  # (block, order)
        self._to_state = np.stack([power @ b for power in powers[_BLOCK - 1 :: -1]], axis=1)  # (order, block)
        response = np.concatenate([[d], self._from_state[:-1] @ b])
        lags = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
        self._from_samples = np.where(lags >= 0, response[np.maximum(lags, 0)], 0.0)  # (block, block)
        self._state = np.zeros((order, channels))

    def __call__(self, samples: Sound) -> Sound:
        """float64 (n, channels) → the same shape."""
        made = np.empty_like(samples)
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            n = len(block)
            made[start : start + n] = self._from_samples[:n, :n] @ block + self._from_state[:n] @ self._state
            self._state = self._powers[n] @ self._state + self._to_state[:, _BLOCK - n :] @ block
        return made


def _state_space(sections: Sequence[Biquad]) -> tuple[Sound, Sound, Sound, float]:
    """The matrices A (n, n), B (n,), C (n,) and D of the sections in a row, each in transposed direct form II."""
    a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    for s in sections:
        own_a = np.array([[-s.a1, 1.0], [-s.a2, 0.0]])
        own_b = np.array([s.b1 - s.a1 * s.b0, s.b2 - s.a2 * s.b0])
        a = np.block([[a, np.zeros((len(b), 2))], [np.outer(own_b, c), own_a]])
        b = np.concatenate([b, own_b * d])
        c = np.concatenate([s.b0 * c, [1.0, 0.0]])
        d *= s.b0
    return a, b, c, d
