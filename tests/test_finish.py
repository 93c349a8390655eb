"""A picture's last walk: into bytes, as large as a frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from model.raster.finish import to_deep, to_frame

PICTURE = np.random.default_rng(0).uniform(-0.1, 1.2, (40, 24 * 3)).astype(np.float32)  # columns, rows and channels
NONE = np.zeros(24 * 3, np.float32)


def _framed(picture: np.ndarray, added: np.ndarray, height: int, width: int) -> tuple[np.ndarray, bool]:
    out = np.zeros(height * width * 3, np.uint8)
    return out.reshape(height, width, 3), bool(to_frame(picture, added, width, out))


@pytest.mark.parametrize(("height", "width"), [(24, 40), (48, 80), (32, 53), (64, 107)])
def test_a_picture_is_enlarged_between_its_pixels(height: int, width: int) -> None:
    frame, finite = _framed(PICTURE, NONE, height, width)
    given = torch.from_numpy(PICTURE).view(40, 24, 3).permute(2, 1, 0)[None]
    wanted = F.interpolate(given, (height, width), mode="bilinear")[0].permute(1, 2, 0).clamp(0, 1) * 255
    assert finite and np.abs(frame - wanted.numpy()).max() <= 0.51


def test_what_is_added_to_rows_is_seen_in_all_columns() -> None:
    added = NONE.copy()
    added[3 * 5] = 0.25  # red of the sixth row
    frame, _ = _framed(np.full_like(PICTURE, 0.5), added, 24, 40)
    assert (frame[5, :, 0] == 191).all() and (frame[5, :, 1:] == 128).all() and (frame[4] == 128).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_found(value: float) -> None:
    picture = PICTURE.copy()
    picture[17, 31] = value
    assert not _framed(picture, NONE, 24, 40)[1] and not _framed(picture, NONE, 48, 80)[1]


def test_depth_is_the_nearest_pixels() -> None:
    depth = np.arange(12, dtype=np.float32).reshape(4, 3)
    out = np.zeros((6, 8), np.float32)
    to_deep(depth, 8, out)
    assert np.array_equal(out, depth.T.repeat(2, 0).repeat(2, 1))
