"""The sound codec keeps what it was fitted to keep, and sounds on without a seam."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model import sound_codec
from model.sound_codec import SLICE_SAMPLES, SoundCodec, SynthState, analyse, synthesise


def _ambience(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(3)
    n = int(seconds * 12) * SLICE_SAMPLES
    time_s = np.arange(n) / 24_000
    noise = rng.standard_normal((n, 2)) * (0.03 + 0.02 * np.sin(2 * np.pi * 0.5 * time_s))[:, None] * [1.0, 0.5]
    tone = 0.05 * np.sin(2 * np.pi * 220 * time_s)
    return (noise + tone[:, None]).astype(np.float32)


def _played(features: np.ndarray) -> np.ndarray:
    state, rng, slices = SynthState.silent(), np.random.default_rng(0), []
    for row in features:
        part, state = synthesise(row, state, rng)
        slices.append(part)
    return np.concatenate(slices)


def test_sound_comes_back_as_loud_as_panned_and_as_pitched() -> None:
    sound = _ambience(3)
    again = _played(analyse(sound))
    before, after = (20 * np.log10(np.sqrt((s[6000:] ** 2).mean(0))) for s in (sound, again))
    np.testing.assert_allclose(after, before, atol=1.5)
    spectrum = np.abs(np.fft.rfft(again[6000:-6000].mean(1) * np.hanning(len(again) - 12_000)))
    assert np.argmax(spectrum) * 24_000 / (len(again) - 12_000) == pytest.approx(220, abs=2)


def test_slices_join_without_a_click() -> None:
    """Where two slices meet the wave's second difference is no larger than inside them."""
    tone = np.zeros((48 * SLICE_SAMPLES, 2), np.float32)
    tone += (0.2 * np.sin(2 * np.pi * 220 * np.arange(len(tone)) / 24_000))[:, None].astype(np.float32)
    features = analyse(tone)
    features[:, : sound_codec.SUBFRAMES * sound_codec.BANDS] = sound_codec.FLOOR_DB  # the tones alone
    again = _played(features)[:, 0]
    bend = np.abs(np.diff(again, 2))
    seams = np.arange(5, 40) * SLICE_SAMPLES
    at_seams = np.max([bend[seams + k] for k in (-2, -1, 0)])
    assert at_seams < 1.1 * np.percentile(bend, 99.9)


def test_a_whistle_keeps_its_pitch() -> None:
    time_s = np.arange(24 * SLICE_SAMPLES) / 24_000
    chirp = 0.1 * np.sin(2 * np.pi * 3200 * time_s)
    again = _played(analyse(np.stack([chirp, chirp], 1).astype(np.float32)))[12_000:36_000, 0]
    peak = np.argmax(np.abs(np.fft.rfft(again * np.hanning(len(again))))) * 24_000 / len(again)
    assert peak == pytest.approx(3200, abs=12)


def test_silence_stays_silent() -> None:
    assert np.abs(_played(analyse(np.zeros((12 * SLICE_SAMPLES, 2), np.float32)))).max() < 1e-4


def test_features_come_back_from_their_latents() -> None:
    features = torch.from_numpy(analyse(_ambience(20)))
    codec = SoundCodec(2, 96)
    codec.fit(features)
    assert (codec.decode(codec.encode(features)) - features).abs().max() < 0.05


def test_what_swells_is_levelled_and_what_stays_is_not() -> None:
    """A surf that rises and falls by 9 dB, and a rain as loud on average as it is at any time."""
    n = 120 * SLICE_SAMPLES
    noise = np.random.default_rng(5).standard_normal((n, 2)) * 0.03
    swell = 10 ** (4.5 * np.sin(2 * np.pi * np.arange(n) / (48 * SLICE_SAMPLES)) / 20)

    def levels(sound: np.ndarray) -> np.ndarray:
        rows = sound[24 * SLICE_SAMPLES :].reshape(-1, SLICE_SAMPLES * 2)
        return 10 * np.log10(np.square(rows).mean(1))

    surf, rain = (_played(analyse((noise * gain).astype(np.float32))) for gain in (swell[:, None], 1.0))
    assert np.ptp(levels(surf)) < 0.75 * np.ptp(levels(noise * swell[:, None]))
    assert levels(rain).mean() == pytest.approx(levels(noise).mean(), abs=0.7)
