"""The frame ring, read by a reader that knows nothing but what docs/frame-ring.md says."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import children
import numpy as np
import pytest
from numpy.typing import NDArray
from parts import wait_until

from drivers.base import DeviceLost, MonotonicClock
from drivers.frame_ring import FrameRing, FrameRingConfig
from oysterd.bus import Bus, Message
from oysterd.clock import MonotonicClock as DaemonClock
from oysterd.config import OutputConfig
from oysterd.playout import run_playout
from oysterd.projector import run_pictures
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor


class Reader:
    """What a media server does."""

    def __init__(self, name: str) -> None:
        with Path("/dev/shm", name).open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert self._memory[:8] == b"OYSTERFR"
        version, self.slots, self.width, self.height, self.row = struct.unpack_from("<5I", self._memory, 8)
        assert version == 1 and self._memory[28:32] == b"RGBA"
        self._slot_bytes = 64 + (self.row * self.height + 63) // 64 * 64
        assert len(self._memory) == 64 + self.slots * self._slot_bytes

    @property
    def count(self) -> int:
        return int(struct.unpack_from("<Q", self._memory, 32)[0])

    def newest(self) -> tuple[int, int, NDArray[np.uint8]] | None:
        """Number, time in ns and pixels (H, W, 4); None when it was written over meanwhile."""
        at = 64 + (self.count - 1) % self.slots * self._slot_bytes
        before, number, time_ns = struct.unpack_from("<3Q", self._memory, at)
        pixels = self._memory[at + 64 : at + 64 + self.row * self.height]
        after = struct.unpack_from("<Q", self._memory, at)[0]
        if before % 2 or before != after:
            return None
        return number, time_ns, np.frombuffer(pixels, np.uint8).reshape(self.height, self.width, 4)


@pytest.fixture
def name() -> Iterator[str]:
    made = f"oysterd-test-{uuid.uuid4().hex[:12]}"
    yield made
    Path("/dev/shm", made).unlink(missing_ok=True)


def test_pictures_are_there_as_the_layout_says(name: str) -> None:
    ring = FrameRing(FrameRingConfig(name=name, slots=3, readable_by="group"), MonotonicClock())
    with pytest.raises(DeviceLost, match=r"^frame_ring\.name: not open"):
        ring.write(np.zeros((9, 11, 3), np.uint8))
    ring.open()
    pictures = np.random.default_rng(1).integers(0, 255, (5, 9, 11, 3), dtype=np.uint8)
    last_ns = 0
    for number, picture in enumerate(pictures):
        ring.write(picture)
        reader = Reader(name)
        assert (reader.width, reader.height, reader.slots, reader.count) == (11, 9, 3, number + 1)
        newest = reader.newest()
        assert newest is not None and newest[0] == number and newest[1] >= last_ns
        last_ns = newest[1]
        assert (newest[2][..., :3] == picture).all() and (newest[2][..., 3] == 255).all()
    ring.write(pictures[0], pictures[1], 0.25)
    newest = reader.newest()
    assert newest is not None
    assert np.abs(newest[2][..., :3] - (0.75 * pictures[0] + 0.25 * pictures[1])).max() <= 1
    assert Path("/dev/shm", name).stat().st_mode & 0o777 == 0o640
    ring.write(np.zeros((20, 30, 3), np.uint8))  # another size is another ring
    assert Reader(name).width == 30 and reader.count == 6
    ring.close()
    ring.close()
    assert not Path("/dev/shm", name).exists()


def test_no_reader_ever_sees_a_torn_picture(name: str) -> None:
    ring = FrameRing(FrameRingConfig(name=name, slots=2), MonotonicClock())
    ring.open()
    ring.write(np.zeros((200, 300, 3), np.uint8))
    reader, torn, whole = Reader(name), list[int](), list[int]()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            newest = reader.newest()
            if newest is not None:
                grey = newest[2][..., :3]
                (torn if grey.min() != grey.max() or grey[0, 0, 0] != newest[0] % 251 else whole).append(newest[0])

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(1, 600):
        ring.write(np.full((200, 300, 3), number % 251, np.uint8))
    wait_until(lambda: len(whole) > 20, "pictures were read")
    ended.set()
    thread.join()
    ring.close()
    assert torn == [] and len(set(whole)) > 5


def test_a_room_s_pictures_go_on_evenly_there(name: str) -> None:
    chunks = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 12, 90, 160, 2000)
    bus, supervisor = Bus(), Supervisor(DaemonClock())
    ring_name = str(chunks._memory.name)  # type: ignore[union-attr]
    events: list[Message] = []
    output = OutputConfig(name="server", kind="frame_ring", options={"name": name, "rate_hz": 25.0})
    try:
        arguments = (None, ring_name, bus.events, bus.open("world"))
        supervisor.start(Child("world", children.test_card_world, arguments, 30, 30))
        supervisor.start(Child("sound", run_playout, (None, ring_name, bus.events), 30, 30))
        supervisor.start(Child("output.server", run_pictures, (output, ring_name, bus.events), 30, 30))
        wait_until(lambda: events.extend(bus.receive(0.02)) or Path("/dev/shm", name).exists(), "the ring", 30)
        reader, levels = Reader(name), dict[int, int]()

        def has_seen_enough() -> bool:
            events.extend(bus.receive(0.0))
            newest = reader.newest()
            if newest is not None:
                levels[newest[0]] = int(newest[2][0, 0, 0])
            return len(levels) > 60

        wait_until(has_seen_enough, "sixty pictures", 30)
        # Greys between those of the chunks (16 + 8 n) are mixes of two: the pictures go on between the world's.
        assert len({level % 8 for level in levels.values()}) > 3
        wait_until(lambda: events.extend(bus.receive(0.02)) or presents(events), "counts")
        assert presents(events)[-1]["asked"] >= presents(events)[-1]["presented"] > 0
    finally:
        supervisor.stop()
        bus.close()
        chunks.close()
        chunks.unlink()
    assert not Path("/dev/shm", name).exists()


def presents(events: list[Message]) -> list[dict[str, int]]:
    told = [event["presents"] for event in events if event["from"] == "output.server" and event["type"] == "stats"]
    return [counts for counts in told if counts["presented"]]


def test_no_room_for_the_ring_is_told(name: str) -> None:
    ring = FrameRing(FrameRingConfig(name=name, slots=64), MonotonicClock())
    ring.open()
    free = os.statvfs("/dev/shm").f_bavail * os.statvfs("/dev/shm").f_frsize
    side = int((free / 64 / 4) ** 0.5) + 100
    huge = np.broadcast_to(np.zeros(3, np.uint8), (side, side, 3))  # takes no memory itself
    with pytest.raises(DeviceLost, match=r"^frame_ring\.name: /dev/shm has \d+ bytes free; the ring needs \d+"):
        ring.write(huge)
    ring.close()
