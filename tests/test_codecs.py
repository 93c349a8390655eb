"""The codecs keep what they were fitted to keep, and sound on without a seam."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model import sound_codec
from model.picture_codec import PictureCodec
from model.sound_codec import SLICE_SAMPLES, SoundCodec, SynthState, analyse, synthesise


def _pictures(count: int, seed: int, finer: int = 1) -> torch.Tensor:
    """Smooth pictures uint8 (count, 90, 160, 3): few waves each, so that a linear codec can keep them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:90, :160] / 160 * finer
    waves = [np.sin(6.28 * (fx * x + fy * y)) for fx in (1, 2, 3) for fy in (0, 1, 2)]
    made = np.tensordot(rng.normal(0, 18, (count, 3, 9)), np.stack(waves), 1)
    return torch.from_numpy((made.transpose(0, 2, 3, 1) + 128).clip(0, 255).astype(np.uint8))


def _fitted() -> PictureCodec:
    codec = PictureCodec(90, 160, 5, 8, 32, 2)
    codec.fit(_pictures(300, 0))
    return codec


def test_pictures_of_the_fitted_kind_come_back() -> None:
    codec, held_out = _fitted(), _pictures(20, 1)
    x = held_out.permute(0, 3, 1, 2).float() / 127.5 - 1
    error = (codec.decode(codec.encode(x)) - x).pow(2).mean()
    assert 10 * np.log10(4 / error.item()) > 36


def test_latents_are_of_unit_variance_over_all_channels() -> None:
    codec = _fitted()
    latents = codec.encode(_pictures(300, 0).permute(0, 3, 1, 2).float() / 127.5 - 1)
    for level in (latents[:, :2], latents[:, 2:]):
        assert level.flatten(0, 1).std(0).pow(2).mean().sqrt() == pytest.approx(1, abs=0.15)


def test_the_picture_decoder_is_linear() -> None:
    """Nothing is drawn that was not asked for: twice the latents' difference, twice the pictures'."""
    codec = _fitted()
    a, b = torch.randn(2, 1, codec.tokens, 32)
    middle = codec.decode((a + b) / 2)
    torch.testing.assert_close(middle, (codec.decode(a) + codec.decode(b)) / 2, atol=1e-4, rtol=1e-4)


def test_borders_between_patches_are_soft() -> None:
    """Whatever a network puts into the latents; patches simply set side by side differ 6 times more at borders."""
    codec = PictureCodec(90, 160, 5, 8, 32, 2, thumb_height=4, thumb_width=6)
    codec.fit(_pictures(300, 0, finer=3))
    torch.manual_seed(0)
    latents = torch.randn(8, codec.tokens, 32)
    latents[:, : codec.thumb_tokens] = 0
    picture = codec.decode(latents)
    step = (picture[..., 1:] - picture[..., :-1]).abs().mean((0, 1, 2))  # between columns
    border = step[19::20][:7]
    inside = step.view(-1)[[i for i in range(159) if i % 20 != 19]]
    assert border.max() < 3 * inside.mean()


def test_a_reduced_codec_shows_the_same_picture_smaller() -> None:
    codec = PictureCodec(270, 480, 5, 8, 24, 2)
    large = torch.nn.functional.interpolate(_pictures(60, 0).permute(0, 3, 1, 2).float(), (270, 480), mode="bilinear")
    codec.fit(large.permute(0, 2, 3, 1).to(torch.uint8))
    latents = codec.encode(large[:4] / 127.5 - 1)
    small = codec.reduced(3)
    shown = torch.nn.functional.avg_pool2d(codec.decode(latents), 3)
    torch.testing.assert_close(small.decode(latents), shown, atol=0.05, rtol=0)
    torch.testing.assert_close(small.decode(small.encode(shown)), shown, atol=0.05, rtol=0)


def test_a_picture_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        PictureCodec(100, 160, 7, 8, 32, 2)


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
