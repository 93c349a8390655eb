"""The sound codec: a slice of sound as noise bands, a bank of tones and one whistle, then principal components.

Made for ambience. Noise (wind, water, rain, steps, thunder) is kept as energy in bands of frequency and short
subframes of time; the tonal bed as amplitudes of equal-tempered pitches; birds, crickets and other whistles as one
gliding partial. The decoder shapes white noise and runs phase-continuous oscillators, in the spirit of spectral
modelling synthesis (Serra & Smith 1990) and DDSP (Engel et al. 2020). Its state is small and is saved with the world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float32]

SAMPLE_RATE_HZ = 24_000
SLICE_SAMPLES = 2_000
SUBFRAMES = 4
HOP = SLICE_SAMPLES // SUBFRAMES  # 500 samples, 20.8 ms
WINDOW = 2 * HOP
BANDS = 24
SIDE_GROUPS = 6  # bands are panned in groups of four
PITCHES = 36  # A2 (110 Hz) and up, semitones
TONE_WINDOW = 6_000  # 0.25 s: resolves semitones from A2 up
WHISTLE_HZ = (1_500.0, 7_000.0)
FLOOR_DB = -90.0
# What swells and ebbs (surf, gusts) does so about a running mean: of what is louder or softer than that, so much is
# taken, reached about so far from it; not of what is farther from it yet, which is an event of its own.
LEVELLED_DB, SWELL_DB, EVENT_DB, LEVEL_SHARE = 3.5, 5.0, 14.0, 1 / 120

_window = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)  # sums to one at half overlap
_bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE_HZ)
# Band edges even in the ERB-rate scale (Glasberg & Moore 1990) from 40 Hz to 12 kHz.
_erb_40_hz, _erb_12_khz = 21.4 * np.log10(1 + 0.00437 * np.array([40.0, 12_000.0]))
_edges = (10 ** (np.linspace(_erb_40_hz, _erb_12_khz, BANDS + 1) / 21.4) - 1) / 0.00437
_band_of_bin = np.clip(np.searchsorted(_edges, _bins, side="right") - 1, 0, BANDS - 1)
_band_bins = np.maximum(np.bincount(_band_of_bin, minlength=BANDS), 1)
_pitch_hz = 110.0 * 2 ** (np.arange(PITCHES) / 12)
FEATURES = SUBFRAMES * BANDS + SIDE_GROUPS + PITCHES + 2 * SUBFRAMES + 1


def _decibels(power: NDArray[np.floating]) -> Array:
    return np.maximum(10 * np.log10(np.maximum(power, 1e-12)), FLOOR_DB).astype(np.float32)


def analyse(audio: Array) -> Array:
    """Sound float32 (T * 2000, 2) to features (T, FEATURES): dB energies, pan −1..1, log2 Hz of the whistle."""
    steps = len(audio) // SLICE_SAMPLES
    frames = steps * SUBFRAMES
    padded = np.pad(audio, ((HOP // 2, WINDOW), (0, 0)))
    index = np.arange(frames)[:, None] * HOP + np.arange(WINDOW)[None]
    spectrum = np.fft.rfft(padded[index] * _window[None, :, None], axis=1)  # (frames, bins, 2)
    power = (np.abs(spectrum) ** 2).astype(np.float64) / np.sum(_window**2) / WINDOW * 2
    both = power.sum(2)
    # One whistle a subframe: the highest bin of its range if it stands well above its surroundings.
    low, high = np.searchsorted(_bins, WHISTLE_HZ)
    inside = both[:, low:high]
    peak = inside.argmax(1) + low
    around = np.median(inside, 1)
    rows = np.arange(frames)
    strength = both[rows, peak - 1] + both[rows, peak] + both[rows, peak + 1]
    present = (both[rows, peak] > 40 * around) & (strength > 1e-7)
    a, b, c = (np.sqrt(both[rows, peak + k]) for k in (-1, 0, 1))
    offset = np.where(present, 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9), 0.0)
    hertz = _bins[1] * (peak + np.clip(offset, -0.5, 0.5))
    whistle_db = np.where(present, _decibels(strength), FLOOR_DB)
    whistle_octave = np.where(present, np.log2(hertz / 3000.0), 0.0)
    energy_lr = power[rows, peak]
    pan = np.where(present, (energy_lr[:, 1] - energy_lr[:, 0]) / np.maximum(energy_lr.sum(1), 1e-12), 0.0)
    for k in (-2, -1, 0, 1, 2):  # what the whistle took is not noise
        power[rows[present], peak[present] + k] = around[present, None] / 2
    bands = np.zeros((frames, BANDS, 2))
    for channel in range(2):
        for band in range(BANDS):
            bands[:, band, channel] = power[:, _band_of_bin == band, channel].sum(1)
    # Tones: projections on the pitch bank, above the floor half a semitone aside.
    mono = np.pad(audio.mean(1), (TONE_WINDOW // 2 - SLICE_SAMPLES // 2, TONE_WINDOW))
    n = np.arange(TONE_WINDOW)
    taper = np.hanning(TONE_WINDOW)
    taper /= taper.sum() / 2
    cut = mono[np.arange(steps)[:, None] * SLICE_SAMPLES + n[None]] * taper

    def project(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.abs(cut @ np.exp(-2j * np.pi * np.outer(n, hz) / SAMPLE_RATE_HZ))

    floor = np.minimum(project(_pitch_hz * 2 ** (-0.5 / 12)), project(_pitch_hz * 2 ** (0.5 / 12)))
    tone = np.maximum(project(_pitch_hz) - 1.6 * floor, 0)
    tone_power = np.zeros((steps, BANDS))
    np.add.at(tone_power.T, np.clip(np.searchsorted(_edges, _pitch_hz) - 1, 0, BANDS - 1), (tone**2 / 2).T)
    left_right = np.maximum(bands - np.repeat(tone_power, SUBFRAMES, 0)[..., None] / 2, bands * 0.05)
    total = left_right.sum(2)
    grouped = left_right.reshape(steps, SUBFRAMES, SIDE_GROUPS, BANDS // SIDE_GROUPS, 2).sum((1, 3))
    side = (grouped[..., 1] - grouped[..., 0]) / np.maximum(grouped.sum(-1), 1e-9)
    weight = 10 ** (whistle_db.reshape(steps, SUBFRAMES) / 10)
    slice_pan = (pan.reshape(steps, SUBFRAMES) * weight).sum(1) / np.maximum(weight.sum(1), 1e-8)
    return np.concatenate(
        [
            _decibels(total).reshape(steps, -1),
            side,
            _decibels(tone**2),
            whistle_db.reshape(steps, -1),
            whistle_octave.reshape(steps, -1),
            slice_pan[:, None],
        ],
        1,
    ).astype(np.float32)


@dataclass(frozen=True)
class SynthState:
    """What sounding on without a seam needs: the noise's unfinished overlap, the oscillators' phases and levels."""

    overlap: Array  # (HOP, 2)
    phases: NDArray[np.float64]  # (PITCHES + 1,) radians; the last is the whistle's
    tones: Array  # (PITCHES,) amplitudes at the end of the last slice
    whistle: Array  # (3,) amplitude, hertz and pan at the end of the last slice
    level: Array  # (1,) how loud the noise has been of late, in dB; not a number before the first slice

    @staticmethod
    def silent() -> SynthState:
        """The state before the first slice."""
        return SynthState(
            np.zeros((HOP, 2), np.float32),
            np.linspace(0, 20, PITCHES + 1) % (2 * np.pi),
            np.zeros(PITCHES, np.float32),
            np.array([0, 3000, 0], np.float32),
            np.full(1, np.nan, np.float32),
        )


def synthesise(features: Array, state: SynthState, rng: np.random.Generator) -> tuple[Array, SynthState]:
    """One slice of features (FEATURES,) to sound float32 (2000, 2) and the state to go on from."""
    at = 0

    def take(count: int) -> Array:
        nonlocal at
        part = features[at : at + count]
        at += count
        return part

    noise_db = take(SUBFRAMES * BANDS).reshape(SUBFRAMES, BANDS)
    side = np.clip(take(SIDE_GROUPS), -1, 1).repeat(BANDS // SIDE_GROUPS)
    tone_db, whistle_db = take(PITCHES), take(SUBFRAMES)
    octave, pan = take(SUBFRAMES), float(np.clip(take(1)[0], -1, 1))
    # Noise: each subframe is white noise with the band's energy a bin, overlapped and added (square-root windows).
    power = 10 ** (np.clip(noise_db, FLOOR_DB, 6) / 10)
    power[noise_db < FLOOR_DB + 8] = 0
    loud = float(_decibels(power.sum(1).mean()))
    level = loud if np.isnan(state.level[0]) else float(state.level[0])
    over = loud - level
    power *= 10 ** (-LEVELLED_DB * np.tanh(over / SWELL_DB) / (1 + (over / EVENT_DB) ** 4) / 10)
    level += LEVEL_SHARE * over
    gain = np.sqrt(power / _band_bins * WINDOW / 2)[:, _band_of_bin]  # (subframes, bins)
    balance = np.sqrt(np.stack([(1 - side) / 2, (1 + side) / 2]))[:, _band_of_bin]  # (2, bins)
    shape = (SUBFRAMES, 2, WINDOW // 2 + 1)
    spectrum = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * np.sqrt(0.5 * WINDOW)
    shaped = np.fft.irfft(spectrum * gain[:, None] * balance[None], WINDOW, axis=2) * np.sqrt(_window)[None, None]
    out = np.zeros((SLICE_SAMPLES + HOP, 2))
    out[:HOP] += state.overlap
    for k in range(SUBFRAMES):
        out[k * HOP : k * HOP + WINDOW] += shaped[k].T
    overlap = out[SLICE_SAMPLES:].astype(np.float32)
    out = out[:SLICE_SAMPLES]
    # Tones: amplitude glides over the slice, phase goes on.
    n = np.arange(1, SLICE_SAMPLES + 1)
    target = np.where(tone_db > -72, 10 ** (np.clip(tone_db, FLOOR_DB, -10) / 20), 0)
    audible = np.flatnonzero((target > 0) | (state.tones > 0))
    step = 2 * np.pi * _pitch_hz / SAMPLE_RATE_HZ
    ramp = n / SLICE_SAMPLES
    swelling = state.tones[audible, None] * (1 - ramp) + target[audible, None] * ramp
    tones = (np.sin(state.phases[audible, None] + step[audible, None] * n) * swelling).sum(0)
    out += tones[:, None]
    # Whistle: level and pitch glide from subframe to subframe.
    amplitude = np.where(whistle_db > -62, np.sqrt(2 * 10 ** (np.clip(whistle_db, FLOOR_DB, -12) / 10)), 0.0)
    hertz = 3000.0 * 2 ** np.clip(octave, -1, 1.2)
    heard = amplitude > 0
    hertz = np.where(heard, hertz, hertz[heard].mean() if heard.any() else state.whistle[1])
    knots = np.arange(SUBFRAMES + 1) * HOP
    whistling = np.interp(n, knots, np.concatenate([[state.whistle[0]], amplitude]))
    glide = np.interp(n, knots, np.concatenate([[state.whistle[1] if state.whistle[0] > 0 else hertz[0]], hertz]))
    phase = state.phases[-1] + np.cumsum(2 * np.pi * glide / SAMPLE_RATE_HZ)
    aside = np.linspace(state.whistle[2], pan, SLICE_SAMPLES)
    angle = (aside + 1) * np.pi / 4
    out += (np.sin(phase) * whistling)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    phases = np.append(state.phases[:-1] + step * SLICE_SAMPLES, phase[-1]) % (2 * np.pi)
    whistle = np.array([amplitude[-1], hertz[-1], pan], np.float32)
    end = SynthState(overlap, phases, target.astype(np.float32), whistle, np.array([level], np.float32))
    return np.tanh(out).astype(np.float32), end


def _principal(rows: Tensor, keep: int) -> tuple[Tensor, Tensor]:
    """Mean (D,) and the `keep` leading principal directions (D, keep) of rows (N, D)."""
    mean = rows.mean(0)
    centred = rows - mean
    _, turn = torch.linalg.eigh(centred.T @ centred / len(rows))
    return mean, turn.flip(1)[:, :keep].contiguous()


def _partly_white(rows: Tensor, over: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Shift and scale that leave channels at the square root of their deviation, unit variance over all."""
    shift, deviation = rows.mean(over), rows.std(over).clamp(min=1e-4)
    scale = deviation.sqrt()
    overall = (deviation / scale).pow(2).mean(-1, keepdim=True).sqrt()
    return shift, scale * overall


