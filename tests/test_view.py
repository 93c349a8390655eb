"""What a field looks like: right in its geometry whatever the weights, and the same by the quick way and the slow."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from worlds import random_view

from model.camera import EYE_M, HORIZON, NEAREST_M, distances
from model.conditions import ENVIRONMENT, FAIR, GRID
from model.diorama.places import PLACES
from model.field import PERIOD_M, SIZE, field_of
from model.land import _to_shores
from model.points import Land
from model.preset import PRESETS
from model.shading import Moment, Textures, sample
from model.shadow import looming
from model.view import View, nearest_of

HEIGHT, WIDTH = 90, 160


@cache
def _view() -> View:
    return random_view(PRESETS["tiny"]).eval()


@cache
def _textures() -> Textures:
    return Textures.of([field_of(1), field_of(2)], torch.device("cpu"))


def _moment(place: str = "meadow", **camera: float) -> Moment:
    at = {"x": 100.0, "y": 200.0, "z": 8.0, "yaw": 0.4, "pitch": 0.0} | camera
    return Moment(
        world=torch.zeros(1, dtype=torch.long), place=torch.eye(len(PLACES))[PLACES.index(place)][None],
        environment=torch.from_numpy(FAIR.copy())[None], flash=torch.zeros(1),
        camera=torch.tensor([list(at.values())], dtype=torch.float64),
        shore=torch.tensor([[0.0, 30.0, 0.2]], dtype=torch.float64),
        phases=torch.tensor([[3.0, 5.0, 0.3, 0.2, 1.0]], dtype=torch.float64),
        presence=torch.zeros(1, *GRID, 2),
    )  # fmt: skip


def _seen(moment: Moment) -> torch.Tensor:
    with torch.no_grad():
        return _view().picture(_textures(), moment, HEIGHT, WIDTH)[0][0]


def _both_ways(moment: Moment, rows: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    """Columns seen of one moment in the quick way and in training's."""
    u, v = (torch.arange(12) + 0.5)[None] / 12, (torch.arange(rows) + 0.5) / rows
    with torch.no_grad():
        quick, _, _ = _view().columns(_textures(), moment, u, v, 16 / 9, 1 / rows)
    slow, _, _ = _view().columns(_textures(), moment, u, v, 16 / 9, 1 / rows)
    return quick, slow.detach()


@pytest.mark.parametrize("place", ["desert", "forest"])
def test_the_quick_way_for_one_moment_equals_the_reference(place: str) -> None:
    """Folding the conditions into the weights, in blocks, changes nothing. (Shores are met by it alone.)"""
    moment = _moment(place)
    moment.presence[:, 2, 3] = 1.0
    moment.environment[:, ENVIRONMENT.index("snow")] = 0.6
    torch.testing.assert_close(*_both_ways(moment), atol=2e-4, rtol=1e-3)


def test_textures_are_sampled_between_their_texels_and_repeat() -> None:
    texture = torch.from_numpy(field_of(1).land).flatten(0, 1)
    u, v = torch.tensor([3.0, 3.5, 3.0 + SIZE, -509.0]), torch.tensor([7.0, 7.0, 7.0, 7.0])
    got = sample(texture, 0, u, v)
    torch.testing.assert_close(got[0], texture[7 * SIZE + 3])
    torch.testing.assert_close(got[1], (texture[7 * SIZE + 3] + texture[7 * SIZE + 4]) / 2)
    torch.testing.assert_close(got[2], got[0])
    torch.testing.assert_close(got[3], got[0])


def test_a_field_is_its_seed_and_the_same_after_a_period() -> None:
    assert np.array_equal(field_of(5).land, field_of.__wrapped__(5).land)
    assert not np.array_equal(field_of(5).land, field_of(6).land)
    here, again = _seen(_moment()), _seen(_moment(x=100.0 + PERIOD_M, y=200.0 - PERIOD_M))
    assert (here - again).abs().mean() < 0.01


def test_houses_towards_the_sun_loom_the_more_the_lower_the_sun() -> None:
    view, loomed = random_view(PRESETS["tiny"]).eval(), []
    torch.nn.init.constant_(view.terrain.level.bias, -5.0)  # and all land is dry
    torch.nn.init.zeros_(view.terrain.houses.out.weight)
    torch.nn.init.constant_(view.terrain.houses.out.bias, 0.3)  # so that houses stand, whatever the weights
    for sun in (0.1, 0.6, 1.3):
        moment = _moment("street")
        moment.environment[:, ENVIRONMENT.index("sun_rad")] = sun
        across, looks = torch.linspace(-0.7, 0.7, 24)[None], torch.linspace(3, 60, 50)
        with torch.no_grad():
            terrain, told = view.terrain, view.told_of(moment)
            points, _ = terrain.relief(_textures(), moment, across, looks, told)
            parts = looming(terrain.houses, _textures(), moment, points, told)
        loomed.append(float(torch.stack(parts).mean()))
    assert loomed[0] > loomed[1] > loomed[2] > 0


