"""The diorama's picture, sound and numbers tell the same story."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from model.conditions import ENVIRONMENT, GRID
from model.diorama import episode
from model.diorama import sound as sound_of
from model.diorama.episode import Script, Step
from model.diorama.places import PLACES

FAIR_DAY = np.array([0.8, 0.2, 0.0, 0.0, 0.0, 0.2, 0.5], np.float32)


def _script(place: str, steps: int = 12, motion: tuple[float, ...] = (0, 0, 0, 0), **weather: float) -> Script:
    weights = np.zeros((steps, len(PLACES)), np.float32)
    weights[:, PLACES.index(place)] = 1
    environment = np.tile(FAIR_DAY, (steps, 1))
    for key, value in weather.items():
        environment[:, ENVIRONMENT.index(key)] = value
    presence = np.zeros((steps, *GRID, 2), np.float32)
    return Script(weights, environment, np.tile(np.array(motion, np.float32), (steps, 1)), presence, False)


def _played(script: Script, seed: int = 1) -> tuple[list[Step], np.ndarray]:
    steps, sound = [], None
    for item in episode.play(script, seed):
        if isinstance(item, Step):
            steps.append(item)
        else:
            sound = item
    assert sound is not None
    return steps, sound


@cache
def _still(place: str) -> np.ndarray:
    return _played(_script(place))[0][-1].picture.astype(np.float32)


def test_the_same_seed_is_the_same_episode() -> None:
    script = episode.random_script(7, 12)
    (one, sound), (other, again) = _played(script, 7), _played(script, 7)
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(one, other, strict=True))
    assert np.array_equal(sound, again) and sound.shape == (12 * 2000, 2)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_looks_like_no_other(place: str) -> None:
    ground = {name: _still(name)[180:].mean((0, 1)) for name in PLACES}
    nearest = min(np.abs(ground[place] - colour).max() for name, colour in ground.items() if name != place)
    assert nearest > 12


def test_night_is_dark_and_noon_is_bright() -> None:
    night, noon = (_played(_script("meadow", sun_rad=sun))[0][-1].picture.mean() for sun in (-0.6, 1.2))
    assert noon > 2.5 * night


@pytest.mark.parametrize(("yaw", "sign"), [(0.6, -1), (-0.6, 1)])
def test_turning_shifts_the_picture_the_other_way(yaw: float, sign: int) -> None:
    import cv2

    steps, _ = _played(_script("mountains", motion=(0, 0, yaw, 0)))
    before, after = (cv2.cvtColor(s.picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for s in steps[-2:])
    (shift, _), _ = cv2.phaseCorrelate(before, after)
    assert np.sign(shift) == sign and 5 < abs(shift) < 40


def test_walking_moves_the_camera_forward() -> None:
    steps, _ = _played(_script("meadow", motion=(1, 0, 0, 0)))
    x, y, _, yaw, _ = steps[-1].camera - steps[0].camera * np.array([1, 1, 0, 0, 0])
    along = x * np.sin(yaw) + y * np.cos(yaw)
    assert along > 0.9 * np.hypot(x, y) > 2


@pytest.mark.parametrize("key", ["rain", "wind"])
def test_more_of_it_is_louder(key: str) -> None:
    levels = [_played(_script("meadow", 24, (0, 0, 0, 0), **{key: v}))[1][12_000:].std() for v in (0.1, 0.5, 1.0)]
    assert levels[0] < levels[1] < levels[2]


def test_thunder_follows_its_flash_by_a_second() -> None:
    for seed in range(40):
        steps, sound = _played(_script("coast", 48, rain=0.9, cloud=0.95, energy=1.0, wind=0.0), seed)
        flashes = [i for i, s in enumerate(steps) if s.flash == 1.0]
        if flashes and 4 < flashes[0] < 30:
            low = np.abs(np.fft.rfft(sound[: 48 * 2000].mean(1).reshape(48, 2000), axis=1))[:, 3:14].sum(1)
            onset = flashes[0] + sound_of.THUNDER_DELAY_STEPS
            assert low[onset : onset + 2].mean() > 2.5 * low[onset - 5 : onset - 1].mean()
            return
    pytest.fail("no flash in forty storms")


def test_visitors_stir_the_picture_where_they_stand() -> None:
    script = _script("meadow", 12)
    script.presence[:, 2:4, 1:3] = (1.0, 0.7)
    with_them, without = _played(script)[0][-1].picture, _played(_script("meadow", 12))[0][-1].picture
    change = np.abs(with_them.astype(float) - without).mean(2)
    inside, elsewhere = change[108:216, 60:180].mean(), change[:, 300:].mean()
    assert inside > 5 and inside > 3 * elsewhere
