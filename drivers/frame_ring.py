"""Pictures for media servers in shared memory: a ring of the last few, whose layout docs/frame-ring.md sets out."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import UMASKS, Clock, DeviceLost, DriverConfig, ReadableBy

SHARED = Path("/dev/shm")
MAGIC, VERSION, PIXELS = b"OYSTERFR", 1, b"RGBA"
# magic, version, slots, width, height, bytes of a row, pixel format; then, by itself, the count of pictures.
HEADER = struct.Struct("<8sIIIII4s")
COUNT_AT = 32
# Header and slots each begin at a multiple of this, as do the pixels: a cache line, and what vector loads like.
ALIGNMENT = 64


class FrameRingConfig(DriverConfig):
    """Options of the kind `frame_ring`."""

    name: str = Field(default="oysterd-frames", pattern=r"^[A-Za-z0-9_.-]{1,100}$", description="under /dev/shm")
    slots: int = Field(default=4, ge=2, le=64, description="pictures kept; a reader has so long, less one, to read one")
    rate_hz: float = Field(default=30.0, ge=1, le=240, description="pictures a second, mixed between the world's")
    readable_by: ReadableBy = Field(default="all", description="who on this machine may read it")


class FrameRing:
    """A sink of uint8 (H, W, 3) pictures, like a window: made at the first write, when their size is known."""

    def __init__(self, config: FrameRingConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._path = SHARED / config.name
        self._is_open = False
        self._memory: mmap.mmap | None = None
        self._count: Any = None  # views of the memory: uint64 ()
        self._fields: Any = None  # uint64 (slots, 3): sequence, number, time in ns
        self._pixels: Any = None  # uint8 (slots, H, W, 4)

    @property
    def refresh_hz(self) -> float:
        return self._config.rate_hz

    @property
    def pattern(self) -> None:
        """It shows no patterns."""
        return None

    def open(self) -> None:
        self.close()
        self._is_open = True

    def write(self, rgb: NDArray[np.uint8], /, next_rgb: NDArray[np.uint8] | None = None, mix: float = 0.0) -> None:
        """Add uint8 (H, W, 3), mixed with `next_rgb` by `mix` (0..1). Raises DeviceLost, naming `frame_ring.name`."""
        if not self._is_open:
            raise DeviceLost("frame_ring.name: not open")
        if self._pixels is None or self._pixels.shape[1:3] != rgb.shape[:2]:
            self._make(*rgb.shape[:2])
        number = int(self._count)
        slot = number % self._config.slots
        fields, pixels = self._fields[slot], self._pixels[slot]
        fields[0] = int(fields[0]) | 1  # odd: it is being written
        if next_rgb is None or mix <= 0.0:
            pixels[..., :3] = rgb
        else:
            import cv2

            pixels[..., :3] = cv2.addWeighted(rgb, 1.0 - mix, next_rgb, mix, 0.0)
        fields[1], fields[2] = number, self._clock.now_ns()
        fields[0] += 1
        self._count[...] = number + 1

    def close(self) -> None:
        """Take the ring away; who has it mapped keeps its last pictures."""
        self._is_open = False
        if self._memory is None:
            return
        self._count = self._fields = self._pixels = None  # views of the memory must be gone before it is
        self._memory.close()
        self._memory = None
        self._path.unlink(missing_ok=True)

    def _make(self, height: int, width: int) -> None:
        if self._memory is not None:
            self._count = self._fields = self._pixels = None
            self._memory.close()
            self._memory = None
        slots, row = self._config.slots, 4 * width
        slot_bytes = ALIGNMENT + -(-row * height // ALIGNMENT) * ALIGNMENT
        size = ALIGNMENT + slots * slot_bytes
        free = shutil.disk_usage(SHARED).free
        if free < size:  # it could be made, and would end with SIGBUS whoever writes to what is not there
            raise DeviceLost(f"frame_ring.name: {SHARED} has {free} bytes free; the ring needs {size}")
        # Under another name first, so that nobody finds half of it; who has the old one mapped sees it stand still.
        partial = self._path.with_name(f".{self._path.name}.partial")
        try:
            with partial.open("w+b") as file:
                os.fchmod(file.fileno(), 0o666 & ~UMASKS[self._config.readable_by])  # whatever the process's umask
                os.truncate(file.fileno(), size)
                memory = mmap.mmap(file.fileno(), size)
            memory[: HEADER.size] = HEADER.pack(MAGIC, VERSION, slots, width, height, row, PIXELS)
            partial.replace(self._path)
        except OSError as error:
            raise DeviceLost(f"frame_ring.name: {self._path} can't be made: {error}") from error
        self._memory = memory
        self._count = np.frombuffer(memory, np.uint64, 1, COUNT_AT).reshape(())
        whole = np.frombuffer(memory, np.uint8, slots * slot_bytes, ALIGNMENT).reshape(slots, slot_bytes)
        self._fields = whole[:, :24].view(np.uint64)
        self._pixels = whole[:, ALIGNMENT : ALIGNMENT + row * height].reshape(slots, height, width, 4)
        self._pixels[..., 3] = 255