class SoundCodec(nn.Module):
    """Features (N, FEATURES) to latents (N, tokens, channels) and back: principal components, partly whitened."""

    def __init__(self, tokens: int, channels: int) -> None:
        super().__init__()
        self.tokens, self.channels = tokens, channels
        self.kept = min(FEATURES, tokens * channels)
        for name, shape in {
            "scale": (FEATURES,),
            "mean": (FEATURES,),
            "basis": (FEATURES, self.kept),
            "latent_shift": (self.kept,),
            "latent_scale": (self.kept,),
        }.items():
            self.register_buffer(name, torch.zeros(shape))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Fit to features (N, FEATURES)."""
        self.scale = features.std(0).clamp(min=1e-3)
        self.mean, self.basis = _principal(features / self.scale, self.kept)
        self.latent_shift, self.latent_scale = _partly_white((features / self.scale - self.mean) @ self.basis, (0,))

    def encode(self, features: Tensor) -> Tensor:
        """Features (N, FEATURES) to latents (N, tokens, channels), zero where there is nothing to keep."""
        coded = ((features / self.scale - self.mean) @ self.basis - self.latent_shift) / self.latent_scale
        room = self.tokens * self.channels - self.kept
        return torch.nn.functional.pad(coded, (0, room)).view(-1, self.tokens, self.channels)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (N, tokens, channels) to features (N, FEATURES)."""
        coded = latents.flatten(1)[:, : self.kept] * self.latent_scale + self.latent_shift
        return (coded @ self.basis.T + self.mean) * self.scale
