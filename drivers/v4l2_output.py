"""Pictures into a V4L2 output, such as v4l2loopback makes: other programs see the room there as a camera."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, DriverConfig

DEV, CLASS = Path("/dev"), Path("/sys/class/video4linux")

# From Linux's include/uapi/linux/videodev2.h. struct v4l2_format is a type and a union, which holds pointers and so is
# laid out by them; of its 200 bytes struct v4l2_pix_format takes the first.
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_FORMAT = struct.Struct("=I4x8I" if struct.calcsize("P") == 8 else "=I8I")
_FORMAT_BYTES = 204 if struct.calcsize("P") == 4 else 208
_VIDEO_OUTPUT, _FIELD_NONE, _COLORSPACE_SRGB = 2, 1, 8
_CAP_VIDEO_OUTPUT, _CAP_READWRITE, _CAP_DEVICE_CAPS = 0x2, 0x0100_0000, 0x8000_0000


def _request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("V") << 8 | number  # _IOC of asm-generic/ioctl.h


_QUERYCAP, _S_FMT = _request(2, 0, _CAPABILITY.size), _request(3, 5, _FORMAT_BYTES)

# Bytes of a pixel, in eighths, and of which number both sides must be a multiple.
_FORMATS = {"YUYV": (16, 2), "YU12": (12, 2), "RGB3": (24, 1), "BGR3": (24, 1)}


class V4l2OutputConfig(DriverConfig):
    """Options of the kind `v4l2_output`."""

    device: str | None = Field(
        default=None, description="/dev/videoN, or the name it was given (card_label); the first output if unset"
    )
    width: int | None = Field(default=None, ge=16, le=8192, multiple_of=2, description="pixels; the world's if unset")
    height: int | None = Field(default=None, ge=16, le=8192, multiple_of=2)
    pixel_format: Literal["YUYV", "YU12", "RGB3", "BGR3"] = Field(
        default="YUYV", description="V4L2's code; YUYV is what every program reads"
    )
    rate_hz: float = Field(default=30.0, ge=1, le=240, description="pictures a second, mixed between the world's")


class Output(NamedTuple):
    """A V4L2 device that takes pictures."""

    path: str
    name: str


class V4l2Output:
    """A sink of uint8 (H, W, 3) pictures, like a window: format and size are agreed on at the first write."""

    def __init__(self, config: V4l2OutputConfig, clock: Clock) -> None:
        del clock  # who writes keeps the time
        self._config = config
        self._path = ""
        self._file: int | None = None
        self._given: tuple[int, int] | None = None  # height and width of what is written
        self._agreed: tuple[str, int, int] = ("", 0, 0)  # what the device takes: pixel format, width, height

    @property
    def refresh_hz(self) -> float:
        return self._config.rate_hz

    @property
    def pattern(self) -> None:
        """It shows no patterns."""
        return None

    def open(self) -> None:
        """Raises DeviceLost, naming `v4l2_output.device`, where there is none that takes pictures."""
        self.close()
        self._path = self._found()
        try:
            self._file = os.open(self._path, os.O_RDWR)
        except OSError as error:
            raise DeviceLost(f"v4l2_output.device: {self._path} can't be opened: {error.strerror}") from error

    def write(self, rgb: NDArray[np.uint8], /, next_rgb: NDArray[np.uint8] | None = None, mix: float = 0.0) -> None:
        """Give the device uint8 (H, W, 3), mixed with `next_rgb` by `mix` (0..1), scaled to its size.

        Raises DeviceLost, naming the setting, where they can't agree on a format or the device is gone.
        """
        if self._file is None:
            raise DeviceLost("v4l2_output.device: not open")
        import cv2

        if self._given != rgb.shape[:2]:
            self._agree(*rgb.shape[:2])
        if next_rgb is not None and mix > 0.0:
            rgb = np.asarray(cv2.addWeighted(rgb, 1.0 - mix, next_rgb, mix, 0.0), np.uint8)
        pixel_format, width, height = self._agreed
        if rgb.shape[:2] != (height, width):
            rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        try:
            os.write(self._file, _packed(rgb, pixel_format))
        except OSError as error:
            raise DeviceLost(f"v4l2_output.device: {self._path} takes nothing: {error.strerror}") from error

    def close(self) -> None:
        file, self._file, self._given = self._file, None, None
        if file is not None:
            os.close(file)

    def _found(self) -> str:
        wanted = self._config.device
        if wanted is not None and wanted.startswith("/"):
            return wanted
        # By its name alone, for while a program reads a loopback it may say that it is a camera and no output.
        named = [path for path in _nodes(DEV) if wanted is not None and _label(path, CLASS) == wanted]
        if named:
            return str(named[0])
        found = list_outputs()
        if found and wanted is None:
            return found[0].path
        known = ", ".join(f"{output.name} ({output.path})" for output in found) or "none: is v4l2loopback loaded?"
        raise DeviceLost(f"v4l2_output.device: no output {wanted or 'at all'}; there are {known}")

    def _agree(self, height: int, width: int) -> None:
        """Ask for a format; the device answers with the nearest that it takes, and that is what it is given."""
        assert self._file is not None
        given_size, asked = (height, width), self._config.pixel_format
        width, height = self._config.width or width - width % 2, self._config.height or height - height % 2
        bits, _ = _FORMATS[asked]
        row = width * (8 if asked == "YU12" else bits) // 8
        size = width * height * bits // 8
        code = int.from_bytes(asked.encode(), "little")
        answer = bytearray(_FORMAT_BYTES)
        _FORMAT.pack_into(answer, 0, _VIDEO_OUTPUT, width, height, code, _FIELD_NONE, row, size, _COLORSPACE_SRGB, 0)
        try:
            fcntl.ioctl(self._file, _S_FMT, answer)
        except OSError as error:
            why = f"{self._path} refuses {asked} of {width}×{height}: {error.strerror}"
            raise DeviceLost(f"v4l2_output.pixel_format: {why}") from error
        _, width, height, code, _, row, size, *_ = _FORMAT.unpack_from(answer)
        given = code.to_bytes(4, "little").decode(errors="replace")
        bits, multiple = _FORMATS.get(given, (0, 1))
        # Whole pages are asked for, of which we fill the beginning; rows with a rest no loopback has.
        needed, packed_row = width * height * bits // 8, width * (8 if given == "YU12" else bits) // 8
        if not bits or width % multiple or height % multiple or size < needed or row != packed_row:
            known = ", ".join(_FORMATS)
            why = f"{self._path} wants {given} of {width}×{height}, {row} bytes a row; known are {known}"
            raise DeviceLost(f"v4l2_output.pixel_format: {why}")
        self._agreed, self._given = (given, width, height), given_size


def list_outputs(devices: Path = DEV, classes: Path = CLASS) -> list[Output]:
    """The V4L2 devices of this machine that take pictures by writing, by their numbers."""
    found = []
    for path in _nodes(devices):
        answer = bytearray(_CAPABILITY.size)
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            continue  # it can't be used, by us at least
        try:
            fcntl.ioctl(file, _QUERYCAP, answer)
        except OSError:
            continue
        finally:
            os.close(file)
        _, card, _, _, whole, own = _CAPABILITY.unpack(answer)
        able = own if whole & _CAP_DEVICE_CAPS else whole
        if able & _CAP_VIDEO_OUTPUT and able & _CAP_READWRITE:
            name = _label(path, classes) or card.split(b"\0")[0].decode(errors="replace")
            found.append(Output(str(path), name))
    return found


def _nodes(devices: Path) -> list[Path]:
    return sorted(devices.glob("video*"), key=lambda path: (len(path.name), path.name))


def _label(path: Path, classes: Path) -> str:
    """The name a device was given; empty where the kernel tells none."""
    label = classes / path.name / "name"
    return label.read_text().strip() if label.exists() else ""


def _packed(rgb: NDArray[np.uint8], pixel_format: str) -> Any:
    """The bytes of uint8 (H, W, 3) in a V4L2 format; of YUV in BT.601's limited range, as cameras have it."""
    import cv2

    if pixel_format == "RGB3":
        return np.ascontiguousarray(rgb)
    codes = {"YUYV": cv2.COLOR_RGB2YUV_YUYV, "YU12": cv2.COLOR_RGB2YUV_I420, "BGR3": cv2.COLOR_RGB2BGR}
    return cv2.cvtColor(np.ascontiguousarray(rgb), codes[pixel_format])
