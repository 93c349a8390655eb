"""The kind `csi_camera`, by a GStreamer source that needs no camera: real pipelines, and how they fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import psutil
import pytest
from conftest import require

from drivers.base import DeviceLost, MonotonicClock, Picture
from drivers.csi_camera import PROGRAM, CsiCamera, CsiCameraConfig

BARS = "videotestsrc is-live=true pattern=smpte"


def camera(**options: Any) -> CsiCamera:
    return CsiCamera(CsiCameraConfig(**options), MonotonicClock())


def read(source: CsiCamera, count: int) -> list[Picture]:
    return [source.read() for _ in range(count)]


def test_pictures_come_in_their_colours_framed_and_at_their_rate() -> None:
    require(PROGRAM)
    source = camera(source=BARS, width=162, height=120, fps=30, privacy_masks=[[[0.0, 0.0], [0.2, 0.2]]])
    source.open()
    try:
        pictures = read(source, 12)
        rgb, hidden = pictures[-1].rgb, pictures[-1].hidden
        assert rgb.shape == (120, 162, 3) and hidden is not None and hidden[0, 0] and not hidden[-1, -1]
        assert (rgb[5, 5] == 0).all()
        bars = rgb[60, [34, 57, 80, 103, 126, 149]]  # yellow, cyan, green, magenta, red, blue
        wanted = np.array([[1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1]]) * 255
        assert np.abs(bars.astype(int) - wanted).max() < 8
        apart_s = np.diff([picture.captured_ns for picture in pictures[2:]]) / 1e9
        assert 0.02 < np.median(apart_s) < 0.08
    finally:
        source.close()
    with pytest.raises(DeviceLost, match=r"^csi_camera\.source: not open"):
        source.read()


def test_the_pipeline_ends_with_the_camera() -> None:
    require(PROGRAM)
    source = camera(source=BARS)
    before = set(psutil.Process().children(recursive=True))
    source.open()
    assert len(set(psutil.Process().children(recursive=True)) - before) == 1
    source.close()
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"source": "nosuchsrc"}, "GStreamer has no element nosuchsrc"),
        ({"source": "videotestsrc num-buffers=1"}, "the pipeline has ended"),
        ({"source": "v4l2src device=/dev/video77"}, "ERROR: .*Cannot identify device '/dev/video77'"),
        ({"source": "appsrc", "open_timeout_s": 0.3}, "no picture within 0.3 s"),
    ],
)
def test_what_fails_is_told_with_its_setting(options: dict[str, Any], why: str) -> None:
    require(PROGRAM)
    source = camera(**options)
    with pytest.raises(DeviceLost, match=rf"^csi_camera\.source: .*{why}"):
        source.open()
        read(source, 3)
    source.close()


def test_without_gstreamer_the_other_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DeviceLost, match=r'gst-launch-1\.0 is not installed .* by kind = "camera"'):
        camera().open()
