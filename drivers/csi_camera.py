"""Cameras on a board's own connector (CSI), through GStreamer, which has an element for each maker's: their pictures
are read from a pipe of `gst-launch-1.0`, for OpenCV as pip has it is built without GStreamer."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, Picture
from drivers.framing import Framing, FramingConfig

PROGRAM = "gst-launch-1.0"
# A picture that was not waited for by more than this had been waiting for us, half in the pipe.
WAITED_S = 0.002


class CsiCameraConfig(FramingConfig):
    """Options of the kind `csi_camera`."""

    source: str = Field(
        default="libcamerasrc",
        min_length=1,
        description="GStreamer elements that give pictures: libcamerasrc camera-name=…, "
        "nvarguscamerasrc sensor-id=0 ! nvvidconv, v4l2src device=/dev/video0",
    )
    width: int = Field(default=640, ge=16, le=8192, multiple_of=2, description="pixels")
    height: int = Field(default=480, ge=16, le=8192, multiple_of=2, description="pixels")
    fps: int = Field(default=30, ge=1, le=240)
    open_timeout_s: float = Field(default=5.0, gt=0, le=60, description="until the first picture is there")
    read_timeout_s: float = Field(default=1.0, gt=0, le=60)

    @property
    def open_patience_s(self) -> float:
        return self.open_timeout_s

    @property
    def read_patience_s(self) -> float:
        return self.read_timeout_s


class CsiCamera:
    """A source of Picture, RGB, of `width`×`height` before it is masked, turned and cropped; the newest there is."""

    def __init__(self, config: CsiCameraConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._framing = Framing(config)
        self._process: subprocess.Popen[bytes] | None = None
        self._said = -1  # a file in memory of what the program says of errors
        self._begun: bytearray | None = None  # the first picture's first byte, which `open` waited for

    def open(self) -> None:
        """Raises DeviceLost, naming `csi_camera.source`, when GStreamer is not there, or can't give its pictures."""
        self.close()
        program = shutil.which(PROGRAM)
        if program is None:
            raise DeviceLost(
                f"csi_camera.source: {PROGRAM} is not installed (Debian package gstreamer1.0-tools); "
                'a sensor that has a /dev/video of its own can be read by kind = "camera" without it'
            )
        # With the death of this process, however it dies, the program's ends too: it would keep the camera.
        guard = shutil.which("setpriv")
        prefix = [guard, "--pdeathsig", "KILL"] if guard is not None else []
        self._said = os.memfd_create(PROGRAM)
        self._process = subprocess.Popen(
            [*prefix, program, "--quiet", *shlex.split(self._pipeline())],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._said,
        )  # fmt: skip
        try:
            self._begun = self._bytes(1, self._config.open_timeout_s)
        except DeviceLost:
            self.close()
            raise

    def read(self) -> Picture:
        """Block for the next picture. Raises DeviceLost when none comes in time, or the pipeline has ended."""
        if self._process is None:
            raise DeviceLost("csi_camera.source: not open")
        began_ns = self._clock.now_ns()
        bgr = self._picture()
        if self._clock.now_ns() - began_ns < WAITED_S * 1e9:
            bgr = self._picture()
        captured_ns = self._clock.now_ns()
        # Framed first: nothing else ever sees what a privacy mask covers.
        seen = self._framing.apply(bgr)
        return Picture(np.ascontiguousarray(seen[..., ::-1]), captured_ns, self._framing.hidden)

    def close(self) -> None:
        process, self._process, self._begun = self._process, None, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
            os.close(self._said)

    def _pipeline(self) -> str:
        config = self._config
        size = f"width={config.width},height={config.height}"
        return (
            f"{config.source} ! video/x-raw,{size},framerate={config.fps}/1 ! "
            # Of pictures that nobody took the newest waits, and no other.
            "queue max-size-buffers=1 leaky=downstream ! videoconvert ! videoscale ! "
            f"video/x-raw,format=BGR,{size} ! fdsink fd=1 sync=false"
        )

    def _picture(self) -> NDArray[np.uint8]:
        height, width = self._config.height, self._config.width
        row = (3 * width + 3) // 4 * 4  # GStreamer's rows begin at multiples of four bytes
        begun, self._begun = self._begun or bytearray(), None
        raw = begun + self._bytes(row * height - len(begun), self._config.read_timeout_s)
        return np.frombuffer(raw, np.uint8).reshape(height, row)[:, : 3 * width].reshape(height, width, 3)

    def _bytes(self, count: int, patience_s: float) -> bytearray:
        assert self._process is not None and self._process.stdout is not None
        pipe, taken = self._process.stdout.fileno(), bytearray()
        end_ns = self._clock.now_ns() + round(patience_s * 1e9)
        while len(taken) < count:
            left_s = (end_ns - self._clock.now_ns()) / 1e9
            if not select.select([pipe], [], [], max(left_s, 0.0))[0]:
                raise DeviceLost(f"csi_camera.source: {self._config.source}: no picture within {patience_s:g} s")
            part = os.read(pipe, count - len(taken))
            if not part:
                self._process.wait(1.0)
                raise DeviceLost(f"csi_camera.source: {self._config.source}: {self._why()}")
            taken += part
        return taken

    def _why(self) -> str:
        said = os.pread(self._said, 65_536, 0).decode(errors="replace")
        lacks = re.search(r'no element "([\w-]+)"', said)
        if lacks:
            return f"this machine's GStreamer has no element {lacks[1]} (libcamerasrc: package gstreamer1.0-libcamera)"
        lines = [line.strip() for line in said.splitlines() if "ERROR" in line or "WARNING" in line]
        return lines[0] if lines else "the pipeline has ended"
