"""Grass on the ground, and the light of lamps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from worlds import moment_in

from model.conditions import ENVIRONMENT
from model.diorama import surfaces
from model.diorama.places import COLUMN, PLACES, TABLE
from model.field import FINE_CELL_M, SIZE, TOWN, field_of
from model.grass import MEAN, REACH_M
from model.litter import grass
from model.shading import Moment, Textures, sample

FIELD = field_of(1)
TEXTURES = Textures.of([FIELD], torch.device("cpu"))
MEADOW = PLACES.index("meadow")
HIGH_M = float(TABLE[MEADOW, COLUMN["grass_m"]])


def _moment(wind: float, clock_s: float) -> Moment:
    moment = moment_in("meadow")
    moment.environment[0, ENVIRONMENT.index("wind")] = wind
    moment.phases[0, 0] = clock_s
    return moment


def _met(slope: float, wind: float = 0.3, clock_s: float = 12.0) -> tuple[np.ndarray, ...]:
    """Where in grass lines of sight to 3,000 places are met, by the view's words: how high, x, y; and the places."""
    at = torch.from_numpy(np.random.default_rng(2).uniform(0, 300, (2, 1, 3000, 1)).astype(np.float32))
    way = torch.full((1, 3000, 1), 0.6), torch.full((1, 3000, 1), 0.8)
    fine = sample(TEXTURES.grain, 0, at[0] / FINE_CELL_M, at[1] / FINE_CELL_M)
    met = grass(TEXTURES, _moment(wind, clock_s), (at[0], at[1]), way, torch.full((1, 1), slope), fine)
    return tuple(part.flatten().numpy() for part in (*met, *at, fine))


@pytest.mark.parametrize("slope", [-0.4, -0.1])
def test_teacher_and_view_meet_grass_at_the_same_height(slope: float) -> None:
    hit, x, y, at_x, at_y, fine = _met(slope)
    taught = np.array([
        surfaces.grass(FIELD.detail, u, v, 0.6, 0.8, slope, HIGH_M, f, 12.0, 0.3)
        for u, v, f in zip(at_x, at_y, fine, strict=True)
    ])  # fmt: skip
    # A tuft that a line of sight just touches may be met by one and passed by the other.
    same = np.abs(taught[:, 0] - hit) < 0.02
    assert same.mean() > 0.98
    assert np.abs(taught[same, 1] - x[same]).max() < 0.05 and np.abs(taught[same, 2] - y[same]).max() < 0.05


def test_grass_is_met_before_the_ground_and_as_high_as_is_said_on_average() -> None:
    hit, x, y, at_x, at_y, _ = _met(-0.2, wind=0.0)
    assert abs(hit.mean() - MEAN) < 0.03 and hit.min() >= 0 and hit.max() < 1.3
    before = (at_x - x) * 0.6 + (at_y - y) * 0.8
    assert before.min() > -0.05 and before.max() < 1.3 * REACH_M


def test_wind_moves_grass_and_still_air_hardly() -> None:
    moved = [
        np.abs(_met(-0.3, wind, 12.0)[1] - _met(-0.3, wind, 12.5)[1]).mean() for wind in (0.0, 1.0)
    ]  # fmt: skip
    assert 0 < moved[0] < 0.5 * moved[1]


def test_lamps_and_windows_light_streets_and_leave_some_dark() -> None:
    town = FIELD.town
    street = town[..., TOWN.index("rank")] == 0
    lamp = town[..., TOWN.index("lamp")]
    assert town.shape == (SIZE, SIZE, len(TOWN)) and lamp.min() >= 0 and lamp.max() <= 1.2
    assert (lamp[street] > 0.5).mean() > 0.02 and (lamp[street] < 0.1).mean() > 0.2


def test_light_lies_in_a_town_alone() -> None:
    shift = np.zeros(2, np.float32)
    x, y = np.argwhere(FIELD.town[..., TOWN.index("lamp")].T > 1.0)[0] + 0.5

    def light(name: str) -> float:
        return float(surfaces.lamp_at(FIELD.town, shift, TABLE[PLACES.index(name)], x, y))

    assert light("street") > 2 and light("lanterns") > 0.5 and light("forest") == 0
