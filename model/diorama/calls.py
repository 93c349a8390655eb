"""What is heard of the figures: each kind's sound from the levels that its actors give (model.cast.heard).

A level below 0.4 is what lasts (a purr, a chord) and beats at 0.2 with every footfall; where it rises past 0.5
something happens, from that step's first sample on. Made of what the sound codec carries: noise in bands, tones of
equal-tempered pitches, and one gliding whistle between 1.5 and 7 kHz.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.conditions import FIGURES
from model.diorama.waveforms import A2_HZ, SAMPLE_RATE_HZ, SLICE_SAMPLES, add, curve, noise, pan

HAPPENS, FOOTFALL = 0.5, 0.2
Array = NDArray[Any]
_PENTATONIC = (0, 2, 4, 7, 9)
Rng = np.random.Generator
Call = Callable[[Rng, float], Array]  # one event at the place's root in semitones: (n, 2) before it is panned, or (n,)


def _time(seconds: float) -> Array:
    return (np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ).astype(np.float32)


def _pitch(semitone: float) -> float:
    """Hertz of a semitone above A2, within the bank's three octaves."""
    return A2_HZ * 2 ** ((semitone % 12 + 12 * min(2, semitone // 12)) / 12)


def _glide(hertz: Array) -> Array:
    """A sine that follows a curve of frequencies (n,)."""
    return np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE_HZ).astype(np.float32)


def _path(t: Array, *values: float) -> Array:
    """Through values evenly spaced over a time."""
    return np.interp(t / t[-1], np.linspace(0, 1, len(values)), values).astype(np.float32)


def _burst(rng: Rng, t: Array, centre_hz: float, octaves: float, decay_s: float, rise_s: float = 0.003) -> Array:
    """Noise that is struck and dies away, (n,)."""
    shaped = noise(rng, len(t), centre_hz, octaves)[:, 0]
    return (shaped * np.minimum(t / rise_s, 1) * np.exp(-t / decay_s)).astype(np.float32)


def _bell(t: Array, hertz: float, decay_s: float) -> Array:
    return (np.sin(2 * np.pi * hertz * t) * np.minimum(t / 0.004, 1) * np.exp(-t / decay_s)).astype(np.float32)


def _meow(rng: Rng, root: float) -> Array:
    t = _time(0.50)
    shape = np.maximum(np.sin(np.pi * (t / t[-1]) ** 0.7), 0) ** 0.8
    high = rng.uniform(0.9, 1.15)
    voice = 0.16 * _glide(high * _path(t, 1750, 2350, 2450, 2100, 1650))
    body = 0.05 * sum(
        np.sin(2 * np.pi * _pitch(root + n) * t) * _path(t, *w) for n, w in ((28, (1, 0.3, 0)), (31, (0, 1, 0.4)))
    )
    return (voice + body + 0.02 * _burst(rng, t, 1400, 0.5, 0.4, 0.05)) * shape


def _stag(rng: Rng, root: float) -> Array:
    """A bell at its neck."""
    t = _time(0.65)
    return 0.07 * _bell(t, 2640, 0.28) + 0.05 * _bell(t, _pitch(root + 31), 0.35)


def _bark(rng: Rng, root: float) -> Array:
    t = _time(0.42)
    out = np.zeros_like(t)
    for at in (0.0, 0.19):
        n = _time(0.13)
        yap = _burst(rng, n, 900, 0.5, 0.05, 0.006) * 0.20 + 0.12 * _glide(_path(n, 1650, 2050, 1550)) * np.exp(
            -n / 0.05
        )
        begins = int(at * SAMPLE_RATE_HZ)
        out[begins : begins + len(n)] += yap
    return out


def _hum(rng: Rng, root: float) -> Array:
    t = _time(2.5)
    out = np.zeros_like(t)
    at = int(rng.integers(0, 5))
    for number in range(5):
        at = int(np.clip(at + rng.integers(-2, 3), 0, 9))
        n = _time(0.5)
        hertz = _pitch(root + 12 + _PENTATONIC[at % 5] + 12 * (at // 5))
        note = np.sin(2 * np.pi * hertz * n) + 0.35 * np.sin(4 * np.pi * hertz * n)
        begins = number * len(n)
        out[begins : begins + len(n)] += 0.055 * note * np.maximum(np.sin(np.pi * n / 0.5), 0) ** 0.6
    return out


def _chirps(rng: Rng, root: float) -> Array:
    out = np.zeros(int(0.40 * SAMPLE_RATE_HZ), np.float32)
    base, at = rng.uniform(2500, 4600), 0
    for _ in range(int(rng.integers(2, 4))):
        n = _time(rng.uniform(0.07, 0.11))
        turn = rng.uniform(-0.3, 0.3)
        part = 0.12 * _glide(base * _path(n, 1 - turn, 1 + turn, 1)) * np.sin(np.pi * n / n[-1])
        part = part[: len(out) - at]
        out[at : at + len(part)] += part
        at += int(0.12 * SAMPLE_RATE_HZ)
    return out


def _plink(rng: Rng, root: float) -> Array:
    """A wing's flutter rings softly."""
    t = _time(0.30)
    semitone = 24 + _PENTATONIC[int(rng.integers(5))]
    return 0.045 * _bell(t, _pitch(root % 12 + semitone), 0.12) + 0.02 * _burst(rng, t, 2600, 0.5, 0.03)


def _glimmer(rng: Rng, root: float) -> Array:
    t = _time(0.28)
    hertz = A2_HZ * 2 ** ((root % 12 + 60 + _PENTATONIC[int(rng.integers(5))]) / 12)
    return 0.055 * _bell(t, min(hertz, 6500), 0.10)


def _flame(rng: Rng, root: float) -> Array:
    """A lantern more is lit: a soft breath and a note."""
    t = _time(0.5)
    note = np.sin(2 * np.pi * _pitch(root + 12 + _PENTATONIC[int(rng.integers(5))]) * t) * np.exp(-t / 0.25)
    return (0.05 * note + 0.05 * _burst(rng, t, 500, 0.8, 0.15, 0.06)) * np.minimum(t / 0.03, 1)


def _creak(rng: Rng, root: float) -> Array:
    t = _time(0.55)
    rub = (np.sin(2 * np.pi * np.cumsum(_path(t, 16, 26, 13)) / SAMPLE_RATE_HZ) > 0.2).astype(np.float32)
    wood = noise(rng, len(t), rng.uniform(320, 520), 0.18)[:, 0] + 0.5 * noise(rng, len(t), 1150, 0.2)[:, 0]
    return (0.13 * wood * rub * np.sin(np.pi * t / t[-1])).astype(np.float32)


def _song(rng: Rng, root: float) -> Array:
    """A whale's moan: it sinks or rises through the pitches of the bank, deep water under it."""
    t = _time(1.8)
    steps = [0, 3, 5, 7, 10] if rng.random() < 0.5 else [12, 9, 7, 3, 2]
    out = 0.02 * noise(rng, len(t), 140, 0.6)[:, 0]
    for number, step in enumerate(steps):
        weight = np.clip(1 - np.abs(t / t[-1] * 4 - number), 0, 1) ** 0.7
        hertz = _pitch(root % 12 + step)
        for harmonic, share in ((1, 1.0), (2, 0.55), (4, 0.16)):
            out = out + 0.085 * share * weight * np.sin(2 * np.pi * hertz * harmonic * t)
    cry = 0.035 * _glide(_path(t, 1600, 1900, 1750, 2300)) * np.clip(t / t[-1] * 2 - 1, 0, 1)
    return ((out + cry) * np.maximum(np.sin(np.pi * t / t[-1]), 0) ** 0.6).astype(np.float32)


def _bang(rng: Rng, root: float) -> Array:
    t = _time(1.3)
    boom = 0.62 * _burst(rng, t, 95, 0.9, 0.22, 0.002) + 0.34 * _burst(rng, t, 750, 1.4, 0.09, 0.001)
    crackle = noise(rng, len(t), 4200, 0.7)[:, 0] * (rng.random(len(t) // 250 + 1) < 0.30).repeat(250)[: len(t)]
    return (boom + 0.07 * crackle * np.clip((t - 0.15) * 4, 0, 1) * np.exp(-t / 0.45)).astype(np.float32)


def _burner(rng: Rng, root: float) -> Array:
    t = _time(1.2)
    shape = np.minimum(t / 0.08, 1) * np.clip((t[-1] - t) / 0.25, 0, 1)
    return ((0.13 * noise(rng, len(t), 1300, 0.9)[:, 0] + 0.06 * noise(rng, len(t), 300, 0.8)[:, 0]) * shape).astype(
        np.float32
    )


def _whoosh(rng: Rng, root: float) -> Array:
    t = _time(1.5)
    out = np.zeros_like(t)
    for number, centre in enumerate((5200, 3400, 2100, 1200, 650, 330)):
        near = np.clip(1 - np.abs(t / t[-1] * 5 - number), 0, 1)
        out += noise(rng, len(t), centre, 0.45)[:, 0] * near
    shine = 0.06 * _glide(_path(t, 5600, 4200, 2600, 1700)) * np.exp(-t / 0.5)
    return (0.17 * out * np.sin(np.pi * (t / t[-1]) ** 0.6) + shine).astype(np.float32)


def _bubbles(rng: Rng, root: float) -> Array:
    out = np.zeros(int(0.34 * SAMPLE_RATE_HZ), np.float32)
    for number in range(3):
        n = _time(0.07)
        low = rng.uniform(1550, 2100)
        part = 0.085 * _glide(_path(n, low, low * 1.45)) * np.sin(np.pi * n / n[-1])
        begins = int((number * 0.11 + rng.uniform(0, 0.03)) * SAMPLE_RATE_HZ)
        part = part[: len(out) - begins]
        out[begins : begins + len(part)] += part
    return out


_EVENTS: dict[str, Call] = {
    "kitten": _meow, "deer": _stag, "fox": _bark, "person": _hum, "birds": _chirps, "butterflies": _plink,
    "fireflies": _glimmer, "lanterns": _flame, "boat": _creak, "whale": _song, "fireworks": _bang, "balloon": _burner,
    "meteor": _whoosh, "fish": _bubbles,
}  # fmt: skip
# Footfalls: centre in Hz, octaves, seconds of decay, loudness.
_FEET = {
    "kitten": (700.0, 0.7, 0.015, 0.05), "deer": (420.0, 0.5, 0.030, 0.16), "fox": (600.0, 0.7, 0.018, 0.07),
    "person": (260.0, 0.9, 0.040, 0.15),
}  # fmt: skip


def _lasting(name: str, level: Array, root: float, rng: Rng) -> Array:
    """What lasts of a kind under a level in samples (n,), 0..1: (n,)."""
    n = len(level)
    t = np.arange(n) / SAMPLE_RATE_HZ
    if name == "kitten":  # a purr
        beat = np.clip(np.sin(2 * np.pi * 11.7 * t), 0, 1)
        return 0.30 * level * beat * noise(rng, n, 130, 0.7)[:, 0]
    if name == "butterflies":
        beat = np.clip(np.sin(2 * np.pi * 7.3 * t), 0, 1)
        return 0.09 * level * beat * noise(rng, n, 2800, 0.6)[:, 0]
    if name == "lanterns":
        chord = sum(np.sin(2 * np.pi * _pitch(root % 12 + step) * t + step) for step in (0, 7, 12, 16, 19))
        return 0.05 * level * (0.8 + 0.2 * np.sin(2 * np.pi * 0.4 * t)) * chord
    if name == "boat":  # water laps at it
        lap = np.clip(np.sin(2 * np.pi * 0.55 * t), 0, 1) ** 2
        return level * noise(rng, n, 620, 0.8)[:, 0] * (0.05 + 0.22 * lap)
    if name == "whale":
        return 0.25 * level * noise(rng, n, 110, 0.6)[:, 0]
    if name == "balloon":
        return 0.10 * level * noise(rng, n, 420, 0.7)[:, 0]
    if name == "fish":
        return 0.18 * level * (0.6 + 0.4 * np.sin(2 * np.pi * 0.8 * t)) * noise(rng, n, 480, 0.7)[:, 0]
    return np.zeros(n, np.float32)


def _whistle(level: Array) -> Array:
    """Of a rocket that rises: the higher the level (T,), the higher it is; silent while the level falls. (n,)."""
    rising = np.diff(level, prepend=level[:1]) > 0
    rises = rising & (level < 0.4)
    height = curve(np.clip((level - 0.10) / 0.25, 0, 1))
    loudness = curve(rises.astype(np.float32))
    return 0.075 * loudness * _glide(1700 + 2700 * height)


def heard(levels: Array, side: Array, root: float, rng: Rng) -> Array:
    """The sound (T * 2000, 2) of figures under levels (T, figures) on a side (T,), over a place's root in semitones."""
    steps = len(levels)
    mono = np.zeros(steps * SLICE_SAMPLES, np.float32)
    for kind, name in enumerate(FIGURES):
        level = levels[:, kind]
        if level.max() < 0.01:
            continue
        part = np.zeros((steps * SLICE_SAMPLES, 1), np.float32)
        part[:, 0] += _lasting(name, curve(np.where(level > HAPPENS, 0.0, level)), root, rng)
        before = np.concatenate([[0.0], level[:-1]])
        for step in np.flatnonzero((level > HAPPENS) & (before <= HAPPENS)):
            add(part, int(step) * SLICE_SAMPLES, (_EVENTS[name](rng, root) * level[step])[:, None])
        if name in _FEET:
            centre, octaves, decay, loudness = _FEET[name]
            for step in np.flatnonzero((level > FOOTFALL) & (level <= HAPPENS) & (before <= FOOTFALL)):
                add(
                    part,
                    int(step) * SLICE_SAMPLES,
                    loudness * _burst(rng, _time(0.15), centre, octaves, decay)[:, None],
                )
        if name == "fireworks":
            part[:, 0] += _whistle(level)
        mono += part[:, 0]
    return pan(mono, curve(side))
