"""The world's own process on a real ring and bus: it begins, answers for changes, is killed and goes on."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from parts import wait_until
from worlds import tiny_checkpoint

from oysterd.bus import Bus
from oysterd.config import WorldConfig
from oysterd.ring import ChunkRing
from oysterd.world_process import run_world, snapshot_path


class Room:
    """A ring whose playout is the test itself, and the world's process behind it."""

    def __init__(self, folder: Path, **world: Any) -> None:
        self.bus, self.name = Bus(), f"oysterd-test-{secrets.token_hex(4)}"
        self.ring = ChunkRing.create(self.name, 12, 90, 160, 2000)
        self.inbox = self.bus.open("world")
        self.config = WorldConfig.model_construct(
            **{**WorldConfig().model_dump(), "model": str(tiny_checkpoint(folder)), "state_dir": str(folder / "state")},
        ).model_copy(update={"threads": 1, **world})
        self.told: list[dict[str, Any]] = []
        self.process = self.start()

    def start(self) -> BaseProcess:
        arguments = (self.config, self.name, self.bus.events, self.inbox)
        self.process = get_context("spawn").Process(target=run_world, args=arguments)
        self.process.start()
        return self.process

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """All messages of that type so far; plays on meanwhile, so that the world steps."""
        self.told += self.bus.receive(0.01)
        self.ring.taken = self.ring.newest
        return [message for message in self.told if message["type"] == kind]

    def close(self) -> None:
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(10)
            assert not self.process.is_alive()
        self.ring.close()
        self.ring.unlink()
        self.bus.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


def test_changes_are_applied_at_the_next_step_and_wrong_ones_change_nothing(room: Room) -> None:
    wait_until(lambda: room.heard("ready") and room.ring.newest > 2, "the first chunks", 60)
    assert not room.heard("ready")[0]["resumed"]
    room.bus.send("world", {"type": "change", "id": "one", "change": {"directive": "let it rain"}})
    wait_until(lambda: room.heard("applied"), "the receipt", 20)
    receipt = room.heard("applied")[0]
    assert receipt["id"] == "one" and receipt["step"] <= room.ring.newest + 1
    assert receipt["time_s"] == pytest.approx(receipt["step"] / 12)


def test_it_stays_a_little_ahead_and_no_more(room: Room) -> None:
    wait_until(lambda: room.bus.receive(0.01) and room.ring.newest >= 1, "what is wanted ahead", 60)
    assert room.ring.taken == -1
    # Nobody plays: after what is wanted ahead there is no chunk more, while it still answers.
    room.bus.send("world", {"type": "snapshot", "id": "saved"})
    wait_until(lambda: any(m.get("id") == "saved" for m in room.bus.receive(0.01)), "the snapshot", 20)
    assert room.ring.newest == room.config.ahead_chunks - 1


def test_a_killed_world_goes_on_from_its_snapshot(room: Room) -> None:
    wait_until(lambda: room.ring.newest > 5 or room.heard("none"), "some chunks", 60)
    room.bus.send("world", {"type": "snapshot", "id": "saved"})
    wait_until(lambda: room.heard("applied"), "the snapshot", 20)
    kept = room.heard("applied")[0]["step"]
    assert room.process.pid is not None
    os.kill(room.process.pid, signal.SIGKILL)
    room.process.join(5)
    room.start()
    wait_until(lambda: len(room.heard("ready")) == 2, "the world again", 60)
    again = room.heard("ready")[1]
    assert again["resumed"] and again["step"] == kept


def test_a_damaged_snapshot_is_put_aside_and_the_world_begins_afresh(tmp_path: Path) -> None:
    room = Room(tmp_path)
    try:
        path = snapshot_path(room.config)
        room.process.terminate()
        room.process.join(10)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00garbage")
        room.start()
        wait_until(lambda: room.heard("ready"), "the world", 60)
        ready = room.heard("ready")[-1]
        assert not ready["resumed"] and "world.state_dir" in ready["notes"][0]
        assert path.with_suffix(".bad").exists()
    finally:
        room.close()


def test_it_ends_within_a_second_of_being_asked(room: Room) -> None:
    wait_until(lambda: room.heard("ready"), "the world", 60)
    room.process.terminate()
    room.process.join(3)
    assert room.process.exitcode == 0


def test_another_scene_is_another_world() -> None:
    assert snapshot_path(WorldConfig(scene="a")) != snapshot_path(WorldConfig(scene="b"))
