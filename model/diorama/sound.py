"""The diorama's sound: stereo ambience made from the same state as the picture, sample for sample in step with it.

Noises are white noise shaped in the Fourier domain under slow envelopes; events (steps, crashes, thunder, birds)
start at the sample their cause happens; the tonal bed uses the equal-tempered pitches of the sound codec's bank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.diorama import calls
from model.diorama.places import COLUMN
from model.diorama.waveforms import A2_HZ, SAMPLE_RATE_HZ, SLICE_SAMPLES
from model.diorama.waveforms import add as _add
from model.diorama.waveforms import curve as _curve
from model.diorama.waveforms import noise as _noise
from model.diorama.waveforms import pan as _pan

THUNDER_DELAY_STEPS = 12  # a strike about 340 m away
SCALE_SEMITONES = (0, 2, 4, 7, 9, 12, 14, 16, 19, 21)  # major pentatonic: any subset is consonant

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Track:
    """What the sound needs of every step of an episode, each float32 (T,) unless said otherwise."""

    place: Array  # (T, columns) mixed place rows
    weather: Array  # (T, 7): sun_rad cloud fog rain snow wind energy
    swash: Array  # phase of the breaking wave in turns, growing
    stride: Array  # phase of the walk in turns, growing; two footfalls a turn
    thunder: Array  # strength of the thunder that starts at this step
    sea_side: Array  # side the sea lies on, −1 left .. 1 right
    sea_near: Array  # how near it is, 0..1
    stir: Array  # how much visitors stir, 0..1
    stir_side: Array  # and where, −1 left .. 1 right
    gust: Array  # how the wind blows about its mean, −1..1
    figures: Array  # (T, figures): how much is heard of each, 0..1
    figures_side: Array  # and where, −1 left .. 1 right
    loud: Array  # how loud the room is, 0..1


def _crossings(phase: Array, per_turn: float, offset: float) -> list[int]:
    """Samples at which `phase * per_turn + offset` passes a whole number."""
    fine = np.floor(_curve(phase) * per_turn + offset)
    return [int(i) + 1 for i in np.flatnonzero(np.diff(fine) > 0)]


def synthesise(track: Track, seed: int) -> Array:
    """The episode's sound, float32 (T * 2000, 2) in −1..1."""
    rng = np.random.default_rng(seed)
    steps = len(track.swash)
    samples = steps * SLICE_SAMPLES
    time_s = np.arange(samples) / SAMPLE_RATE_HZ
    sun, cloud, _, rain, snow, wind, energy = (track.weather[:, k] for k in range(7))
    level = {
        name: track.place[:, COLUMN[name]] for name in ("waves_sound", "birds_sound", "crickets_sound", "wind_sound")
    }
    out = np.zeros((samples, 2), np.float32)

    gust = 0.75 + 0.45 * _curve(track.gust)
    strength = _curve(wind * (0.4 + 0.6 * level["wind_sound"]) * (1 - 0.4 * snow))
    out += _noise(rng, samples, 260, 1.1) * (0.012 + 0.17 * strength**1.4 * gust)[:, None]
    out += _noise(rng, samples, 900, 0.5) * (0.04 * strength**2 * gust**3)[:, None]

    falling = _curve(rain)
    out += _noise(rng, samples, 3800, 1.1) * (0.13 * falling**1.2)[:, None]
    out += _noise(rng, samples, 700, 0.9) * (0.05 * falling**1.5)[:, None]

    if level["waves_sound"].max() > 0.01:
        sea = (
            _curve(level["waves_sound"])
            * (0.5 + 0.6 * _curve(wind) + 0.3 * _curve(energy))
            * (0.35 + 0.65 * _curve(track.sea_near))
        )
        phase = _curve(track.swash) % 1.0
        # The crash rises steeply as the swash peaks (a quarter turn) and hisses out over the rest of the turn.
        since = (phase - 0.25) % 1.0
        crash = np.where(since > 0.92, (since - 0.92) / 0.08, np.exp(-since * 4.5)).astype(np.float32)
        side = _curve(track.sea_side) * 0.8
        surf = _noise(rng, samples, 650, 1.3)
        hiss = _noise(rng, samples, 3000, 1.0)
        mono = (0.13 * surf * (0.25 + crash)[:, None] + 0.07 * hiss * (crash**1.6)[:, None]) * sea[:, None]
        out += mono * np.stack([np.cos((side + 1) * np.pi / 4), np.sin((side + 1) * np.pi / 4)], 1) * 1.3

    rumble = _noise(rng, SAMPLE_RATE_HZ * 3, 75, 0.9, -2)
    crack = _noise(rng, SAMPLE_RATE_HZ * 3, 500, 1.2)
    decay = np.arange(SAMPLE_RATE_HZ * 3) / SAMPLE_RATE_HZ
    for step in np.flatnonzero(track.thunder > 0):
        roll = np.minimum(decay / 0.02, 1) * np.exp(-decay / 0.9)
        part = (
            rumble * roll[:, None] * 0.42
            + crack * (np.minimum(decay / 0.01, 1) * np.exp(-decay / 0.25))[:, None] * 0.16
        )
        _add(out, int(step) * SLICE_SAMPLES, (part * track.thunder[step]).astype(np.float32))

    bright = track.place[:, COLUMN["step_bright"]]
    for at in _crossings(track.stride, 2.0, 0.0):
        b = float(bright[min(steps - 1, at // SLICE_SAMPLES)])
        n = np.arange(int(0.14 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        body = _noise(rng, len(n), 180 + 200 * b, 0.8) * np.exp(-n / 0.035)[:, None] * 0.16
        grit = _noise(rng, len(n), 1500 + 2500 * b, 0.8) * np.exp(-n / 0.05)[:, None] * (0.03 + 0.10 * b)
        _add(out, at, (body + grit).astype(np.float32))

    lively = (
        level["birds_sound"] * np.clip((sun + 0.1) * 3, 0, 1) * (1 - rain) * (1 - 0.7 * snow) * (0.4 + 0.6 * energy)
    )
    call = int(rng.integers(0, 12))
    while call < steps:
        if rng.random() < lively[call]:
            base, pan = rng.uniform(2200, 4200), rng.uniform(-0.9, 0.9)
            at = call * SLICE_SAMPLES + int(rng.integers(0, SLICE_SAMPLES))
            for _ in range(int(rng.integers(2, 6))):
                n = np.arange(int(rng.uniform(0.06, 0.13) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
                sweep = base * (1 + rng.uniform(-0.25, 0.25) * n / n[-1])
                chirp = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE_HZ) * np.sin(np.pi * n / n[-1]) * 0.09
                _add(out, at, _pan(chirp.astype(np.float32), pan))
                at += int((n[-1] + rng.uniform(0.02, 0.08)) * SAMPLE_RATE_HZ)
        call += int(rng.integers(6, 16))

    night = level["crickets_sound"] * np.clip(-sun * 4 + 0.2, 0, 1) * (1 - rain) * (1 - snow)
    if night.max() > 0.02:
        pulse = np.clip(np.sin(2 * np.pi * 15 * time_s), 0, 1) * (np.sin(2 * np.pi * 0.9 * time_s) > -0.3)
        song = np.sin(2 * np.pi * 4300 * time_s) * pulse * 0.045 * _curve(night)
        out += _pan(song.astype(np.float32), 0.35)

    # A soft tonal bed: a slow chord on the place's root, darker at night and in bad weather, fuller with energy.
    root = float(np.round(track.place[0, COLUMN["root_semitone"]]))
    gloom = _curve(np.clip(0.5 * cloud + rain - np.clip(sun, -0.5, 0.5), 0, 1))
    full = _curve(0.35 + 0.65 * energy)
    swell = _curve(track.loud)  # a loud room swells it, and lights its upper tones
    for index, semitone in enumerate(SCALE_SEMITONES):
        hertz = A2_HZ * 2 ** ((root + semitone) / 12)
        breath = 0.5 + 0.5 * np.sin(2 * np.pi * time_s * (0.05 + 0.013 * index) + rng.uniform(0, 6.28))
        weight = np.clip(1.2 - gloom * index / 4, 0.05, 1) * (full if index > 2 else 1.0) / (1 + 0.25 * index)
        weight = weight * (1 + swell * (0.5 + 0.30 * index))
        tone = np.sin(2 * np.pi * hertz * time_s + rng.uniform(0, 6.28)) * breath * weight * 0.016
        out += _pan(tone.astype(np.float32), 0.0)
    if track.stir.max() > 0.05:  # stirring visitors ring a bell of the same scale
        touch = _curve(track.stir)
        for index in (4, 6, 8):
            hertz = A2_HZ * 2 ** ((root + SCALE_SEMITONES[index]) / 12)
            beat = np.exp(-((time_s * (2 + 0.5 * index) + 0.3 * index) % 1) * 3)
            out += _pan(
                (np.sin(2 * np.pi * hertz * time_s) * beat * touch * 0.05).astype(np.float32), _curve(track.stir_side)
            )
    out += calls.heard(track.figures, track.figures_side, root, np.random.default_rng([seed, 60]))
    return np.tanh(out * 1.1).astype(np.float32)
