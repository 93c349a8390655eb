"""People, counted coarsely."""

from __future__ import annotations

import numpy as np
import pytest

from oysterd.people import count, places_of

HEIGHT, WIDTH = 40, 64


def figures(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """bool (HEIGHT, WIDTH) of rectangles (left, top, right, bottom)."""
    visitor = np.zeros((HEIGHT, WIDTH), np.bool_)
    for left, top, right, bottom in boxes:
        visitor[top:bottom, left:right] = True
    return visitor


def test_silhouettes_are_found_at_their_middles_and_crumbs_are_not() -> None:
    places = places_of(figures((4, 10, 10, 40), (40, 20, 44, 36), (60, 0, 62, 4)))
    assert places == [pytest.approx((7 / 64, 25 / 40)), pytest.approx((42 / 64, 28 / 40))]
    assert places_of(figures()) == []


def test_a_slit_does_not_make_two_of_one() -> None:
    visitor = figures((10, 10, 20, 40))
    visitor[24] = False
    assert len(places_of(visitor)) == 1


def test_depth_parts_who_stands_behind_whom() -> None:
    visitor = figures((10, 8, 20, 40), (20, 14, 28, 40))
    depth_m = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    depth_m[14:, 20:28] = 3.0
    depth_m[8:, 10:20] = 1.5
    assert len(places_of(visitor)) == 1
    assert len(places_of(visitor, depth_m)) == 2


def test_what_two_cameras_see_at_one_place_is_one_visitor() -> None:
    assert count([[(0.2, 0.5), (0.7, 0.5)], [(0.25, 0.55)]]) == 2
    assert count([[(0.2, 0.5)], [(0.5, 0.5)]]) == 2
    assert count([[(0.2, 0.5), (0.25, 0.5)]]) == 2  # one camera has parted its own already
    assert count([[], []]) == 0
