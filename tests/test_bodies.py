"""What stands close by: as the teacher draws it, and as a network lays it over a picture."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from worlds import moment_in

from model.bodies import Bodies
from model.camera import BODIES_M, NEAREST_M
from model.diorama import places
from model.diorama.bodies import FRONT, body_at, lit_at
from model.diorama.places import PLACES
from model.field import field_of
from model.passing import passed_by
from model.preset import PRESETS
from model.shading import Textures
from model.training.view import random_fronts
from model.view import View

FIELD = field_of(3)
ACROSS = torch.linspace(-0.6, 0.6, 40)[None]
SLOPE = torch.linspace(0.5, -0.5, 48)[None]


@cache
def _textures() -> Textures:
    return Textures.of([FIELD], torch.device("cpu"))


def _place(name: str) -> np.ndarray:
    weights = np.zeros(len(PLACES), np.float32)
    weights[PLACES.index(name)] = 1
    return places.mix(weights)


def _cover(name: str, aside: float, up: float) -> float:
    """How much a thing 8 m high covers so far aside and up, 40 m off, on average over its textures."""
    place = _place(name)
    found = [body_at(FIELD.detail, place, aside, up * 8.0, 8.0, 2.5, 0.1 + 0.001 * n, 40.0, 0.0)[0] for n in range(40)]
    return float(np.mean(found))


def test_a_fir_is_wide_below_and_narrow_above() -> None:
    assert _cover("forest", 0.35, 0.2) > 0.8 > 4 * _cover("forest", 0.35, 0.85)
    assert _cover("forest", 0.0, 0.85) > 0.5


def test_beside_the_trunk_of_a_round_tree_one_looks_through_under_its_crown() -> None:
    assert _cover("meadow", 0.0, 0.08) > 0.9 and _cover("meadow", 0.5, 0.08) < 0.05 < 0.6 < _cover("meadow", 0.5, 0.6)


def test_rocks_have_no_holes() -> None:
    assert _cover("cave", 0.2, 0.3) > 0.99


@pytest.mark.parametrize("name", [name for name in PLACES if places.TABLE[PLACES.index(name), 8] > 0.005])
def test_every_thing_has_colours(name: str) -> None:
    fronts = random_fronts(np.random.default_rng(0), _place(name), 400)
    assert fronts.shape == (400, len(FRONT)) and (np.abs(fronts[:, 0]) <= 1).all()
    out = np.zeros((400, 4), np.float32)
    lit_at(FIELD.detail, _place(name), np.array([0.7, 0.2, 0, 0, 0, 0.2, 0.5]), 0.0, fronts, out)
    assert np.isfinite(out).all() and out.min() >= 0 and out[:, 0].max() <= 1
    assert 0.05 < out[:, 0].mean() < 0.95 and 0.02 < out[out[:, 0] > 0.5, 1:].mean() < 1


@torch.no_grad()
def _laid(place: str, depth_m: float, high_m: float = 8.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Things all as high, wholly white, over a black picture so far off: picture, depth, and what is left open."""
    torch.manual_seed(0)
    view, moment = View(PRESETS["tiny"]).eval(), moment_in(place)
    for layer in (view.terrain.ground.out, view.terrain.stands.out, view.terrain.level):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    view.terrain.stands.out.bias.fill_(high_m / 10)
    view.terrain.level.bias.fill_(-5.0)
    bodies: Bodies = view.bodies
    torch.nn.init.zeros_(bodies.shader.out.weight)
    bodies.shader.out.bias.copy_(torch.tensor([1.0, 1.0, 1.0, 0.0, 20.0]))
    picture, depth = torch.zeros(1, 40, 48, 3), torch.full((1, 40, 48), depth_m)
    things = passed_by(_textures(), moment, ACROSS)
    return bodies(
        view.terrain, _textures(), moment, picture, depth, things, ACROSS, SLOPE, torch.zeros(1, 40, 3),
        view.told_of(moment),
    )  # type: ignore[no-any-return]  # fmt: skip


def test_what_stands_covers_the_sky_and_has_a_distance() -> None:
    picture, depth, left = _laid("forest", 0.0)
    covered = left < 0.5
    assert 0.1 < covered.float().mean() < 0.99
    assert (depth[covered] > NEAREST_M).all() and (depth[covered] < BODIES_M[1]).all() and (depth[~covered] == 0).all()
    assert (picture[covered].sum(1) > 0).all() and (picture[left == 1] == 0).all()


def test_land_that_is_nearer_hides_it() -> None:
    near, far = _laid("forest", NEAREST_M)[2], _laid("forest", 0.0)[2]
    assert (near == 1).all() and not (far == 1).all()


def test_no_more_than_all_is_covered_and_what_is_lower_covers_less() -> None:
    high, low = _laid("forest", 0.0)[2], _laid("forest", 0.0, 2.0)[2]
    assert high.min() >= 0 and low.min() >= 0 and low.mean() > high.mean()


def test_where_nothing_stands_a_picture_stays_as_it_is() -> None:
    picture, depth, left = _laid("desert", 50.0)
    assert (left == 1).all() and (picture == 0).all() and (depth == 50.0).all()
