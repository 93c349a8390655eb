"""The kind `v4l2_output`: what is written is seen by a camera program; where there is no such device, that is told.

A kernel with v4l2loopback is needed for the former, named by its card_label in OYSTERD_V4L2_LABEL.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.base import DeviceLost, MonotonicClock
from drivers.v4l2_output import V4l2Output, V4l2OutputConfig, _packed, list_outputs
from oysterd.devices import list_devices

LABEL = os.environ.get("OYSTERD_V4L2_LABEL")
PICTURE = np.zeros((48, 64, 3), np.uint8)


def output(**options: object) -> V4l2Output:
    return V4l2Output(V4l2OutputConfig.model_validate(options), MonotonicClock())


@pytest.mark.skipif(LABEL is None, reason="no v4l2loopback: OYSTERD_V4L2_LABEL names none")
@pytest.mark.parametrize("pixel_format", ["YUYV", "YU12", "RGB3", "BGR3"])
def test_what_is_written_is_seen_by_a_camera_program(pixel_format: str) -> None:
    sink = output(device=LABEL, pixel_format=pixel_format)
    sink.open()
    half = np.zeros((120, 160, 3), np.uint8)
    half[:, :80], half[:, 80:] = (200, 40, 30), (20, 60, 210)
    sink.write(half)
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.wait(0.03):
            sink.write(half, np.full_like(half, 100), 0.5)

    writer, capture = threading.Thread(target=go_on), cv2.VideoCapture()
    writer.start()
    try:
        capture.open(sink._found(), cv2.CAP_V4L2)
        for _ in range(3):  # the first is older than the mixing
            taken, bgr = capture.read()
    finally:
        is_over.set()
        writer.join()
        capture.release()
        sink.close()
    assert taken and bgr.shape == (120, 160, 3)
    expected = half // 2 + np.uint8(50)
    assert np.abs(bgr[..., ::-1].astype(int) - expected)[:, [20, 140]].max() <= 6


def test_the_first_output_is_not_there_and_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.v4l2_output.list_outputs", list)
    with pytest.raises(DeviceLost, match=r"^v4l2_output\.device: no output at all; .* is v4l2loopback loaded\?"):
        output().open()
    with pytest.raises(DeviceLost, match=r"^v4l2_output\.device: no output room; "):
        output(device="room").open()


def test_a_path_that_is_no_device_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match=r"^v4l2_output\.device: .*/none can't be opened: No such file"):
        output(device=str(tmp_path / "none")).open()
    (tmp_path / "file").touch()
    sink = output(device=str(tmp_path / "file"))
    with pytest.raises(DeviceLost, match=r"^v4l2_output\.device: not open"):
        sink.write(PICTURE)
    sink.open()
    with pytest.raises(DeviceLost, match=r"^v4l2_output\.pixel_format: .*/file refuses YUYV of 64×48: Inappropriate"):
        sink.write(PICTURE)
    sink.close()
    sink.close()


def test_files_that_are_no_devices_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    assert list_outputs(tmp_path) == []
    assert "# V4L2 outputs: none found" in list_devices(tmp_path)


@pytest.mark.parametrize(
    ("pixel_format", "back"),
    [("YUYV", cv2.COLOR_YUV2RGB_YUYV), ("YU12", cv2.COLOR_YUV2RGB_I420), ("BGR3", cv2.COLOR_BGR2RGB)],
)
def test_colours_survive_each_format(pixel_format: str, back: int) -> None:
    colour = np.empty((48, 64, 3), np.uint8)
    colour[:] = (180, 90, 30)
    packed = _packed(colour, pixel_format)
    bits = {"YUYV": 16, "YU12": 12, "BGR3": 24}[pixel_format]
    assert packed.nbytes == 48 * 64 * bits // 8
    assert np.abs(cv2.cvtColor(packed, back).astype(int) - colour).max() <= 3
