"""The kind `camera`: a clip written here, played through the real OpenCV."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from clips import CLIP_FPS, write_clip
from hand_clock import HandClock

from drivers.base import DeviceLost, Picture
from drivers.camera import Camera, CameraConfig, found_device

FRAMES = 8
CODEC_LEVELS = 6  # what limited-range H.264 at this quality loses


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    write_clip(path, FRAMES)
    return path


def grey_level(picture: Picture) -> float:
    """Of the lower half, which is grey in every frame of the clip."""
    return float(picture.rgb[picture.rgb.shape[0] // 2 + 4 :].mean())


def test_a_clip_gives_its_pictures_in_order_and_in_rgb(clip: Path) -> None:
    camera = Camera(CameraConfig(device=str(clip)), HandClock())
    camera.open()
    pictures = [camera.read() for _ in range(FRAMES)]
    camera.close()
    for index, picture in enumerate(pictures):
        assert picture.rgb.shape == (48, 64, 3) and picture.rgb.dtype == np.uint8
        assert grey_level(picture) == pytest.approx(20 + 10 * index, abs=CODEC_LEVELS)
        red, green, blue = picture.rgb[8:16, 8:24].mean(axis=(0, 1))
        assert red > 180 and green < 60 and blue < 60


def test_a_clip_is_paced_at_its_own_rate_or_the_rate_asked(clip: Path) -> None:
    for fps, period_s in ((None, 1 / CLIP_FPS), (10.0, 0.1)):
        clock = HandClock()
        camera = Camera(CameraConfig(device=str(clip), fps=fps), clock)
        camera.open()
        times_ns = [camera.read().captured_ns for _ in range(FRAMES)]
        camera.close()
        np.testing.assert_allclose(np.diff(times_ns) / 1e9, period_s, atol=1e-6)


def test_a_late_reader_gets_no_burst(clip: Path) -> None:
    clock = HandClock()
    camera = Camera(CameraConfig(device=str(clip)), clock)
    camera.open()
    camera.read()
    clock.advance(5.0)
    late_ns = camera.read().captured_ns
    next_ns = camera.read().captured_ns
    camera.close()
    assert (next_ns - late_ns) / 1e9 == pytest.approx(1 / CLIP_FPS, abs=1e-6)


def test_a_clip_that_loops_starts_again(clip: Path) -> None:
    camera = Camera(CameraConfig(device=str(clip), loop=True), HandClock())
    camera.open()
    levels = [grey_level(camera.read()) for _ in range(2 * FRAMES + 1)]
    camera.close()
    assert levels[FRAMES : 2 * FRAMES] == levels[:FRAMES]
    assert levels[2 * FRAMES] == levels[0]


def test_the_end_of_a_clip_that_does_not_loop_is_a_lost_device(clip: Path) -> None:
    camera = Camera(CameraConfig(device=str(clip), loop=False), HandClock())
    camera.open()
    for _ in range(FRAMES):
        camera.read()
    with pytest.raises(DeviceLost, match=r"camera\.device: .*clip\.mp4 has ended"):
        camera.read()
    camera.open()
    assert grey_level(camera.read()) == pytest.approx(20, abs=CODEC_LEVELS)
    camera.close()


@pytest.mark.parametrize(
    ("degrees", "shape", "red_rows_from", "red_columns_from"),
    [(0, (48, 64), 0, 0), (90, (64, 48), 0, 24), (180, (48, 64), 24, 32), (270, (64, 48), 32, 0)],
)
def test_rotation_is_clockwise(
    clip: Path, degrees: int, shape: tuple[int, int], red_rows_from: int, red_columns_from: int
) -> None:
    camera = Camera(CameraConfig.model_validate({"device": str(clip), "rotation_degrees": degrees}), HandClock())
    camera.open()
    rgb = camera.read().rgb
    camera.close()
    assert rgb.shape[:2] == shape
    is_red = rgb[..., 0] > 150
    rows, columns = np.nonzero(is_red)
    assert rows.min() == pytest.approx(red_rows_from, abs=1)
    assert columns.min() == pytest.approx(red_columns_from, abs=1)
    assert is_red.mean() == pytest.approx(0.25, abs=0.02)


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("this is no clip\n" * 100)
    for device, reason in (
        (str(text), "not a picture OpenCV can read"),
        (str(tmp_path / "missing.mp4"), "no such file"),
        ("/dev/v4l/by-id/no-such-camera", "no such device"),
    ):
        camera = Camera(CameraConfig(device=device), HandClock())
        with pytest.raises(DeviceLost, match=f"camera\\.device: cannot open {device}: .*{reason}"):
            camera.open()
        camera.close()


def test_a_pattern_stands_for_the_first_device_that_matches(tmp_path: Path) -> None:
    for name in ("usb-Eye_B2-video-index1", "usb-Eye_B2-video-index0", "usb-Other-video-index0"):
        (tmp_path / name).touch()
    assert found_device(str(tmp_path / "usb-Eye*-index?")) == str(tmp_path / "usb-Eye_B2-video-index0")
    assert found_device(str(tmp_path / "usb-Other-video-index0")) == str(tmp_path / "usb-Other-video-index0")
    with pytest.raises(DeviceLost, match="no such device"):
        found_device(str(tmp_path / "usb-Gone*"))


def test_a_stream_nobody_serves_fails_within_its_time_out() -> None:
    camera = Camera(CameraConfig(device="rtsp://127.0.0.1:9/none", open_timeout_ms=500), HandClock())
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match=r"camera\.device: cannot open rtsp"):
        camera.open()
    assert time.monotonic() - began_s < 3.0
