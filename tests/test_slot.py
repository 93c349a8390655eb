"""The slot: latest wins, and what is too old is not there."""

from __future__ import annotations

from oysterd.clock import ManualClock
from oysterd.slot import Slot


def test_a_slot_begins_empty() -> None:
    slot: Slot[int] = Slot(ManualClock(), 1.0)
    assert slot.get() is None and slot.age_s is None


def test_the_latest_wins_until_it_is_too_old() -> None:
    clock = ManualClock(100.0)
    slot: Slot[str] = Slot(clock, 0.5)
    slot.put("first")
    clock.advance(0.25)
    slot.put("second")
    clock.advance(0.5)
    assert slot.get() == "second" and slot.age_s == 0.5
    clock.advance(0.001)
    assert slot.get() is None and slot.age_s == 0.501
    slot.put("third")
    assert slot.get() == "third"


def test_what_was_captured_earlier_never_replaces_what_was_captured_later() -> None:
    clock = ManualClock(10.0)
    slot: Slot[str] = Slot(clock, 1.0)
    slot.put("late", clock.now_ns() - 100)
    slot.put("early", clock.now_ns() - 200)
    assert slot.get() == "late"


def test_age_counts_from_capture_not_from_arrival() -> None:
    clock = ManualClock(10.0)
    slot: Slot[str] = Slot(clock, 1.0)
    slot.put("old", clock.now_ns() - 2_000_000_000)
    assert slot.get() is None


def test_a_cleared_slot_is_empty() -> None:
    slot: Slot[int] = Slot(ManualClock(), 1.0)
    slot.put(0)
    assert slot.get() == 0
    slot.clear()
    assert slot.get() is None and slot.age_s is None
