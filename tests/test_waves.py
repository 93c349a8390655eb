"""Wavelets on water."""

from __future__ import annotations

import numpy as np
import torch
from worlds import moment_in

from model.conditions import ENVIRONMENT
from model.diorama import surfaces
from model.field import field_of
from model.litter import GLINT, WAVE, Litter, tilt
from model.shading import Moment, Textures
from model.waves import MOST, WAVES_TO_M

FIELD = field_of(1)
TEXTURES = Textures.of([FIELD], torch.device("cpu"))
AT = np.random.default_rng(3).uniform(0, 500, (2, 3000))
TOLD = torch.ones(1, 4)


def _moment(wind: float, clock_s: float) -> Moment:
    moment = moment_in("lake")
    moment.environment[0, ENVIRONMENT.index("wind")] = wind
    moment.phases[0, 0] = clock_s
    return moment


def _tilted(distance: float, wind: float = 0.5, clock_s: float = 70.0) -> np.ndarray:
    x, y = (torch.from_numpy(axis.astype(np.float32)).view(1, -1, 1) for axis in AT)
    return tilt(TEXTURES, _moment(wind, clock_s), x, y, torch.full_like(x, distance)).flatten().numpy()


def test_teacher_and_view_tilt_water_alike() -> None:
    taught = [surfaces.tilt(FIELD.detail, x, y, 20.0, 70.0, 0.5) for x, y in AT.T]
    assert np.abs(taught - _tilted(20.0)).max() < 0.01


def test_wavelets_grow_with_wind_and_end_far_off() -> None:
    calm, storm = _tilted(10.0, wind=0.0).std(), _tilted(10.0, wind=1.0).std()
    assert 2 * calm < storm < 1.2 and _tilted(60.0).std() < 0.5 * _tilted(10.0).std()
    assert np.abs(_tilted(WAVES_TO_M[0] + 1)).max() == 0


def test_wavelets_run_and_do_so_after_a_week_as_in_the_first_minute() -> None:
    week = 7 * 86_400.0
    for clock_s in (10.0, week):
        moved = np.abs(_tilted(10.0, clock_s=clock_s) - _tilted(10.0, clock_s=clock_s + 0.25)).mean()
        assert 0.05 < moved < 0.5


def test_water_is_changed_and_ground_is_not() -> None:
    litter = Litter(4)
    last = litter.shows[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        bias = last.bias.view(-1, 3)
        bias[WAVE], bias[GLINT, 0] = 0.3, 50.0
    shown = torch.full((1, 8, 5, 5), 0.5)
    wet = torch.zeros(1, 8, 5, dtype=torch.bool)
    wet[:, :, :3] = True
    with torch.no_grad():
        laid = litter.on_water(
            TEXTURES, _moment(0.5, 3.0), shown, wet, torch.full((1, 8, 5), 12.0), torch.linspace(-0.5, 0.5, 8)[None],
            TOLD,
        )  # fmt: skip
    changed = (laid != shown).flatten(0, 1)
    assert bool(changed[:, :3].any(0).all()) and not bool(changed[:, 3:].any())
    assert float(laid[..., 3].min()) == 0 and abs(float(laid[..., 3].max()) - MOST) < 1e-6
