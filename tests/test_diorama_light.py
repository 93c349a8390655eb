"""What the sun does in the diorama's pictures, and what lies at the walker's feet."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from model.camera import BLOOM_SCALE, EYE_M, RIPPLE_SCALE, SAND_X, SAND_Y, SUN_AZIMUTH_RAD, WEB_SCALE, focal
from model.diorama import places, render, terrain
from model.field import DETAIL_CELL_M, GRIT_CELL_M, PERIOD_M, SIZE, field_of

FIELD, SHORE = field_of(3), np.array([0.0, 30.0, 0.2])
HEIGHT, WIDTH = 180, 320


def _place(name: str) -> np.ndarray:
    return places.mix(np.eye(len(places.PLACES), dtype=np.float32)[places.PLACES.index(name)])


def _drawn(
    name: str, sun_rad: float, cloud: float = 0.0, x: float = 300.0, yaw: float = 0.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture, its depth, and the camera."""
    place = _place(name)
    z = terrain.ground_height(FIELD.land, place, SHORE, x, 500.0, 0.0) + EYE_M
    camera = np.array([x, 500.0, z, yaw, 0.0])
    weather = np.array([sun_rad, cloud, 0, 0, 0, 0, 0])
    times = np.array([10.0, 30.0, 0.3, 0, 0])
    picture, depth = render.draw_deep(FIELD, place, SHORE, camera, weather, times, 0.0, (HEIGHT, WIDTH), 400)
    return picture, depth, camera


def _ahead(yaw: float) -> tuple[float, float]:
    return math.sin(yaw), math.cos(yaw)


def _tree(
    place: np.ndarray, x: float, y: float, ground: float, distance: float, yaw: float
) -> tuple[float, float, float]:
    """How near the middle of the tree at (x, y), its height there, and how far off its middle is."""
    found: tuple[float, float, float] = terrain.tree_at(
        FIELD.land, FIELD.detail, FIELD.thing, FIELD.shift_m, place, x, y, ground, distance, math.sin(yaw),
        math.cos(yaw),
    )  # fmt: skip
    return found


def _shade(name: str, x: float, y: float, distance: float, yaw: float, sun_rad: float) -> float:
    """On the ground at (x, y); -1 where a tree stands."""
    place = _place(name)
    ground = terrain.ground_height(FIELD.land, place, SHORE, x, y, distance)
    if _tree(place, x, y, ground, distance, yaw)[1] > 0:
        return -1.0
    return float(
        terrain.shade_at(
            FIELD.land, FIELD.detail, FIELD.thing, FIELD.town, FIELD.shift_m, place, x, y, ground, distance,
            *_ahead(yaw), math.tan(sun_rad),
        )
    )  # fmt: skip


def _lit_over_shaded(name: str, cloud: float) -> float:
    """How much brighter the ground is in the sun than in the shadow of trees, some way off."""
    picture, depth, camera = _drawn(name, 0.6, cloud)
    lit: list[float] = []
    shaded: list[float] = []
    for row in range(int(0.5 * HEIGHT), int(0.7 * HEIGHT), 2):
        for column in range(0, WIDTH, 3):
            z = float(depth[row, column])
            across = (column + 0.5 - WIDTH / 2) / focal(WIDTH)
            x = camera[0] + (math.sin(camera[3]) + math.cos(camera[3]) * across) * z
            y = camera[1] + (math.cos(camera[3]) - math.sin(camera[3]) * across) * z
            shade = _shade(name, x, y, z, camera[3], 0.6) if z > 0 else -1.0
            if shade > 0.8 or shade == 0:
                (shaded if shade else lit).append(picture[row, column].mean())
    assert min(len(lit), len(shaded)) > 20
    return float(np.mean(lit) / np.mean(shaded))


def test_trees_cast_shadows_in_the_sun_and_hardly_any_under_clouds() -> None:
    assert _lit_over_shaded("meadow", 0.0) > 1.6
    assert _lit_over_shaded("meadow", 1.0) < 1.5


def test_a_shadow_lies_on_the_side_away_from_the_sun_and_is_short_at_noon() -> None:
    place, yaw, away = _place("meadow"), SUN_AZIMUTH_RAD + math.pi / 2, 30.0  # so that both sides are as far off
    rng, sides = np.random.default_rng(0), []
    for x, y in rng.uniform(0, 600, (12000, 2)):
        ground = terrain.ground_height(FIELD.land, place, SHORE, x, y, away)
        crown, _, _ = _tree(place, x, y, ground, away, yaw)
        if crown < 0.93:
            continue
        behind, before, noon = (
            _shade("meadow", x - d * math.sin(SUN_AZIMUTH_RAD), y - d * math.cos(SUN_AZIMUTH_RAD), away, yaw, sun)
            for d, sun in ((4.0, 0.5), (-4.0, 0.5), (4.0, 1.3))
        )
        if min(behind, before, noon) >= 0:
            sides.append((behind, before, noon))
    behind, before, noon = np.mean(sides, 0)
    assert len(sides) > 5 and behind > 0.6 > 3 * max(before, noon)


@pytest.mark.parametrize("name", ["snowfield", "desert", "meadow", "lake", "reef"])
def test_what_lies_at_ones_feet_is_the_same_after_a_period(name: str) -> None:
    here, again = _drawn(name, 0.7)[0], _drawn(name, 0.7, x=300.0 + PERIOD_M)[0]
    assert np.abs(here - again).max() < 0.02
    turns = PERIOD_M / (2 * math.pi)
    scales = (1 / GRIT_CELL_M, RIPPLE_SCALE, WEB_SCALE, BLOOM_SCALE / DETAIL_CELL_M)
    for waves in (SAND_X * turns, SAND_Y * turns, *(PERIOD_M / SIZE * scale for scale in scales)):
        assert waves == pytest.approx(round(waves), abs=1e-6)


def _with_a_little_of_a_street(share: float) -> np.ndarray:
    weights = np.zeros(len(places.PLACES), np.float32)
    weights[places.PLACES.index("meadow")], weights[places.PLACES.index("street")] = 1 - share, share
    camera, weather = np.array([300.0, 500.0, 12.0, 0.5, 0.0]), np.array([0.7, 0.3, 0, 0, 0, 0, 0])
    times = np.array([10.0, 30.0, 0.3, 0, 0])
    place = places.mix(weights)
    return render.draw(FIELD, place, SHORE, camera, weather, times, 0.0, (HEIGHT, WIDTH), 400)


def test_houses_rise_out_of_the_ground_without_a_cut() -> None:
    drawn = [_with_a_little_of_a_street(share) for share in np.arange(0.0, 0.2, 0.02)]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(drawn)]
    assert steps[0] < 1.7 * steps[1]


def test_stars_are_points_and_fade_by_day() -> None:
    night, day = (_drawn("desert", sun)[0][: HEIGHT // 4].sum(-1) for sun in (-0.6, 0.8))
    bright = night > np.median(night) + 0.4
    assert 0.001 < bright.mean() < 0.05
    assert not (day > np.median(day) + 0.8).any()
