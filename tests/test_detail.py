"""How finely the world is drawn while the machine is too slow."""

from __future__ import annotations

import numpy as np
import pytest

from model.conditions import STEPS_PER_S
from model.preset import SHARES
from model.world import load
from oysterd.detail import Detail


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def steps(self, detail: Detail, took_s: float, seconds: float) -> list[str]:
        """Steps that take so long each, for so long; what was told."""
        told = []
        until = self.now_s + seconds
        while self.now_s < until:
            self.now_s += max(took_s, 1 / STEPS_PER_S)
            why = detail.step(took_s, self.now_s)
            if why is not None:
                told.append(why)
        return told


def test_a_hiccup_changes_nothing() -> None:
    detail, clock = Detail(), _Clock()
    clock.steps(detail, 0.06, 10)
    assert clock.steps(detail, 0.2, 0.5) == [] and clock.steps(detail, 0.06, 10) == []
    assert detail.share == 1


@pytest.mark.parametrize(("took_s", "share"), [(0.08, 1.0), (0.1, 0.75), (0.14, 0.5), (0.4, 0.375)])
def test_a_world_that_begins_is_drawn_as_large_as_its_first_steps_allow(took_s: float, share: float) -> None:
    detail, clock = Detail(), _Clock()
    told = clock.steps(detail, took_s, 9 * max(took_s, 1 / STEPS_PER_S))
    assert detail.share == share and len(told) == (share < 1)
    assert all(f"{1000 * took_s:.0f} ms" in line for line in told)


def test_a_first_picture_that_takes_long_is_no_slow_machine() -> None:
    detail, clock = Detail(), _Clock()
    assert clock.steps(detail, 1.5, 3) == [] and clock.steps(detail, 0.06, 1) == []
    assert detail.share == 1


def test_a_machine_that_gets_too_slow_draws_smaller_pictures_and_says_so() -> None:
    detail, clock = Detail(), _Clock()
    clock.steps(detail, 0.03, 1)
    told = clock.steps(detail, 0.1, 9)
    assert detail.share == 0.75 and len(told) == 1
    assert "ms, more than its 83" in told[0] and "three quarters" in told[0] and "world.height_px" in told[0]
    told = clock.steps(detail, 0.09, 9)
    assert detail.share == 0.5 and "half" in told[0]
    told = clock.steps(detail, 0.09, 9)
    assert detail.share == 0.375 and "three eighths" in told[0]
    assert clock.steps(detail, 0.09, 30) == [] and detail.share == 0.375  # there is nothing smaller


def test_a_larger_size_is_tried_again_and_less_often_where_it_fails() -> None:
    detail, clock = Detail(), _Clock()
    clock.steps(detail, 0.03, 1)
    waited: list[float] = []
    for _ in range(7):
        clock.steps(detail, 0.1, 9)
        assert detail.share == 0.75
        began_s = clock.now_s
        while detail.share < 1:
            clock.steps(detail, 0.045, 0.1)
        waited.append(clock.now_s - began_s)
    assert waited[0] < 70 and waited[1] > 1.5 * waited[0] and 550 < waited[-1] < 605


def test_what_gets_fast_again_is_drawn_in_full_step_by_step() -> None:
    detail, clock = Detail(), _Clock()
    clock.steps(detail, 0.03, 1)
    clock.steps(detail, 0.1, 27)
    assert detail.share == 0.375
    told = clock.steps(detail, 0.03, 300)
    assert detail.share == 1 and len(told) == 3 and "half" in told[0] and "in full" in told[2]


def test_a_larger_size_is_not_tried_while_the_smaller_is_slow_already() -> None:
    detail, clock = Detail(), _Clock()
    clock.steps(detail, 0.03, 1)
    clock.steps(detail, 0.1, 9)
    assert clock.steps(detail, 0.06, 2000) == [] and detail.share == 0.75


@pytest.mark.parametrize("share", SHARES[1:])
def test_a_world_drawn_at_a_share_of_its_size_is_the_same_world(share: float) -> None:
    model = load("nacre")
    world = model.begin("a meadow at noon", seed=3)
    other = world.fork()
    full = world.step()
    model.seeing.share = share
    half = other.step()
    model.seeing.share = 1.0
    assert half.depth is not None and full.depth is not None and half.depth.shape == full.depth.shape
    assert half.frames.shape == full.frames.shape
    near = np.abs(half.frames.astype(int) - full.frames.astype(int)).mean()
    assert 0.1 < near < 14 and np.array_equal(half.audio, full.audio)
    assert np.array_equal(world.step().frames, other.step().frames)


def test_depth_is_told_only_where_somebody_looks_at_it() -> None:
    model = load("nacre", height=144)
    world = model.begin("a meadow at noon", seed=3)
    with_depth = world.fork().step()
    model.seeing.deep = False
    without = world.step()
    assert with_depth.depth is not None and with_depth.depth.shape == with_depth.frames.shape[1:3]
    assert without.depth is None and np.array_equal(without.frames, with_depth.frames)


def test_a_world_that_begins_from_a_picture_may_be_drawn_smaller() -> None:
    model = load("nacre")
    world = model.begin(image=np.full((90, 160, 3), 120, np.uint8), seed=3)
    model.seeing.share = 0.5
    assert np.abs(world.step().frames.astype(int) - 120).mean() < 2
