"""One rung after the other, and down again when the device has been steady."""

from __future__ import annotations

from hand_clock import HandClock

from oysterd.ladder import STEADY_S, Ladder, Rung


def test_each_failure_is_met_by_a_stronger_means() -> None:
    ladder = Ladder(HandClock(), can_reset=True)
    ladder.worked()
    assert [ladder.failed() for _ in range(3)] == [Rung.REOPEN, Rung.RESET, Rung.NEW_PROCESS]


def test_who_never_saw_it_work_goes_on_without() -> None:
    ladder = Ladder(HandClock(), can_reset=True)
    assert [ladder.failed() for _ in range(4)] == [Rung.REOPEN, Rung.RESET, Rung.WITHOUT, Rung.WITHOUT]


def test_a_device_without_a_reset_is_opened_anew_for_ever() -> None:
    ladder = Ladder(HandClock(), can_reset=False)
    ladder.worked()
    assert {ladder.failed() for _ in range(9)} == {Rung.REOPEN}


def test_a_short_recovery_is_none_and_a_steady_one_begins_anew() -> None:
    clock = HandClock()
    ladder = Ladder(clock, can_reset=True)
    assert ladder.failed() is Rung.REOPEN
    clock.advance(STEADY_S / 2)
    ladder.worked()
    assert ladder.failed() is Rung.RESET
    clock.advance(STEADY_S)
    ladder.worked()
    assert ladder.failed() is Rung.REOPEN
