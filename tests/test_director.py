import threading

import pytest

from oysterd.clock import ManualClock
from oysterd.commands import Command, Receipt
from oysterd.director import MOST_WAITING, REMEMBERED_IDS, Director


class Desk:
    """A director with all that it submitted and published."""

    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.submitted: list[Command] = []
        self.published: list[Receipt] = []
        self.director = Director(self.clock, self.submitted.append, self.published.append)

    def send(self, **payload: object) -> Receipt:
        return self.director.receive("direct", {"text": "rain", **payload}, "test:1")

    def ids(self) -> list[str]:
        return [command.id for command in self.submitted]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_command_is_accepted_submitted_and_applied(desk: Desk) -> None:
    assert desk.send(id="a").status == "accepted"
    assert desk.submitted == []
    desk.director.tick()
    desk.director.tick()
    assert desk.ids() == ["a"]
    desk.director.applied("a", 12, 1.0)
    assert [(r.id, r.status, r.step, r.time_s, r.origin) for r in desk.published] == [
        ("a", "accepted", None, None, "test:1"),
        ("a", "applied", 12, 1.0, "test:1"),
    ]


def test_a_repeated_id_is_answered_not_repeated(desk: Desk) -> None:
    desk.send(id="a")
    assert [desk.send(id="a").status, desk.send(id="a").duplicate] == ["accepted", True]
    desk.director.tick()
    desk.director.applied("a", 3, 0.25)
    again = desk.director.receive("direct", {"text": "other", "id": "a"}, "test:2")
    assert (again.status, again.step, again.duplicate, again.origin) == ("applied", 3, True, "test:2")
    assert desk.published[-1] == again
    desk.director.tick()
    assert desk.ids() == ["a"]


def test_a_refused_command_changes_nothing_and_says_why(desk: Desk) -> None:
    receipt = desk.director.receive("direct", b'{"id": "bad", "text": 1}', "test:1")
    assert (receipt.id, receipt.status, receipt.why) == ("bad", "rejected", ["text: must be text, not 1"])
    unknown = desk.director.receive("x" * 1000, b"{}", "test:1")
    assert (unknown.status, len(unknown.name)) == ("rejected", 64)
    desk.director.tick()
    assert desk.submitted == []
    assert [r.status for r in desk.published] == ["rejected", "rejected"]


def test_commands_wait_until_they_are_due_and_keep_their_order(desk: Desk) -> None:
    for name, at_s in [("late", 2.0), ("first", 1.0), ("second", 1.0), ("now", 0.0)]:
        desk.send(id=name, at_s=at_s)
    desk.director.tick()
    assert desk.ids() == ["now"]
    desk.clock.advance(1.0)
    desk.director.tick()
    assert desk.ids() == ["now", "first", "second"]
    desk.clock.advance(5.0)
    desk.director.tick()
    assert desk.ids() == ["now", "first", "second", "late"]


def test_a_late_command_expires(desk: Desk) -> None:
    desk.send(id="late", not_after_s=1.0)
    desk.send(id="timely", not_after_s=3.0)
    desk.clock.advance(2.0)
    desk.director.tick()
    assert desk.ids() == ["timely"]
    assert (desk.published[-1].id, desk.published[-1].status) == ("late", "expired")
    assert desk.published[-1].why == ["not_after_s = 1 passed before it was due"]


def test_a_failed_command_is_rejected_with_its_reason(desk: Desk) -> None:
    desk.send(id="a")
    desk.director.tick()
    desk.director.failed("a", "image: photo.jpg is no picture")
    desk.director.applied("a", 1, 0.0)  # too late: the last receipt stands
    desk.director.applied("never heard of", 1, 0.0)
    assert [(r.status, r.why) for r in desk.published] == [
        ("accepted", []),
        ("rejected", ["image: photo.jpg is no picture"]),
    ]


def test_the_memory_of_ids_is_bounded_and_keeps_what_is_unfinished(desk: Desk) -> None:
    desk.send(id="open", at_s=50.0)
    for index in range(REMEMBERED_IDS + 10):
        desk.send(id=f"n{index}")
        desk.director.tick()
        desk.director.applied(f"n{index}", index, 0.0)
    assert desk.send(id="open", at_s=50.0).duplicate
    assert not desk.send(id="n0").duplicate
    assert desk.send(id=f"n{REMEMBERED_IDS}").duplicate


def test_too_many_waiting_commands_are_refused_until_there_is_room(desk: Desk) -> None:
    for index in range(MOST_WAITING):
        assert desk.send(id=f"n{index}").status == "accepted"
    assert desk.send(id="extra").status == "rejected"
    full = desk.send(id="more")
    assert full.status == "rejected" and "waiting already" in full.why[0]
    desk.director.tick()
    desk.director.applied("n0", 0, 0.0)
    assert desk.send(id="more").status == "accepted"


def test_a_world_that_answers_inside_submit_does_not_lock_up() -> None:
    published: list[Receipt] = []
    director = Director(ManualClock(), lambda command: director.applied(command.id, 1, 0.0), published.append)
    director.receive("snapshot", b"", "test")
    director.tick()
    assert [receipt.status for receipt in published] == ["accepted", "applied"]


def test_many_threads_may_send_the_same_ids(desk: Desk) -> None:
    def send_all() -> None:
        for index in range(50):
            desk.send(id=f"n{index}")

    threads = [threading.Thread(target=send_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.director.tick()
    assert sorted(desk.ids()) == sorted(f"n{index}" for index in range(50))
    assert sum(receipt.duplicate for receipt in desk.published) == 150
