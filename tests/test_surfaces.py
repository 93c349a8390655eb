"""Which points of a large picture the network of surfaces is asked about."""

from __future__ import annotations

import numpy as np

from model.raster.surfaces import chosen, mix

COLUMNS, LOOKS = 5, 6
FIRST = np.arange(COLUMNS + 1) * LOOKS
PLACES = np.arange(COLUMNS * LOOKS, dtype=np.int32)


def _chosen(
    every: bool = False, changed: dict[str, tuple[int, int, float]] | None = None
) -> tuple[set[int], np.ndarray]:
    """Points that are asked about, and between which the others lie; changed: one number each of an even ground."""
    there = {
        "distance": np.tile(np.array([5, 8, 13, 30, 90, 400], np.float32), (COLUMNS, 1)),
        "tall": np.zeros((COLUMNS, LOOKS), np.float32), "house": np.zeros((COLUMNS, LOOKS), np.float32),
        "ground": np.ones((COLUMNS, LOOKS), np.float32),
    }  # fmt: skip
    for name, (column, look, value) in (changed or {}).items():
        there[name][column, look] = value
    asked, between = np.zeros(COLUMNS * LOOKS, np.int32), np.zeros((COLUMNS * LOOKS, 2), np.int32)
    count = chosen(FIRST, PLACES, LOOKS, *there.values(), 0.0, every, asked, between)
    return set(asked[:count].tolist()), between


def test_even_ground_of_every_second_column_lies_between_its_neighbours() -> None:
    asked, between = _chosen()
    close = {column * LOOKS + look for column in (1, 3) for look in range(5)}
    assert asked == set(range(COLUMNS * LOOKS)) - close
    assert all(tuple(between[n]) == (n - LOOKS, n + LOOKS) for n in close)
    assert (between[sorted(asked)] == -1).all()


def test_all_are_asked_about_where_that_is_wanted() -> None:
    assert len(_chosen(every=True)[0]) == COLUMNS * LOOKS


def test_what_stands_or_lies_wet_or_beside_such_is_asked_about() -> None:
    for changed in ({"tall": (2, 1, 3.0)}, {"house": (2, 1, 3.0)}, {"ground": (2, 1, -1.0)}, {"distance": (2, 1, 9.0)}):
        asked, _ = _chosen(changed=changed)  # in the column between those that are mixed
        assert {LOOKS + 1, 3 * LOOKS + 1} <= asked and LOOKS + 2 not in asked
    assert LOOKS + 1 in _chosen(changed={"tall": (1, 1, 3.0)})[0]


def test_what_lies_between_shows_half_of_either_at_its_own_distance() -> None:
    _, between = _chosen()
    distance = np.tile(np.array([5, 8, 13, 30, 90, 400], np.float32), (COLUMNS, 1))
    distance[1, 0] = 5.02
    points, shown = (np.arange(COLUMNS * LOOKS * k, dtype=np.float32).reshape(-1, k) for k in (11, 4))
    mix(between, COLUMNS * LOOKS, distance, PLACES, points, shown)
    assert np.array_equal(shown[LOOKS], [24, 25, 26, 27]) and points[LOOKS, 0] == np.float32(5.02)
    assert points[LOOKS, 3] == (3 + 2 * LOOKS * 11 + 3) / 2
