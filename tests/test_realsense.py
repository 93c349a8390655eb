"""The kind `realsense`: a recording made by the SDK, played through its real pipeline."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from clips import depth_pattern, write_depth_recording

from drivers.base import Depth, DeviceLost, MonotonicClock, NotReady
from drivers.realsense import RealSense, RealSenseConfig

FRAMES = 20


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("realsense") / "depth.db3"
    write_depth_recording(path, FRAMES)
    return path


def read_to_the_end(camera: RealSense) -> list[Depth]:
    pictures = []
    with pytest.raises(DeviceLost, match=r"realsense\.recording: .*depth\.db3 has ended"):
        for _ in range(10 * FRAMES):
            try:
                pictures.append(camera.read())
            except NotReady:
                continue
    return pictures


def test_recorded_depth_comes_back_bit_exact(recording: Path) -> None:
    camera = RealSense(RealSenseConfig(recording=recording, loop=False, timeout_ms=300), MonotonicClock())
    camera.open()
    pictures = read_to_the_end(camera)
    camera.close()
    assert len(pictures) >= FRAMES // 2  # the pipeline keeps the newest: a slow machine may miss some
    patterns = [depth_pattern(index) for index in range(FRAMES)]
    seen = []
    for picture in pictures:
        assert picture.rgb is None
        matches = [
            index
            for index, pattern in enumerate(patterns)
            if np.array_equal(picture.depth_m, pattern * np.float32(0.001))
        ]
        assert len(matches) == 1, "a picture that was not recorded"
        seen += matches
    assert seen == sorted(set(seen))


def test_a_recording_that_loops_starts_again(recording: Path) -> None:
    camera = RealSense(RealSenseConfig(recording=recording, loop=True, timeout_ms=200), MonotonicClock())
    camera.open()
    blocks_at = []
    for _ in range(12 * FRAMES):
        try:
            picture = camera.read()
        except NotReady:
            continue
        blocks_at.append(int(np.argmax(picture.depth_m[60] < 0.9)))
        if len(blocks_at) > 2 and blocks_at[-1] < blocks_at[-2]:
            break
    camera.close()
    assert blocks_at[-1] < blocks_at[-2]


def test_filters_run_and_fill_the_hole(recording: Path) -> None:
    camera = RealSense(RealSenseConfig(recording=recording), MonotonicClock())
    camera.open()
    assert float(camera.read().depth_m.min()) == 0.0
    camera.close()
    options = RealSenseConfig(recording=recording, decimation=True, spatial=True, temporal=True, hole_filling=True)
    camera = RealSense(options, MonotonicClock())
    camera.open()
    picture = camera.read()
    camera.close()
    assert picture.depth_m.shape == (60, 80)
    assert picture.depth_m.dtype == np.float32
    assert 0.55 < float(picture.depth_m.min())
    assert float(picture.depth_m.max()) < 1.2


def test_depth_is_aligned_to_colour(tmp_path: Path) -> None:
    path = tmp_path / "both.db3"
    write_depth_recording(path, FRAMES, colour_size=(320, 240))
    camera = RealSense(RealSenseConfig(recording=path), MonotonicClock())
    camera.open()
    pictures = [camera.read() for _ in range(3)]
    camera.close()
    for picture in pictures:
        assert picture.rgb is not None
        assert picture.rgb.shape == (240, 320, 3) and picture.rgb.dtype == np.uint8
        assert picture.depth_m.shape == (240, 320)
        block, near = picture.rgb[..., 1] > 100, (picture.depth_m > 0.1) & (picture.depth_m < 0.9)
        assert block.any()
        assert (block & near).sum() > 0.9 * max(block.sum(), near.sum())

    camera = RealSense(RealSenseConfig(recording=path, colour=False), MonotonicClock())
    camera.open()
    plain = camera.read()
    camera.close()
    assert plain.rgb is None and plain.depth_m.shape == (120, 160)


def test_no_camera_is_told_at_once() -> None:
    camera = RealSense(RealSenseConfig(serial="000000000000"), MonotonicClock())
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match=r"realsense\.serial: (no RealSense found|000000000000 not found)"):
        camera.open()
    assert time.monotonic() - began_s < 3.0  # starting a pipeline without asking first takes 15 s
    camera.close()


def test_an_unreadable_recording_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db3"
    broken.write_text("no recording")
    for path, reason in ((broken, "cannot play"), (tmp_path / "missing.db3", "no such file")):
        camera = RealSense(RealSenseConfig(recording=path), MonotonicClock())
        with pytest.raises(DeviceLost, match=f"realsense\\.recording: .*{path.name}.*") as lost:
            camera.open()
        assert reason in str(lost.value)
