"""Samples of textures, eight at once."""

from __future__ import annotations

import numpy as np
import torch

from model.field import SIZE, field_of
from model.raster.lanes import padded_of, samples
from model.raster.texture import inlined
from model.shading import Textures, sample

TEXTURES = Textures.of([field_of(1)], torch.device("cpu"))


@inlined
def _looked(texture, u, v, count, out):  # type: ignore[no-untyped-def]
    samples(texture, u, v, count, out)


def _places(count: int) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.random.default_rng(0).uniform(-700, 1500, (2, count)).astype(np.float32)
    return u, v


def test_samples_are_those_of_the_view_wherever_they_lie() -> None:
    u, v = _places(4000)
    out = np.zeros(4000, np.float32)
    _looked(padded_of(TEXTURES, "grain"), u, v, 4000, out)
    there = sample(TEXTURES.grain, 0, torch.from_numpy(u), torch.from_numpy(v)).numpy()
    right = np.floor(u).astype(int) % SIZE != SIZE - 1  # the last column's neighbour is another row's
    assert 0.99 < right.mean() and np.allclose(out[right], there[right], atol=1e-4)


def test_no_more_is_written_than_up_to_the_next_eight() -> None:
    u, v = _places(32)
    out = np.full(32, 7, np.float32)
    _looked(padded_of(TEXTURES, "bloom"), u, v, 11, out)
    assert (out[:16] != 7).all() and (out[16:] == 7).all()


def test_a_place_that_is_no_number_harms_nothing() -> None:
    u, v = np.full(8, np.nan, np.float32), np.full(8, 1e30, np.float32)
    out = np.zeros(8, np.float32)
    _looked(padded_of(TEXTURES, "grain"), u, v, 8, out)
    assert np.isnan(out).all()


def test_a_padded_texture_is_made_once() -> None:
    assert padded_of(TEXTURES, "lamp") is padded_of(TEXTURES, "lamp")
