"""What is counted of a projector's presents, by a clock that is turned by hand."""

from __future__ import annotations

import pytest
from hand_clock import HandClock

from oysterd.pace import MOST_CPU_SHARE, Pace


def present(pace: Pace, clock: HandClock, took_s: float, cpu_s: float = 0.0, refresh_hz: float = 60.0) -> None:
    began_ns = clock.now_ns()
    clock.advance(took_s)
    clock.sleep(pace.presented_one(began_ns, cpu_s, refresh_hz))


def test_a_rate_that_is_asked_for_is_kept_on_an_even_grid() -> None:
    clock = HandClock()
    pace = Pace(clock, 20.0)
    start_ns = clock.now_ns()
    for turn in range(200):
        present(pace, clock, 0.010 + 0.03 * (turn % 2), cpu_s=0.03)  # within the period of 0.05 s, though uneven
    assert pace.counts() == {"asked": 200, "presented": 200, "late": 0, "dropped": 0}
    assert (clock.now_ns() - start_ns) / 1e9 == pytest.approx(200 / 20.0, abs=0.05)


def test_a_stall_drops_what_it_takes_and_the_grid_goes_on() -> None:
    clock = HandClock()
    pace = Pace(clock, 20.0)
    start_ns = clock.now_ns()
    for turn in range(100):
        present(pace, clock, 0.26 if turn == 50 else 0.01)  # the slots 51 to 54 pass by
    assert pace.counts() == {"asked": 104, "presented": 100, "late": 0, "dropped": 4}
    assert (clock.now_ns() - start_ns) / 1e9 == pytest.approx(104 / 20.0, abs=0.05)


def test_drawing_that_is_always_too_slow_shows_in_the_ratio() -> None:
    clock = HandClock()
    pace = Pace(clock, 20.0)
    for _ in range(100):
        present(pace, clock, 0.0625)  # sixteen a second
    assert pace.presented / pace.asked == pytest.approx(16 / 20, abs=0.02)


def test_a_display_that_waits_for_its_refresh_is_followed_whatever_it_is_exactly() -> None:
    clock = HandClock()
    pace = Pace(clock, None)
    for _ in range(2000):
        present(pace, clock, 1 / 59.86)
    assert pace.counts() == {"asked": 2000, "presented": 2000, "late": 0, "dropped": 0}
    present(pace, clock, 3 / 59.86)
    assert pace.counts() == {"asked": 2003, "presented": 2001, "late": 0, "dropped": 2}


def test_what_begins_more_than_half_a_period_after_its_time_is_late() -> None:
    clock = HandClock()
    pace = Pace(clock, 20.0)
    for took_s in (0.01, 0.08, 0.01, 0.01):  # the second makes the third begin 30 ms late
        present(pace, clock, took_s)
    assert pace.counts() == {"asked": 4, "presented": 4, "late": 1, "dropped": 0}


def test_what_drawing_costs_is_not_taken_from_the_world() -> None:
    clock = HandClock()
    pace = Pace(clock, None)
    start_ns = clock.now_ns()
    for _ in range(100):
        present(pace, clock, 0.02, cpu_s=0.02)
    share = 100 * 0.02 / ((clock.now_ns() - start_ns) / 1e9)
    assert share == pytest.approx(MOST_CPU_SHARE, rel=0.01)
    assert pace.dropped == 0


def test_while_there_is_nothing_to_show_nothing_is_asked() -> None:
    clock = HandClock()
    pace = Pace(clock, 20.0)
    present(pace, clock, 0.01)
    pace.pause()
    clock.advance(60.0)
    present(pace, clock, 0.01)
    assert pace.counts() == {"asked": 2, "presented": 2, "late": 0, "dropped": 0}
