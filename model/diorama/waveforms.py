"""What all sounds of the diorama are made of: envelopes, shaped noise, panning."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 24_000
SLICE_SAMPLES = 2_000  # one step: 1/12 s
A2_HZ = 110.0  # the lowest pitch of the sound codec's bank

Array = NDArray[Any]


def curve(values: Array) -> Array:
    """Step values (T,) to a sample envelope (T * 2000,), linear between steps."""
    steps = len(values)
    return np.interp(np.arange(steps * SLICE_SAMPLES) / SLICE_SAMPLES, np.arange(steps), values).astype(np.float32)


def noise(rng: np.random.Generator, samples: int, centre_hz: float, octaves: float, tilt: float = 0.0) -> Array:
    """Stereo noise (samples, 2), unit deviation: a bell over log-frequency, `tilt` dB an octave on top."""
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    octave = np.log2(np.maximum(frequency, 1.0) / centre_hz)
    gain = np.exp(-0.5 * (octave / octaves) ** 2) * 10 ** (tilt * octave / 20)
    gain[0] = 0
    spectrum = np.fft.rfft(rng.standard_normal((samples, 2)).astype(np.float32), axis=0)
    shaped = np.fft.irfft(spectrum * gain[:, None], samples, axis=0)
    return (shaped / shaped.std()).astype(np.float32)


def pan(mono: Array, position: Array | float) -> Array:
    """Constant-power panning of mono (n,) to (n, 2); position −1 left .. 1 right."""
    angle = (np.clip(position, -1, 1) + 1) * (np.pi / 4)
    return np.stack([mono * np.cos(angle), mono * np.sin(angle)], 1).astype(np.float32)


def add(target: Array, at: int, part: Array) -> None:
    """Add a part (n, 2) to a target from a sample on, as far as it reaches."""
    end = min(len(target), at + len(part))
    if 0 <= at < end:
        target[at:end] += part[: end - at]
