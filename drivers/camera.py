"""Colour cameras through OpenCV: a V4L2 device, a network stream, or a clip played in real time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, DriverConfig, Picture

# A clip that names no frame rate is played at this: the number is arbitrary, film's own.
UNNAMED_CLIP_FPS = 24.0


class CameraConfig(DriverConfig):
    """Options of the kind `camera`."""

    device: int | str = Field(
        default=0,
        description="index, stable path (/dev/v4l/by-id/...), path of a clip, or an rtsp:// or http:// address",
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
    rotation_degrees: Literal[0, 90, 180, 270] = Field(
        default=0, description="clockwise, as the picture is to be turned"
    )
    open_timeout_ms: int = Field(default=3000, ge=100, description="for network streams")
    read_timeout_ms: int = Field(default=2000, ge=100, description="for network streams")


class Camera:
    """A source of Picture, RGB, at the size the device gives, turned by `rotation_degrees`."""

    def __init__(self, config: CameraConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._capture: Any = None  # cv2.VideoCapture
        self._clip_fps = 0.0  # 0: a live device, which paces itself
        self._clip_start_ns = 0
        self._clip_frames = 0

    def open(self) -> None:
        """Raises DeviceLost, naming `camera.device`, when it cannot be opened."""
        self.close()
        self._capture = self._start_capture()
        if self._is_clip():
            import cv2

            own_fps = float(self._capture.get(cv2.CAP_PROP_FPS))
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
        taken, bgr = self._capture.read()
        if not taken:
            bgr = self._begin_clip_again()
        self._clip_frames += 1
        return Picture(rgb=self._upright_rgb(bgr), captured_ns=self._clock.now_ns())

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _is_clip(self) -> bool:
        device = str(self._config.device)
        return not (device.isdecimal() or "://" in device or device.startswith("/dev/"))

    def _start_capture(self) -> Any:
        import cv2

        device = str(self._config.device)
        if self._is_clip():
            if not Path(device).is_file():
                raise DeviceLost(f"camera.device: cannot open {device}: no such file")
            # One decoding thread: a clip stands in for a camera and must not cost the world its cores.
            capture = cv2.VideoCapture(device, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        elif "://" in device:
            timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, self._config.open_timeout_ms]
            timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, self._config.read_timeout_ms]
            capture = cv2.VideoCapture(device, cv2.CAP_FFMPEG, timeouts)
        else:
            capture = self._start_live_capture(device)
        if not capture.isOpened():
            capture.release()
            raise DeviceLost(f"camera.device: cannot open {device}: no camera, or not a picture OpenCV can read")
        return capture

    def _start_live_capture(self, device: str) -> Any:
        import cv2

        if device.startswith("/dev/") and not Path(device).exists():
            raise DeviceLost(f"camera.device: cannot open {device}: no such device")
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

    def _upright_rgb(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        import cv2

        turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
        if self._config.rotation_degrees:
            bgr = cv2.rotate(bgr, turns[self._config.rotation_degrees])  # type: ignore[assignment]
        rgb: NDArray[np.uint8] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
        return rgb
