"""Commands for devices: sent over the real bus to who has them, answered by all who were asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from parts import wait_until

from oysterd.bus import Bus, Inbox, Message
from oysterd.clock import ManualClock
from oysterd.commands import DeviceCommand, parse
from oysterd.device_link import ANSWER_WITHIN_S, DeviceLink


class Room:
    """A link with two outputs behind it, and what it reported."""

    def __init__(self) -> None:
        self.bus, self.clock = Bus(), ManualClock(10.0)
        self.applied: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.link = DeviceLink(self.bus, self.clock, self.applied.append, lambda *why: self.failed.append(why))
        addresses = {name: self.link.open("output", [name], f"output.{name}") for name in ("left", "right")}
        self.inboxes = {name: Inbox(address) for name, address in addresses.items()}

    def submit(self, identifier: str, **payload: object) -> None:
        command = parse("pattern", {"id": identifier, "pattern": "grid", **payload})
        assert isinstance(command, DeviceCommand)
        self.link.submit(command)

    def submit_to_all(self, identifier: str) -> None:
        """Once both have connected."""

        def is_taken() -> bool:
            self.failed.clear()
            self.submit(identifier)
            return not self.failed

        wait_until(is_taken, "both outputs are there")


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    for inbox in made.inboxes.values():
        inbox.close()
    made.bus.close()


def test_a_command_without_a_name_goes_to_all_and_is_applied_when_all_have_answered(room: Room) -> None:
    room.submit_to_all("a")
    received: dict[str, list[Message]] = {name: inbox.receive(5.0) for name, inbox in room.inboxes.items()}
    expected = {"type": "pattern", "id": "a", "request": {"pattern": "grid"}}
    assert all(messages[-1] == expected for messages in received.values())
    room.link.answered("output.left", "a")
    assert room.applied == []
    room.link.answered("output.right", "a")
    assert room.applied == ["a"] and room.failed == []
    room.link.answered("output.right", "a")  # once more, or somebody else's
    assert room.applied == ["a"]


def test_a_refusal_of_one_is_the_answer(room: Room) -> None:
    room.submit_to_all("a")
    room.link.answered("output.left", "a", "the window is not open")
    room.link.answered("output.right", "a")
    assert room.failed == [("a", "the window is not open")] and room.applied == []


def test_an_unknown_name_is_refused_with_the_nearest(room: Room) -> None:
    room.submit("a", output="rigt")
    room.submit("b", output="zzz")
    assert room.failed == [
        ("a", 'output: there is no "rigt" (did you mean "right"?)'),
        ("b", 'output: there is no "zzz"; there are left, right'),
    ]


def test_who_does_not_answer_is_given_up_and_named(room: Room) -> None:
    room.submit_to_all("a")
    room.link.answered("output.left", "a")
    room.link.tick()
    assert room.failed == []
    room.clock.advance(ANSWER_WITHIN_S + 0.1)
    room.link.tick()
    assert room.failed == [("a", "output.right did not answer")] and room.applied == []


def test_a_child_that_is_gone_can_take_nothing(room: Room) -> None:
    room.submit_to_all("a")
    room.inboxes["left"].close()

    def is_refused() -> bool:
        room.submit("b", output="left")
        return bool(room.failed)

    wait_until(is_refused, "the outbox has no reader")
    assert "output.left is not there" in room.failed[-1][1]


def test_a_room_without_such_devices_says_so() -> None:
    bus, failed = Bus(), list[str]()
    link = DeviceLink(bus, ManualClock(), lambda done: None, lambda identifier, why: failed.append(why))
    command = parse("pattern", {"pattern": "grid"})
    assert isinstance(command, DeviceCommand)
    link.submit(command)
    assert failed == ["output: there is none in this room"]
    bus.close()
