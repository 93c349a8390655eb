"""Privacy masks, rotation and crop: what is masked is gone whichever way the camera hangs, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import write_clip
from hand_clock import HandClock
from numpy.typing import NDArray
from pydantic import ValidationError

from drivers.camera import Camera, CameraConfig
from drivers.framing import Framing, FramingConfig

HEIGHT, WIDTH = 48, 64


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(1, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def framing(**options: Any) -> Framing:
    return Framing(FramingConfig.model_validate(options))


def upright(picture: NDArray[Any], degrees: int) -> NDArray[Any]:
    return np.rot90(picture, -degrees // 90)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_rectangle_is_blanked_where_it_lies_in_the_upright_picture(picture: NDArray[np.uint8], degrees: int) -> None:
    frame = framing(rotation_degrees=degrees, privacy_masks=[[[0.0, 0.0], [0.25, 0.5]], [[1.0, 1.0], [0.9, 0.9]]])
    original = picture.copy()
    seen = frame.apply(picture)
    expected = upright(original, degrees).copy()
    height, width = expected.shape[:2]
    expected[: height // 2, : width // 4] = 0
    expected[int(0.9 * height) :, int(0.9 * width) :] = 0
    np.testing.assert_array_equal(seen, expected)
    assert frame.hidden is not None
    np.testing.assert_array_equal(frame.hidden, (expected == 0).all(axis=-1))
    np.testing.assert_array_equal(picture, original)  # the camera's own picture is its own


def test_a_polygon_is_blanked_in_every_pixel_that_it_touches(picture: NDArray[np.uint8]) -> None:
    frame = framing(privacy_masks=[[[0.2, 0.2], [0.7, 0.3], [0.4, 0.8]]])
    seen = frame.apply(picture)
    # Ten by ten points in each pixel, each inside the triangle or not.
    y, x = (np.mgrid[: HEIGHT * 10, : WIDTH * 10] + 0.5) / np.array([HEIGHT * 10, WIDTH * 10])[:, None, None]
    corners = [(0.2, 0.2), (0.7, 0.3), (0.4, 0.8)]
    is_inside = np.ones(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        is_inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    touched = is_inside.reshape(HEIGHT, 10, WIDTH, 10).any(axis=(1, 3))
    is_blank = (seen == 0).all(axis=-1)
    assert is_blank[touched].all()
    assert touched.sum() < is_blank.sum() < 1.35 * touched.sum()  # a pixel's breadth around it at the most
    np.testing.assert_array_equal(seen[~is_blank], picture[~is_blank])


def test_a_crop_is_of_the_turned_picture_and_takes_the_mask_along(picture: NDArray[np.uint8]) -> None:
    frame = framing(rotation_degrees=90, crop=[[0.75, 0.5], [0.25, 0.0]], privacy_masks=[[[0.0, 0.0], [0.5, 1.0]]])
    seen = frame.apply(picture)
    turned = upright(picture, 90)
    assert seen.shape == (32, 24, 3) and seen.flags["C_CONTIGUOUS"]
    assert not seen[:, :12].any()
    np.testing.assert_array_equal(seen[:, 12:], turned[:32, 24:36])
    assert frame.hidden is not None and frame.hidden.shape == (32, 24)
    assert frame.hidden[:, :12].all() and not frame.hidden[:, 12:].any()


def test_depth_is_framed_alike_and_unknown_where_it_is_masked() -> None:
    depth_m = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    seen = framing(rotation_degrees=180, privacy_masks=[[[0.0, 0.0], [1.0, 0.5]]]).apply(depth_m)
    assert seen.dtype == np.float32
    assert not seen[:24].any() and (seen[24:] == 2.5).all()


def test_without_a_mask_nothing_is_hidden(picture: NDArray[np.uint8]) -> None:
    frame = framing()
    np.testing.assert_array_equal(frame.apply(picture), picture)
    assert frame.hidden is None


def test_what_a_camera_masks_is_in_none_of_its_pictures(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", 4)
    options = {"device": str(tmp_path / "clip.mp4"), "privacy_masks": [[[0.0, 0.0], [0.5, 0.5]]]}
    camera = Camera(CameraConfig.model_validate(options), HandClock())
    camera.open()
    for _ in range(4):
        picture = camera.read()
        assert not picture.rgb[:24, :32].any()  # the clip's red quarter
        assert picture.rgb[24:].min() > 0 and picture.rgb[:, 32:].min() > 0
        assert picture.hidden is not None and picture.hidden[:24, :32].all() and picture.hidden.mean() == 0.25
    camera.close()


@pytest.mark.parametrize(
    "options",
    [
        {"privacy_masks": [[[0.1, 0.1]]]},
        {"privacy_masks": [[[0.1, 1.1], [0.2, 0.2]]]},
        {"crop": [[0.1, 0.1], [0.1, 0.9]]},
        {"crop": [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]},
    ],
)
def test_areas_that_are_none_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FramingConfig.model_validate(options)
