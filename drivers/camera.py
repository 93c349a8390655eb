"""Colour cameras through OpenCV: a V4L2 device, a network stream, or a clip played in real time."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, Picture
from drivers.framing import Framing, FramingConfig

# A clip that names no frame rate is played at this: the number is arbitrary, film's own.
UNNAMED_CLIP_FPS = 24.0
# A picture of a stream that was not waited for by more than this had been waiting for us. Decoding does not count.
WAITED_S = 0.002
# Two seconds of a fast stream: more than that in a queue, and the stream is a recording that is sent at full speed.
MOST_SKIPPED = 120
# OpenCV waits ten for a V4L2 device that gives nothing; whole seconds are all it takes.
V4L2_READ_TIMEOUT_S = 2


class CameraConfig(FramingConfig):
    """Options of the kind `camera`."""

    device: int | str = Field(
        default=0,
        description="index, stable path (/dev/v4l/by-id/..., with * and ? for what varies: the first that is there), "
        "path of a clip, or an rtsp:// or http:// address",
    )
    width: int | None = Field(
        default=None, ge=16, le=8192, description="pixels asked of a device; clips keep their own"
    )
    height: int | None = Field(
        default=None, ge=16, le=8192, description="pixels asked of a device; clips keep their own"
    )
    fps: float | None = Field(
        default=None, gt=0, le=240, description="asked of a device; of a clip the pace, else its own"
    )
    loop: bool = Field(default=True, description="a clip starts again at its end; otherwise its end is a lost device")
    transport: Literal["tcp", "udp"] = Field(default="tcp", description="of rtsp:// streams; udp may lose parts")
    open_timeout_ms: int = Field(default=3000, ge=100, le=60_000, description="for network streams")
    read_timeout_ms: int = Field(default=1500, ge=100, le=60_000, description="for network streams")

    @property
    def open_patience_s(self) -> float:
        return self.open_timeout_ms / 1000 if "://" in str(self.device) else super().open_patience_s

    @property
    def read_patience_s(self) -> float:
        return self.read_timeout_ms / 1000 if "://" in str(self.device) else float(V4L2_READ_TIMEOUT_S)


class Camera:
    """A source of Picture, RGB, at the size the device gives: masked, turned and cropped as its framing asks.

    Of a network stream always the newest picture is read: those that came while nobody read are passed over.
    """

    def __init__(self, config: CameraConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._framing = Framing(config)
        self._capture: Any = None  # cv2.VideoCapture
        self._clip_fps = 0.0  # 0: a live device, which paces itself
        self._clip_start_ns = 0
        self._clip_frames = 0

    def open(self) -> None:
        """Raises DeviceLost, naming `camera.device`, when it cannot be opened."""
        self.close()
        self._capture = self._start_capture()
        if self._is_clip():
            own_fps = float(self._capture.get(_cv2().CAP_PROP_FPS))
            self._clip_fps = self._config.fps or (own_fps if own_fps > 0 else UNNAMED_CLIP_FPS)
            self._clip_start_ns = self._clock.now_ns()
            self._clip_frames = 0

    def read(self) -> Picture:
        """Block for the next picture; a clip is paced by the clock.

        Raises DeviceLost when the device stops giving pictures, which is also the end of a clip that is not looped.
        """
        if self._capture is None:
            raise DeviceLost("camera.device: not open")
        if self._is_clip():
            self._wait_for_clip_time()
        taken, bgr = self._newest_of_stream() if self._is_stream() else self._capture.read()
        captured_ns = self._clock.now_ns()
        if not taken:
            bgr = self._begin_clip_again()
            captured_ns = self._clock.now_ns()
        self._clip_frames += 1
        # Framed first: nothing else ever sees what a privacy mask covers.
        seen = self._framing.apply(bgr)
        rgb: NDArray[np.uint8] = _cv2().cvtColor(seen, _cv2().COLOR_BGR2RGB)
        return Picture(rgb, captured_ns, self._framing.hidden)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _is_clip(self) -> bool:
        device = str(self._config.device)
        return not (device.isdecimal() or self._is_stream() or device.startswith("/dev/"))

    def _is_stream(self) -> bool:
        return "://" in str(self._config.device)

    def _newest_of_stream(self) -> tuple[bool, Any]:
        """Take pictures until one had to be waited for: those before it had been waiting for us, and are the past."""
        for _ in range(MOST_SKIPPED):
            began_ns, worked_ns = self._clock.now_ns(), time.thread_time_ns()
            if not self._capture.grab():
                return False, None
            waited_ns = self._clock.now_ns() - began_ns - (time.thread_time_ns() - worked_ns)
            if waited_ns > WAITED_S * 1e9:
                break
        return self._capture.retrieve()  # type: ignore[no-any-return]

    def _start_capture(self) -> Any:
        cv2 = _cv2()
        device = str(self._config.device)
        if self._is_clip():
            if not Path(device).is_file():
                raise DeviceLost(f"camera.device: cannot open {device}: no such file")
            # One decoding thread: a clip stands in for a camera and must not cost the world its cores.
            capture = cv2.VideoCapture(device, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        elif self._is_stream():
            asked = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, self._config.open_timeout_ms]
            # Halved, for OpenCV waits twice before it gives a stream up: for a packet, then for the decoder's rest.
            asked += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, self._config.read_timeout_ms // 2]
            # Each further decoding thread holds back one more picture.
            asked += [cv2.CAP_PROP_N_THREADS, 1]
            # The rate, which FFmpeg would estimate from twenty pictures first, nobody asks for.
            options = f"rtsp_transport;{self._config.transport}|fflags;nobuffer|flags;low_delay|fpsprobesize;1"
            with _ffmpeg_options(options):
                capture = cv2.VideoCapture(device, cv2.CAP_FFMPEG, asked)
        else:
            capture = self._start_live_capture(device)
        if not capture.isOpened():
            capture.release()
            raise DeviceLost(f"camera.device: cannot open {device}: no camera, or not a picture OpenCV can read")
        return capture

    def _start_live_capture(self, device: str) -> Any:
        cv2 = _cv2()
        if device.startswith("/dev/"):
            device = found_device(device)
        capture = cv2.VideoCapture(int(device) if device.isdecimal() else device, cv2.CAP_V4L2)
        # Only the newest picture counts: a queue in the driver would show the visitor's past.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        asked = {
            cv2.CAP_PROP_FRAME_WIDTH: self._config.width,
            cv2.CAP_PROP_FRAME_HEIGHT: self._config.height,
            cv2.CAP_PROP_FPS: self._config.fps,
        }
        for setting, value in asked.items():
            if value is not None:
                capture.set(setting, value)
        return capture

    def _begin_clip_again(self) -> NDArray[np.uint8]:
        if not self._is_clip():
            raise DeviceLost(f"camera.device: {self._config.device} stopped giving pictures")
        if not self._config.loop:
            raise DeviceLost(f"camera.device: {self._config.device} has ended")
        # Opened anew rather than sought back: seeking to the first picture is not exact in every container.
        self._capture.release()
        self._capture = self._start_capture()
        taken, bgr = self._capture.read()
        if not taken:
            raise DeviceLost(f"camera.device: {self._config.device} holds no pictures")
        first: NDArray[np.uint8] = bgr
        return first

    def _wait_for_clip_time(self) -> None:
        period_s = 1.0 / self._clip_fps
        due_ns = self._clip_start_ns + round(self._clip_frames * period_s * 1e9)
        wait_s = (due_ns - self._clock.now_ns()) / 1e9
        if wait_s > 0:
            self._clock.sleep(wait_s)
        elif wait_s < -period_s:
            # Late by more than a picture: go on from here, never in a burst to catch up.
            self._clip_start_ns -= round(wait_s * 1e9)


def _cv2() -> ModuleType:
    # Read when OpenCV is first loaded.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(V4L2_READ_TIMEOUT_S))
    import cv2

    return cv2


@contextmanager
def _ffmpeg_options(options: str) -> Iterator[None]:
    """FFmpeg's options for a capture that is opened inside: OpenCV takes them from the environment alone.

    Those that are there already, somebody has chosen for this machine.
    """
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    if name in os.environ:
        yield
        return
    os.environ[name] = options
    try:
        yield
    finally:
        del os.environ[name]


def found_device(device: str) -> str:
    """The device that a path or a pattern names. Raises DeviceLost when there is none."""
    if Path(device).exists():
        return device
    matching = sorted(glob.glob(device))
    if not matching:
        raise DeviceLost(f"camera.device: cannot open {device}: no such device")
    return matching[0]
