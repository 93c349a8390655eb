"""The ring of chunks: written in one process and read in others, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from parts import end, wait_until

from oysterd.ring import ChunkRing, RingError

HEIGHT, WIDTH, SAMPLES = 90, 160, 2000

WRITER = """
import sys, numpy as np
from oysterd.ring import ChunkRing
ring = ChunkRing.attach(sys.argv[1])
for n in range(int(sys.argv[2])):
    ring.write(np.full((ring.height, ring.width, 3), n % 251, np.uint8), np.full((ring.samples, 2), n, np.float32))
ring.close()
"""


def chunk(number: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((HEIGHT, WIDTH, 3), number % 251, np.uint8), np.full((SAMPLES, 2), number, np.float32)


def child(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


@pytest.fixture
def ring() -> Iterator[ChunkRing]:
    made = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 4, HEIGHT, WIDTH, SAMPLES)
    yield made
    made.close()
    made.unlink()


def name_of(ring: ChunkRing) -> str:
    return str(ring._memory.name)  # type: ignore[union-attr]


def test_an_empty_ring_has_nothing(ring: ChunkRing) -> None:
    assert (ring.newest, ring.playing, ring.taken, ring.playing_since_ns) == (-1, -1, -1, 0)
    assert ring.read(0) is None and ring.read(-1) is None and ring.made_ns(0) is None


def test_what_is_written_is_read_until_its_slot_is_needed(ring: ChunkRing) -> None:
    assert [ring.write(*chunk(n)) for n in range(6)] == list(range(6))
    assert ring.newest == 5
    assert ring.read(1) is None and ring.read(6) is None
    for n in range(2, 6):
        read = ring.read(n)
        assert read is not None
        frame, audio = read
        assert (frame == n).all() and (audio == n).all()
    made = [ring.made_ns(n) for n in range(2, 6)]
    assert all(time is not None for time in made) and made == sorted(made)  # type: ignore[type-var]


def test_copies_do_not_change_with_the_ring(ring: ChunkRing) -> None:
    ring.write(*chunk(0))
    read = ring.read(0)
    assert read is not None
    for n in range(1, 9):
        ring.write(*chunk(n))
    assert (read[0] == 0).all() and (read[1] == 0).all()


def test_what_does_not_fit_is_refused(ring: ChunkRing) -> None:
    frame, audio = chunk(0)
    with pytest.raises(ValueError, match="frame must be uint8"):
        ring.write(frame[1:], audio)
    with pytest.raises(ValueError, match="audio must be float32"):
        ring.write(frame, audio.astype(np.float64))
    assert ring.newest == -1


def test_another_process_writes_while_this_one_reads_and_no_chunk_is_ever_torn(ring: ChunkRing) -> None:
    writes = 3000
    writer = child(WRITER, name_of(ring), str(writes))
    whole = 0

    def read_newest() -> bool:
        nonlocal whole
        newest = ring.newest
        read = ring.read(newest)
        if read is not None:
            frame, audio = read
            assert (frame == newest % 251).all() and (audio == newest).all()
            whole += 1
        return newest == writes - 1

    wait_until(read_newest, "the last chunk")
    assert whole > 0
    _, errors = writer.communicate(timeout=10)
    # Nothing of the resource tracker: it would say here that it took the ring away.
    assert writer.returncode == 0 and errors == b""
    assert ring.read(writes - 1) is not None
    attached = ChunkRing.attach(name_of(ring))
    assert attached.newest == writes - 1
    attached.playing = 7
    assert ring.playing == 7 and ring.playing_since_ns > 0
    attached.close()


def test_a_writer_that_died_in_the_midst_of_a_chunk_is_succeeded(ring: ChunkRing) -> None:
    ring.write(*chunk(0))
    assert ring._views is not None
    ring._views[1][1, 0] = 1  # as a writer leaves the second slot when it is killed there
    assert ring.read(1) is None
    successor = ChunkRing.attach(name_of(ring))
    assert successor.write(*chunk(1)) == 1
    read = ring.read(1)
    assert read is not None and (read[0] == 1).all()
    successor.close()


def test_a_writer_that_is_killed_takes_nothing_with_it(ring: ChunkRing) -> None:
    writer = child(WRITER, name_of(ring), "100000000")
    wait_until(lambda: ring.newest >= 2, "a few chunks")
    end(writer)
    assert writer.stderr is not None
    writer.stderr.close()
    assert Path("/dev/shm", name_of(ring)).exists()
    after = ring.newest
    assert ring.write(*chunk(0)) == after + 1


def test_what_is_no_ring_is_refused(ring: ChunkRing, tmp_path: Path) -> None:
    with pytest.raises(RingError, match="there is no ring"):
        ChunkRing.attach(f"oysterd-test-{uuid.uuid4().hex}")
    with pytest.raises(RingError, match="shared memory"):
        ChunkRing.create(name_of(ring), 4, HEIGHT, WIDTH, SAMPLES)
    other = ChunkRing.attach(name_of(ring))
    other.close()
    other.close()
    with pytest.raises(RingError, match="closed"):
        other.read(0)