def _wall(at_m: float, height_m: float) -> Land:
    """Level ground at height 0, dark, with a bright wall across the ray at a distance."""
    z = torch.from_numpy(distances(400))
    surface = torch.where(z > at_m, height_m, 0.0)[None, None]
    colour = torch.where(z > at_m, 1.0, 0.0)[None, None, :, None].expand(1, 1, -1, 3).contiguous()
    shown = torch.cat([colour, torch.zeros_like(colour[..., :2])], -1)
    return Land(z[None, None], torch.zeros_like(surface), surface, surface, surface, shown)


def test_what_stands_hides_what_lies_behind_it() -> None:
    view = View(replace(PRESETS["tiny"], view_looks=400))
    land = _wall(20.0, 3.0)
    wall_m = float(land.distance[land.distance > 20.0][0])
    lines = torch.tensor([[0.5, 0.01, -0.05, -0.1, -0.2, -0.5]])  # slopes, from above the wall to the ground before it
    shown, _, distance, cover = view.terrain.meet(land, torch.tensor([EYE_M]), lines, 400.0)
    colour = shown[..., :3]
    assert cover[0, 0].tolist()[0] == 0 and (cover[0, 0, 1:] == 1).all()
    assert (colour[0, 0, 1:4] > 0.9).all() and distance[0, 0, 1:4].tolist() == pytest.approx([wall_m] * 3)
    assert colour[0, 0, 5].max() < 0.1 and float(distance[0, 0, 5]) == pytest.approx(EYE_M / 0.5, rel=0.05)


def test_level_ground_is_seen_where_geometry_puts_it() -> None:
    view = View(replace(PRESETS["tiny"], view_looks=400))
    land = _wall(1e9, 0.0)
    slopes = -EYE_M / torch.tensor([[3.0, 8.0, 30.0, 300.0]])
    _, _, distance, _ = view.terrain.meet(land, torch.tensor([EYE_M]), slopes, 400.0)
    torch.testing.assert_close(distance[0, 0], torch.tensor([3.0, 8.0, 30.0, 300.0]), rtol=0.06, atol=0)


def test_turning_shifts_the_picture_by_what_it_turns() -> None:
    """Half the field of view to the right: what was at the right edge is in the middle, whatever the weights."""
    ahead, turned = _seen(_moment(yaw=0.0)), _seen(_moment(yaw=float(np.arctan(np.tan(0.625) / 2))))
    sky = slice(0, int(HORIZON * HEIGHT) - 12)
    right, middle = ahead[sky, WIDTH * 3 // 4].mean(0), turned[sky, WIDTH // 2].mean(0)
    unlike = (ahead[sky, WIDTH // 8].mean(0) - middle).abs().mean()
    assert (right - middle).abs().mean() < 0.5 * unlike


def test_a_picture_of_twice_the_size_shows_the_same() -> None:
    with torch.no_grad():
        small, _ = _view().picture(_textures(), _moment(), HEIGHT, WIDTH)
        large, depth = _view().picture(_textures(), _moment(), 2 * HEIGHT, 2 * WIDTH)
    assert depth.shape == (1, 2 * HEIGHT, 2 * WIDTH) and float(depth.max()) > NEAREST_M
    halved = torch.nn.functional.avg_pool2d(large.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    assert (halved - small).abs().mean() < 0.35 * small.std()


def test_visitors_change_the_picture_where_they_are() -> None:
    plain = _seen(_moment())
    touched = _moment()
    touched.presence[:, 2, 1] = 1.0
    change = (_seen(touched) - plain).abs().mean(2)
    assert change[:, WIDTH // 2 :].max() == 0 and change[36:54, 20:40].mean() > 1e-3


def test_several_worlds_are_seen_at_once() -> None:
    """As training does: each with its own land, conditions and place."""
    one, other = _moment(), _moment("desert", yaw=1.0)
    other.world = torch.ones(1, dtype=torch.long)
    both = Moment(**{name: torch.cat([getattr(one, name), getattr(other, name)]) for name in vars(one)})
    with torch.no_grad():
        together, _ = _view().picture(_textures(), both, HEIGHT, WIDTH)
    for at, alone in enumerate((one, other)):
        assert (together[at] - _seen(alone)).abs().mean() < 6e-3


def test_rays_begin_where_the_picture_does_but_at_ones_feet_where_walls_and_dunes_may_rise() -> None:
    assert nearest_of(_moment("meadow"), -0.3) > 1.5 * NEAREST_M
    assert nearest_of(_moment("meadow"), -0.9) == nearest_of(_moment("street"), -0.3) == NEAREST_M
    assert nearest_of(_moment("desert"), -0.3) == NEAREST_M < nearest_of(_moment("coast"), -0.3)


def test_rays_meet_a_shore_where_it_is() -> None:
    distance = torch.tensor([[[10.0, 20.0, 30.0, 40.0]]])
    above = torch.tensor([[[1.0, 0.5, -1.5, -2.0]]])  # m, of the ground above the water
    moved, beside = _to_shores(distance, above)
    assert moved[0, 0].tolist() == pytest.approx([10.0, 22.5, 22.5, 40.0], rel=1e-3)
    assert beside[0, 0, 1] > 0 > beside[0, 0, 2] and beside[0, 0, 0] == beside[0, 0, 3] == 0
    same, none = _to_shores(distance, above.abs())
    assert torch.equal(same, distance) and not bool(none.any())
