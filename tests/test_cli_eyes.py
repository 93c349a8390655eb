"""The eyes of a running daemon: taught by the command line, counted in the telemetry, missed and found again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
from clips import write_clip
from parts import wait_until
from test_cli import Room, oysterd


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.environment["OYSTERD_WORLD__STATE_DIR"] = str(tmp_path / "state")
    made.more = f"""
            [[inputs]]
            name = "door"
            kind = "camera"
            use = "presence"
            options = {{ device = "{tmp_path / "door.mp4"}" }}
            [[inputs]]
            name = "hall"
            kind = "virtual_depth"
            use = "presence"
            options = {{ visitors = 0 }}
            """
    yield made
    made.stop()


def telemetry(room: Room) -> dict[str, Any]:
    """The next one that is published."""
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.linger = 0
        subscriber.connect(f"tcp://127.0.0.1:{room.ports['state']}")
        subscriber.subscribe(b"telemetry")
        assert subscriber.poll(10_000), "no telemetry"
        told: dict[str, Any] = json.loads(subscriber.recv_multipart()[-1])
        return told


def capture_of(room: Room, daemon: int) -> psutil.Process:
    """The process that reads the hall, by its place in the order of starting."""
    children = [child for child in psutil.Process(daemon).children() if "spawn_main" in " ".join(child.cmdline())]
    # Started in this order: world, sound, depth, roof, door, hall.
    return sorted(children, key=lambda child: child.pid)[5]


def test_eyes_are_taught_counted_missed_and_found_again(room: Room, tmp_path: Path) -> None:
    process = room.start()
    room.says("Ctrl-C")
    wait_until(lambda: room.state()["inputs"]["depth"]["ok"] and room.state()["inputs"]["hall"]["ok"], "both see")
    wait_until(lambda: telemetry(room)["people"] is not None, "people are counted")
    assert 0 <= telemetry(room)["people"] <= 3

    missed = room.state()["inputs"]["door"]
    assert not missed["ok"] and "camera.device: cannot open" in missed["why"]
    learned = oysterd(room, "learn-room", "--seconds", "3", "--input", "hall", "--config", str(room.config))
    assert learned.returncode == 0 and "applied learn_room" in learned.stdout, learned
    wait_until((tmp_path / "state" / "test-room-hall.room.npz").exists, "the room is kept")

    write_clip(tmp_path / "door.mp4", 20)
    wait_until(lambda: room.state()["inputs"]["door"]["ok"], "the door's camera is found when it comes")

    before = room.state()
    os.kill(capture_of(room, process.pid).pid, signal.SIGSTOP)
    wait_until(lambda: "its process ended" in room.state()["inputs"]["hall"]["why"], "an alert")
    wait_until(lambda: room.state()["inputs"]["hall"]["ok"], "it sees again")
    after = room.state()
    assert after["restarts"]["input.hall"] == before["restarts"]["input.hall"] + 1
    assert after["restarts"]["world"] == 0 and after["step"] > before["step"]
    assert "Traceback" not in room.output
