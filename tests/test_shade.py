"""The shade of what grows: the same geometry for the teacher, the view and the raster."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from worlds import moment_in

from model.camera import SHADE_LONGEST_M, SHADE_TO_M, shade_of
from model.conditions import ENVIRONMENT
from model.diorama import places
from model.diorama.places import COLUMN, PLACES
from model.diorama.terrain import shade_at
from model.field import DETAIL_CELL_M, field_of
from model.raster.land import Land
from model.raster.room import Now, Room
from model.raster.shade import about, cast
from model.shade import shade_on, tangent_of
from model.shading import Moment, Textures, sample
from model.view import View
from model.world import load

FIELD = field_of(3)
NOON = 0.9


@cache
def _textures() -> Textures:
    return Textures.of([FIELD], torch.device("cpu"))


@cache
def _view() -> View:
    return load("nacre").view


def _moment(sun_rad: float = NOON, place: str = "forest") -> Moment:
    moment = moment_in(place)
    moment.environment[:, ENVIRONMENT.index("sun_rad")] = sun_rad
    moment.camera[:, 2] = 9.0
    return moment


def _shade_of_the_view(moment: Moment) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Where lines of sight meet level ground, x and y in m, and how much shade lies there."""
    across, slope = torch.linspace(-0.6, 0.6, 80)[None], torch.linspace(-0.02, -0.5, 60)[None]
    distance = (4.0 / -slope)[:, None].expand(1, 80, 60).contiguous()
    bare = torch.ones_like(distance, dtype=torch.bool)
    told = _view().told_of(moment)
    shade = shade_on(_view().terrain.stands, _textures(), moment, bare, distance, across, slope, told)
    yaw = float(moment.camera[0, 3])
    x = float(moment.camera[0, 0]) + (math.sin(yaw) + math.cos(yaw) * across[..., None]) * distance
    y = float(moment.camera[0, 1]) + (math.cos(yaw) - math.sin(yaw) * across[..., None]) * distance
    return x, y, shade


def test_shade_lies_on_the_side_away_from_the_sun_and_is_long_when_it_is_low() -> None:
    def at(ahead: float, tangent: float) -> float:
        return shade_of(ahead, 0.0, 8.0, 2.0, tangent)

    assert at(3.0, 1.0) > 0.9 and at(-3.0, 1.0) == 0
    assert at(9.0, 2.0) == 0 < at(9.0, 0.5)
    assert at(SHADE_LONGEST_M + 2, 0.02) == 0  # and no longer than this


def test_what_has_no_height_has_no_shade() -> None:
    assert shade_of(0.0, 0.0, 0.0, 0.0 + 1e-3, 1.0) == 0


def test_the_raster_lays_the_shade_that_the_view_tells() -> None:
    moment = _moment()
    with torch.no_grad():
        told = _view().told_of(moment)
        x, y, wanted = _shade_of_the_view(moment)
        across = np.linspace(-0.65, 0.65, 64)
        now = Now.of(moment, _textures())
        land = Land(_view(), Room(), _textures(), moment, now, told, across, 1, -0.5, 1e-3)
        things = about(_view().terrain, Room(), _textures(), moment, now, told, land)
        laid = torch.from_numpy(cast(Room(), now, land, things))
    shift = _textures().shift[0]
    got = sample(laid, 0, (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M)
    # What is far off fades, which the raster does where it lays the shade over a picture.
    far = (x - float(moment.camera[0, 0])).hypot(y - float(moment.camera[0, 1])) > SHADE_TO_M[1] * 0.9
    near = ~far
    assert 0.02 < float(wanted[near].mean()) < 0.9
    assert float((got - wanted)[near].abs().mean()) < 0.25 * float(wanted[near].mean())


def test_the_view_tells_the_shade_that_the_teacher_draws() -> None:
    moment = _moment()
    with torch.no_grad():
        x, y, got = _shade_of_the_view(moment)
    weights = np.zeros(len(PLACES), np.float32)
    weights[PLACES.index("forest")] = 1
    place, yaw = places.mix(weights), float(moment.camera[0, 3])
    tangent = float(tangent_of(torch.tensor(NOON)))
    wanted = np.zeros(got.shape, np.float32)
    for at in np.ndindex(*got.shape):
        away = (float(x[at]) - 700.0) * math.sin(yaw) + (float(y[at]) - 300.0) * math.cos(yaw)
        wanted[at] = shade_at(
            FIELD.land, FIELD.detail, FIELD.thing, FIELD.town, FIELD.shift_m, place, float(x[at]), float(y[at]), 5.0,
            away, math.sin(yaw), math.cos(yaw), tangent,
        )  # fmt: skip
    assert np.corrcoef(wanted.ravel(), got.numpy().ravel())[0, 1] > 0.9


@pytest.mark.parametrize("place", ["coast", "desert"])
def test_where_nothing_grows_there_is_no_shade(place: str) -> None:
    moment = _moment(place=place)
    assert places.TABLE[PLACES.index(place), COLUMN["tree_cover"]] == 0
    with torch.no_grad():
        assert float(_shade_of_the_view(moment)[2].max()) == 0
