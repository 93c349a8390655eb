"""`learn_room` through the whole daemon's parts: real processes of virtual cameras, all of them or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from parts import wait_until

from oysterd.bus import Bus, Inbox, Message
from oysterd.clock import ManualClock, MonotonicClock
from oysterd.commands import LearnRoom
from oysterd.config import Settings
from oysterd.device_link import DeviceLink
from oysterd.processes import devices, learned_room
from oysterd.room_learning import PATIENCE_S, RoomLearning
from oysterd.supervisor import Supervisor


class Room:
    """Two cameras in processes of their own; the right one's device is not there if so asked."""

    def __init__(self, folder: Path) -> None:
        right = {"kind": "camera", "options": {"device": str(folder / "missing.mp4")}}
        self.settings = Settings.model_validate(
            {
                "world": {"state_dir": str(folder)},
                "inputs": [
                    {"name": "left", "kind": "virtual_depth", "use": "presence", "options": {"visitors": 0}},
                    {"name": "right", "use": "presence", **right},
                    {"name": "roof", "kind": "virtual_sensors", "use": "sensors"},
                ],
            }
        )
        self.bus = Bus()
        self.answers: list[tuple[str, list[str]]] = []
        self.learning = RoomLearning(
            self.bus, self.settings, MonotonicClock(), lambda identifier, why: self.answers.append((identifier, why))
        )
        self.supervisor = Supervisor(MonotonicClock(), self.learning.died)
        self.heard: list[dict[str, Any]] = []
        link = DeviceLink(self.bus, MonotonicClock(), lambda done: None, lambda identifier, why: None)
        for child in devices(self.settings, "no-ring", self.bus, link):
            if child.name.startswith("input."):
                self.supervisor.start(child)

    def turn(self) -> None:
        for message in self.bus.receive(0.02):
            self.supervisor.heard(message["from"], message.get("patience_s"))
            self.heard.append(message)
            if message["type"] == "learned":
                self.learning.learned(message["from"], message["id"], message["why"])
        self.supervisor.tick()
        self.learning.tick()

    def has_heard(self, sender: str, kind: str) -> bool:
        self.turn()
        return any(message["from"] == sender and message["type"] == kind for message in self.heard)

    def answer(self, command: LearnRoom) -> list[str]:
        self.learning.submit(command)

        def is_answered() -> bool:
            self.turn()
            return any(identifier == command.id for identifier, _ in self.answers)

        wait_until(is_answered, "an answer", 20)
        return next(why for identifier, why in self.answers if identifier == command.id)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.supervisor.stop()
    made.bus.close()


def test_all_cameras_learn_or_none(room: Room) -> None:
    wait_until(lambda: room.has_heard("input.left", "presence"), "the left camera sees", 30)
    wait_until(lambda: room.has_heard("input.right", "lost"), "the right camera is missed", 30)
    path = learned_room(room.settings, "left")

    assert room.answer(LearnRoom(inputs=["lef", "roof"])) == [
        'inputs: there is no camera "lef" (did you mean "left"?)',
        'inputs: there is no camera "roof"',
    ]
    (why,) = room.answer(LearnRoom(seconds=3.0))
    assert why.startswith("inputs.right: camera.device: cannot open")
    assert not path.exists()  # a refused command changes nothing

    assert room.answer(LearnRoom(seconds=3.0, inputs=["left"])) == []
    wait_until(lambda: room.turn() is None and path.exists(), "the room is kept")


def test_a_camera_that_learns_is_not_asked_twice_and_one_that_dies_has_not_learned(room: Room) -> None:
    wait_until(lambda: room.has_heard("input.left", "presence"), "the left camera sees", 30)
    first = LearnRoom(seconds=30.0, inputs=["left"])
    room.learning.submit(first)
    assert room.answer(LearnRoom(inputs=["left"])) == ["inputs: they are learning already"]
    process = room.supervisor._kept["input.left"].process
    assert process is not None
    process.kill()
    wait_until(lambda: room.turn() is None and room.answers[-1][0] == first.id, "an answer")
    assert room.answers[-1][1] == ["inputs.left: its process ended"]


def test_who_does_not_answer_is_given_up(tmp_path: Path) -> None:
    """A bus whose one camera never speaks."""
    clock, bus, answers = ManualClock(), Bus(), list[tuple[str, list[str]]]()
    cameras = [{"name": "left", "kind": "virtual_depth", "use": "presence"}]
    settings = Settings.model_validate({"inputs": cameras, "world": {"state_dir": str(tmp_path)}})
    learning = RoomLearning(bus, settings, clock, lambda identifier, why: answers.append((identifier, why)))
    address = bus.open("input.left")
    learning.submit(LearnRoom(id="a"))
    assert answers.pop() == ("a", ["inputs.left: its process is not there"])

    inbox = Inbox(address)
    wait_until(lambda: bus.send("input.left", {"type": "alive"}), "the camera's process listens")
    learning.submit(LearnRoom(id="b", seconds=10.0))
    clock.advance(10.0 + PATIENCE_S - 0.1)
    learning.tick()
    assert answers == []
    clock.advance(0.2)
    learning.tick()
    assert answers.pop() == ("b", ["inputs.left: no pictures came in that time"])
    heard: list[Message] = []
    wait_until(lambda: heard.extend(inbox.receive(0.02)) or len(heard) == 3, "it is told to drop what it learned")
    assert heard[1:] == [{"type": "learn_room", "id": "b", "seconds": 10.0}, {"type": "keep_room", "keep": False}]
    inbox.close()
    bus.close()


def test_a_room_without_cameras_has_nothing_to_learn() -> None:
    bus, answers = Bus(), list[tuple[str, list[str]]]()
    learning = RoomLearning(bus, Settings(), ManualClock(), lambda identifier, why: answers.append((identifier, why)))
    learning.submit(LearnRoom(id="b"))
    assert answers == [("b", ['inputs: none has use = "presence"'])]
    bus.close()
