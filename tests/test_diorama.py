"""The diorama's picture, sound and numbers tell the same story."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from model.conditions import ENVIRONMENT, GRID
from model.diorama import episode
from model.diorama import sound as sound_of
from model.diorama.episode import Script, Walk
from model.diorama.places import PLACES

FAIR_DAY = np.array([0.8, 0.2, 0.0, 0.0, 0.0, 0.2, 0.5], np.float32)
SIZE = (180, 320)


def _script(place: str, steps: int = 12, motion: tuple[float, ...] = (0, 0, 0, 0), **weather: float) -> Script:
    weights = np.zeros((steps, len(PLACES)), np.float32)
    weights[:, PLACES.index(place)] = 1
    environment = np.tile(FAIR_DAY, (steps, 1))
    for key, value in weather.items():
        environment[:, ENVIRONMENT.index(key)] = value
    presence = np.zeros((steps, *GRID, 2), np.float32)
    return Script(weights, environment, np.tile(np.array(motion, np.float32), (steps, 1)), presence, False, 3)


def _walked(script: Script, seed: int = 1) -> Walk:
    return episode.walk(script, seed)


def _pictures(script: Script, seed: int = 1, every: int = 1) -> list[np.ndarray]:
    return [p.astype(np.float32) for p in episode.pictures(_walked(script, seed), SIZE, every)]


@cache
def _still(place: str) -> np.ndarray:
    return np.mean([_pictures(_script(place, 2), seed)[-1] for seed in (1, 2, 3)], 0)


def test_the_same_seed_is_the_same_episode() -> None:
    script = episode.random_script(7, 12)
    one, other = _walked(script, 7), _walked(script, 7)
    assert np.array_equal(one.vectors, other.vectors)
    assert all(
        np.array_equal(a, b) for a, b in zip(episode.pictures(one, SIZE), episode.pictures(other, SIZE), strict=True)
    )
    sound, again = episode.sound_of(one, 7), episode.sound_of(other, 7)
    assert np.array_equal(sound, again) and sound.shape == (12 * 2000, 2)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_looks_like_no_other(place: str) -> None:
    def colours(name: str) -> np.ndarray:
        return np.concatenate([_still(name)[rows].mean((0, 1)) for rows in (slice(60, 100), slice(100, 180))])

    nearest = min(np.abs(colours(place) - colours(name)).max() for name in PLACES if name != place)
    assert nearest > 10


def test_night_is_dark_and_noon_is_bright() -> None:
    night, noon = (_pictures(_script("meadow", sun_rad=sun))[-1].mean() for sun in (-0.6, 1.2))
    assert noon > 2.5 * night


@pytest.mark.parametrize(("yaw", "sign"), [(0.6, -1), (-0.6, 1)])
def test_turning_shifts_the_picture_the_other_way(yaw: float, sign: int) -> None:
    import cv2

    pictures = _pictures(_script("mountains", motion=(0, 0, yaw, 0)))
    before, after = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures[-2:])
    (shift, _), _ = cv2.phaseCorrelate(before, after)
    assert np.sign(shift) == sign and 3 < abs(shift) < 25


def test_walking_moves_the_walker_forward_over_the_ground() -> None:
    walkers = _walked(_script("meadow", motion=(1, 0, 0, 0))).walkers
    first, last = walkers[0], walkers[-1]
    x, y = last.x - first.x, last.y - first.y
    assert x * np.sin(last.yaw) + y * np.cos(last.yaw) > 0.9 * np.hypot(x, y) > 2
    assert last.moving > 0.9 and last.stride != first.stride


@pytest.mark.parametrize("key", ["rain", "wind"])
def test_more_of_it_is_louder(key: str) -> None:
    levels = [
        episode.sound_of(_walked(_script("meadow", 24, (0, 0, 0, 0), **{key: v})), 1)[12_000:].std()
        for v in (0.1, 0.5, 1.0)
    ]
    assert levels[0] < levels[1] < levels[2]


def test_thunder_follows_its_flash_by_a_second() -> None:
    for seed in range(40):
        walked = _walked(_script("coast", 48, rain=0.9, cloud=0.95, energy=1.0, wind=0.0), seed)
        flashes = np.flatnonzero(walked.flash == 1.0)
        if len(flashes) and 4 < flashes[0] < 30:
            sound = episode.sound_of(walked, seed)
            low = np.abs(np.fft.rfft(sound[: 48 * 2000].mean(1).reshape(48, 2000), axis=1))[:, 3:14].sum(1)
            onset = flashes[0] + sound_of.THUNDER_DELAY_STEPS
            assert low[onset : onset + 2].mean() > 2.5 * low[onset - 5 : onset - 1].mean()
            return
    pytest.fail("no flash in forty storms")


def test_visitors_stir_the_picture_where_they_stand() -> None:
    script = _script("meadow", 12)
    script.presence[:, 2:4, 1:3] = (1.0, 0.7)
    with_them, without = _pictures(script)[-1], _pictures(_script("meadow", 12))[-1]
    change = np.abs(with_them - without).mean(2)
    inside, elsewhere = change[72:144, 40:120].mean(), change[:, 200:].mean()
    assert inside > 5 and inside > 3 * elsewhere


def test_the_sea_is_heard_from_where_it_lies() -> None:
    """Turned so that the sea is on the right, the right ear hears more of it."""
    walked = _walked(_script("coast", 36, wind=0.0))
    side = np.array([w.sea()[0] for w in walked.walkers])
    sound = episode.sound_of(walked, 1)
    louder = np.log(sound[:, 1].std() / sound[:, 0].std())
    assert abs(side.mean()) > 0.1 and np.sign(louder) == np.sign(side.mean())
