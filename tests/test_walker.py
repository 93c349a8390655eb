"""A walker goes where he is told, for days, and his phases go on."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from model.camera import EYE_M, WALK_M_S
from model.conditions import FAIR, STEPS_PER_S
from model.field import PERIOD_M
from model.walker import Walker, blown


def _go(walker: Walker, steps: int, motion: tuple[float, ...], height_m: float = 1.0) -> Walker:
    for _ in range(steps):
        walker = walker.advanced(np.array(motion, np.float32), 0.0, FAIR, 0.0, lambda _x, _y: height_m)
    return walker


def test_a_second_forward_is_a_second_s_walk() -> None:
    walker = _go(Walker(x=100, y=100, yaw=math.pi / 2), STEPS_PER_S, (1, 0, 0, 0))
    assert (walker.x - 100, walker.y - 100) == pytest.approx((WALK_M_S, 0), abs=1e-6)


def test_positive_yaw_turns_right_and_positive_strafe_goes_right() -> None:
    turned = _go(Walker(), STEPS_PER_S, (0, 0, 0.5, 0))
    assert turned.yaw == pytest.approx(0.5)
    aside = _go(Walker(x=50, y=50), 1, (0, 1, 0, 0))
    assert aside.x > 50 and aside.y == pytest.approx(50)


def test_the_ground_is_felt_softly_but_at_once_at_the_beginning() -> None:
    walker = _go(Walker(), 1, (0, 0, 0, 0), 5.0)
    assert walker.z == pytest.approx(5.0 + EYE_M)
    climbed = _go(walker, 1, (0, 0, 0, 0), 9.0)
    assert walker.z < climbed.z < 9.0 + EYE_M


def test_a_position_is_wrapped_with_its_shore() -> None:
    """So that numbers stay small for days: the sea stays where it was as seen from the walker."""
    walker = Walker(x=PERIOD_M - 0.1, y=3.0, z=4.0, yaw=math.pi / 2).with_shore(20.0, math.pi / 2)
    on = _go(walker, 3, (1, 0, 0, 0))
    assert 0 <= on.x < 5 and on.shore_x - on.x == pytest.approx(20 - 3 * WALK_M_S / STEPS_PER_S)
    assert on.sea()[1] == pytest.approx(walker.sea()[1], rel=0.05)


def test_what_nobody_moves_stands_but_time_goes_on() -> None:
    walker = _go(Walker(x=7, y=8, stride=0.3), 10, (0, 0, 0, 0))
    assert (walker.x, walker.y, walker.stride, walker.moving) == (7, 8, 0.3, 0)
    assert walker.clock_s == pytest.approx(10 / STEPS_PER_S) and walker.swash > 0 and walker.drift > 0


def test_all_of_a_walker_is_kept() -> None:
    walker = replace(Walker(), x=1.5, shore_rad=0.7, swash=0.25, z=2.0)
    assert Walker(*walker.numbers()) == walker


@pytest.mark.parametrize("gust", [-1.0, 0.0, 1.0])
def test_a_gust_moves_the_wind_about_its_mean(gust: float) -> None:
    now = blown(FAIR, gust)
    assert np.sign(now[5] - FAIR[5]) == np.sign(gust) and 0 <= now[5] <= 1
    assert np.array_equal(np.delete(now, 5), np.delete(FAIR, 5))
