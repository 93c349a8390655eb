"""The ring of chunks in shared memory: one writer (the world), any number of readers, nobody waits for anybody.

A chunk's index counts on for as long as the ring lives, also when the world's process was started anew. Slots are
guarded by a sequence number (odd while it is written), so a reader that was too slow notices and gets nothing.
"""

from __future__ import annotations

import mmap
import shutil
import time
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x6F7973746572  # "oyster"
# Fields of the header, then of each slot; all are int64, which one store writes whole.
_MAGIC_AT, _SLOTS, _HEIGHT, _WIDTH, _SAMPLES, _NEWEST, _PLAYING, _PLAYING_SINCE_NS, _TAKEN = range(9)
_HEADER_FIELDS = 16
_SEQUENCE, _INDEX, _MADE_NS = range(3)
_SLOT_FIELDS = 4
# How often a reader looks again at a slot that is being written; a picture takes about 0.1 ms.
_TRIES = 3


class RingError(Exception):
    """There is no ring of that name, or what has the name is no ring."""


class ChunkRing:
    """Pictures uint8 (H, W, 3) and sound float32 (samples, 2) of the last `slots` chunks.

    One process writes chunks and one sets `playing` and `taken`; all others read.
    """

    def __init__(self, buffer: memoryview, memory: shared_memory.SharedMemory | mmap.mmap) -> None:
        self._memory = memory
        header = np.frombuffer(buffer, np.int64, _HEADER_FIELDS)
        self.slots, self.height, self.width, self.samples = (int(n) for n in header[_SLOTS : _SAMPLES + 1])
        start = header.nbytes
        fields = np.frombuffer(buffer, np.int64, self.slots * _SLOT_FIELDS, start).reshape(self.slots, _SLOT_FIELDS)
        start += fields.nbytes
        shape = (self.slots, self.samples, 2)  # sound first: it must stay aligned to 4 bytes
        audio = np.frombuffer(buffer, np.float32, self.slots * self.samples * 2, start).reshape(shape)
        start += audio.nbytes
        size = self.slots * self.height * self.width * 3
        frames = np.frombuffer(buffer, np.uint8, size, start).reshape(self.slots, self.height, self.width, 3)
        self._views: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.uint8]] | None
        self._views = (header, fields, audio, frames)

    @classmethod
    def create(cls, name: str, slots: int, height: int, width: int, samples: int) -> ChunkRing:
        """A new ring for chunks of `height` by `width` pixels and `samples` stereo samples. Raises RingError."""
        size = 8 * (_HEADER_FIELDS + slots * _SLOT_FIELDS) + slots * (samples * 2 * 4 + height * width * 3)
        free = shutil.disk_usage("/dev/shm").free
        if free < size:  # it could be made, and would end with SIGBUS whoever writes to what is not there
            raise RingError(f"/dev/shm has {free} bytes free; pictures and sound of {slots} chunks need {size}")
        try:
            memory = shared_memory.SharedMemory(name=name, create=True, size=size)
        except OSError as error:
            raise RingError(f"no shared memory {name} of {size} bytes: {error}") from error
        assert memory.buf is not None  # it is None only once closed
        header = np.frombuffer(memory.buf, np.int64, _HEADER_FIELDS)
        header[_SLOTS : _SAMPLES + 1] = (slots, height, width, samples)
        header[[_NEWEST, _PLAYING, _TAKEN]] = -1
        fields = np.frombuffer(memory.buf, np.int64, slots * _SLOT_FIELDS, header.nbytes)
        fields.reshape(slots, _SLOT_FIELDS)[:, _INDEX] = -1
        header[_MAGIC_AT] = _MAGIC
        return cls(memory.buf, memory)

    @classmethod
    def attach(cls, name: str) -> ChunkRing:
        """The ring that another process created. Raises RingError when there is none."""
        # Not by SharedMemory: before Python 3.13 it registers with the resource tracker whatever it opens, and the
        # tracker of a process that only attached would take the ring away from all others when that process ends.
        try:
            with Path("/dev/shm", name).open("r+b") as file:
                memory = mmap.mmap(file.fileno(), 0)
        except (OSError, ValueError) as error:
            raise RingError(f"there is no ring {name}: {error}") from error
        if len(memory) < 8 * _HEADER_FIELDS or int(np.frombuffer(memory, np.int64, 1)[0]) != _MAGIC:
            raise RingError(f"{name} is no ring")
        return cls(memoryview(memory), memory)

    def close(self) -> None:
        """Let go of the memory in this process; harmless when done before. Nothing may be read or written after."""
        if self._views is not None:
            self._views = None  # views of the memory must be gone before it is
            self._memory.close()

    def unlink(self) -> None:
        """Take the ring from the machine: once, by who created it. Those who are attached keep what they have."""
        if isinstance(self._memory, shared_memory.SharedMemory):
            self._memory.unlink()

    @property
    def newest(self) -> int:
        """The index of the last chunk written; -1 when there is none yet."""
        return self._get(_NEWEST)

    @property
    def playing(self) -> int:
        """The chunk whose sound is heard now, as the playout tells; -1 before the first."""
        return self._get(_PLAYING)

    @playing.setter
    def playing(self, index: int) -> None:
        # The time first: who sees the new index must not measure from the old time.
        self._set(_PLAYING_SINCE_NS, time.monotonic_ns())
        self._set(_PLAYING, index)

    @property
    def playing_since_ns(self) -> int:
        """When `playing` was last set, on the monotonic clock; 0 before the first chunk."""
        return self._get(_PLAYING_SINCE_NS)

    @property
    def taken(self) -> int:
        """The newest chunk the playout has begun to hand to its device; ahead of `playing` by the device's latency."""
        return self._get(_TAKEN)

    @taken.setter
    def taken(self, index: int) -> None:
        self._set(_TAKEN, index)

    def write(self, frame: NDArray[np.uint8], audio: NDArray[np.float32]) -> int:
        """Add a chunk in place of the oldest and give its index. Raises ValueError for other shapes or types."""
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise ValueError(f"a frame must be uint8 {(self.height, self.width, 3)}, not {frame.dtype} {frame.shape}")
        if audio.shape != (self.samples, 2) or audio.dtype != np.float32:
            raise ValueError(f"audio must be float32 {(self.samples, 2)}, not {audio.dtype} {audio.shape}")
        header, fields, sounds, frames = self._open()
        index = int(header[_NEWEST]) + 1
        at = index % self.slots
        # Odd already where a writer died in the midst of it.
        writing = int(fields[at, _SEQUENCE]) | 1
        fields[at, _SEQUENCE] = writing
        frames[at] = frame
        sounds[at] = audio
        fields[at, _INDEX] = index
        fields[at, _MADE_NS] = time.monotonic_ns()
        fields[at, _SEQUENCE] = writing + 1
        header[_NEWEST] = index
        return index

    def read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
        """Copies of a chunk's picture and sound; None when it is not there yet, or not any more."""
        _, fields, sounds, frames = self._open()
        at = index % self.slots
        for _ in range(_TRIES):
            before = int(fields[at, _SEQUENCE])
            if index < 0 or before % 2 == 1 or int(fields[at, _INDEX]) != index:
                return None
            frame, audio = frames[at].copy(), sounds[at].copy()
            if int(fields[at, _SEQUENCE]) == before:
                return frame, audio
        return None

    def made_ns(self, index: int) -> int | None:
        """When a chunk was written, on the monotonic clock; None when it is not there."""
        _, fields, _, _ = self._open()
        at = index % self.slots
        before = int(fields[at, _SEQUENCE])
        made_ns, held = int(fields[at, _MADE_NS]), int(fields[at, _INDEX])
        whole = before % 2 == 0 and int(fields[at, _SEQUENCE]) == before
        return made_ns if whole and held == index and index >= 0 else None

    def _get(self, field: int) -> int:
        return int(self._open()[0][field])

    def _set(self, field: int, value: int) -> None:
        self._open()[0][field] = value

    def _open(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.uint8]]:
        if self._views is None:
            raise RingError("the ring is closed")
        return self._views
