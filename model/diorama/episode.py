"""One episode of the diorama: a walk through a place while its weather, light and visitors change.

Every number of the state is known and returned beside picture and sound, so the diorama teaches the model and can
judge it. All asked-for values are eased before they act, and the eased value is the condition: the model learns
what the world looks and sounds like at a value, and the running world does the easing (`model.conditions`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from model.acting import visible
from model.cast import Cast, heard
from model.condition_vector import VISITORS_SIDE_AT, condition_vector
from model.conditions import CHARACTERS, ENVIRONMENT, FIGURES, GRID, Easing
from model.diorama import figures, overlay, places, render, sound, terrain
from model.field import PERIOD_M, Field, field_of
from model.sprites import seen_walker
from model.walker import Walker, blown

_RAIN, _CLOUD, _ENERGY = (ENVIRONMENT.index(k) for k in ("rain", "cloud", "energy"))


@dataclass(frozen=True)
class Script:
    """What is asked of an episode at every step: what a director would ask of the world.

    place (T, 8) weights; environment (T, 7); motion (T, 4) forward strafe yaw_rad_s pitch_rad_s;
    presence (T, rows, cols, 2); third: seen from behind a walker. world: seed of the latent field. cues: figures that
    enter or leave, by step; loud: how loud the room is, 0..1, by step; either may end early. character: who walks.
    """

    place: NDArray[np.float32]
    environment: NDArray[np.float32]
    motion: NDArray[np.float32]
    presence: NDArray[np.float32]
    third: bool
    world: int
    cues: tuple[Mapping[str, str], ...] = ()
    loud: tuple[float, ...] = ()
    character: int = 0


def random_environment(rng: np.random.Generator) -> NDArray[np.float32]:
    """A plausible sky: (7,) sun_rad cloud fog rain snow wind energy."""
    # Days more often than nights, which show little of a place.
    low, high = ((-0.7, -0.2), (-0.2, 0.3), (0.3, 1.3))[int(rng.choice(3, p=[0.22, 0.28, 0.5]))]
    sun = rng.uniform(low, high)
    cloud = rng.random() ** 1.3
    fog = rng.uniform(0.3, 1) if rng.random() < 0.15 else rng.random() * 0.25
    rain = snow = 0.0
    kind = rng.random()
    if kind < 0.25:
        rain, cloud = rng.uniform(0.2, 1), max(cloud, rng.uniform(0.6, 1))
    elif kind < 0.48:
        snow, cloud = rng.uniform(0.2, 1), max(cloud, rng.uniform(0.55, 1))
    return np.array([sun, cloud, fog, rain, snow, rng.random() ** 1.2, rng.random()], np.float32)


def random_script(seed: int, steps: int, place: int | None = None) -> Script:
    """A script of `steps` steps: mostly one place, now and then a change of weather, a turn, a visitor."""
    rng = np.random.default_rng([seed, 1])
    weights = np.zeros((steps, len(places.PLACES)), np.float32)
    first = int(rng.integers(len(places.PLACES))) if place is None else place
    weights[:, first] = 1
    if place is None and rng.random() < 0.15:
        at = int(rng.integers(steps // 4, steps * 3 // 4))
        weights[at:] = 0
        weights[at:, int(rng.integers(len(places.PLACES)))] = 1
    environment = np.empty((steps, len(ENVIRONMENT)), np.float32)
    motion = np.zeros((steps, 4), np.float32)
    now = random_environment(rng)
    next_weather = int(rng.integers(20, 70))
    step = 0
    for step in range(steps):
        if step == next_weather:
            other = random_environment(rng)
            chosen = rng.random(len(now)) < 0.45
            if chosen[3] or chosen[4]:
                chosen[1] = chosen[3] = chosen[4] = True  # rain and snow bring their clouds
            now = np.where(chosen, other, now).astype(np.float32)
            next_weather += int(rng.integers(24, 80))
        environment[step] = now
    at = 0
    while at < steps:
        length = int(rng.integers(8, 32))
        m = np.zeros(4, np.float32)
        kind = rng.random()
        if kind > 0.30:
            if rng.random() < 0.65:
                m[0] = rng.choice([1.0, 1.0, 1.0, 0.5, -1.0, -0.5]) * rng.uniform(0.7, 1)
            if rng.random() < 0.20:
                m[1] = rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 1)
            if rng.random() < 0.50:
                m[2] = rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.9)
            if rng.random() < 0.15:
                m[3] = rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.4)
        motion[at : at + length] = m
        at += length
    rows, cols = GRID
    presence = np.zeros((steps, rows, cols, 2), np.float32)
    if rng.random() < 0.45:
        yy, xx = np.mgrid[:rows, :cols]
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.uniform(0, cols - 1), rng.uniform(1, rows - 1)
            vx, vy, stir = rng.normal(0, 0.06), rng.normal(0, 0.02), rng.random()
            start, end = sorted(int(v) for v in rng.integers(-steps // 2, steps + steps // 2, 2))
            near = rng.uniform(0.4, 1)
            width = rng.uniform(0.5, 0.9)
            for step in range(max(0, start), min(steps, end)):
                if rng.random() < 0.06:
                    vx, vy, stir = rng.normal(0, 0.08), rng.normal(0, 0.02), rng.random()
                x, y = x + vx, y + vy
                blob = np.exp(-((xx - x) ** 2 + 0.6 * (yy - y) ** 2) / (2 * width**2))
                presence[step, ..., 0] = np.maximum(presence[step, ..., 0], near * blob)
                presence[step, ..., 1] = np.maximum(presence[step, ..., 1], stir * blob)
    return Script(
        weights, environment, motion, presence, bool(rng.random() < 0.2), seed, random_cues(rng, steps),
        random_loud(rng, steps), int(rng.integers(len(CHARACTERS))),
    )  # fmt: skip


def random_cues(rng: np.random.Generator, steps: int) -> tuple[Mapping[str, str], ...]:
    """In about half of all episodes one to three figures come, and some are told to go again."""
    cues: tuple[dict[str, str], ...] = tuple({} for _ in range(steps))
    if rng.random() < 0.55:
        for name in rng.choice(FIGURES, int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])), replace=False):
            comes = int(rng.integers(0, max(1, steps * 2 // 3)) * (rng.random() < 0.6))
            cues[comes][str(name)] = "enter"
            goes = comes + int(rng.integers(steps // 4, steps))
            if goes < steps:
                cues[goes][str(name)] = "leave"
    return cues


def random_loud(rng: np.random.Generator, steps: int) -> tuple[float, ...]:
    """How loud the room is: mostly silent, at times now louder, now softer."""
    loud = np.zeros(steps)
    if rng.random() < 0.45:
        at = 0
        while at < steps:
            length = int(rng.integers(6, 40))
            loud[at : at + length] = rng.random() * (rng.random() < 0.7)
            at += length
    return tuple(loud.tolist())


@dataclass(frozen=True)
class Walk:
    """What happened at every step of an episode, all that its picture and sound follow from.

    place (T, 8), environment (T, 7) and presence (T, rows, cols, 2) as eased; flash (T,) 0..1; gust (T,) −1..1;
    walkers, casts: T; levels (T, figures) and levels_side (T,): what is heard of these; loud (T,): the room.
    vectors (T, WIDTH): what the dynamics are told of each step, with every flash named.
    """

    place: NDArray[np.float32]
    environment: NDArray[np.float32]
    presence: NDArray[np.float32]
    flash: NDArray[np.float32]
    gust: NDArray[np.float32]
    thunder: NDArray[np.float32]
    motion: NDArray[np.float32]
    levels: NDArray[np.float32]
    levels_side: NDArray[np.float32]
    loud: NDArray[np.float32]
    walkers: list[Walker]
    casts: list[Cast]
    vectors: NDArray[np.float32]
    third: bool
    world: int
    character: int


def _stand(field: Field, place: NDArray[np.float32], shore: NDArray[np.float64], x: float, y: float) -> float:
    """Height in m, of ground or water, at a point."""
    return max(terrain.ground_height(field.land, place, shore, x, y, 0.0), terrain.water_level(place))


def _heights(stand_at: Callable[[float, float], float], x: list[float], y: list[float]) -> list[float]:
    return [stand_at(*at) for at in zip(x, y, strict=True)]


def walk(script: Script, seed: int) -> Walk:
    """Play a script: what happens, without drawing or sounding it."""
    rng = np.random.default_rng([seed, 2])
    steps, field = len(script.motion), field_of(script.world)
    yaw = float(rng.uniform(-math.pi, math.pi))
    walker = Walker(
        rng.uniform(0, PERIOD_M), rng.uniform(0, PERIOD_M), yaw=yaw, clock_s=rng.uniform(0, 1000),
        drift=rng.uniform(0, 512), swash=rng.random(), stride=rng.random(),
    )  # fmt: skip
    # Nearly always with the sea in view, or a coast could not be told from a desert.
    walker = walker.with_shore(rng.uniform(4, 50), yaw + rng.normal(0, 0.7))
    easing = Easing(script.place[0], script.environment[0])
    flash, gust, blow = 0.0, 0.0, 0.0
    thunder = np.zeros(steps + sound.THUNDER_DELAY_STEPS + 1, np.float32)
    cast = Cast()
    kept: dict[str, list[object]] = {}
    for step in range(steps):
        weights, weather, motion = easing.towards(script.place[step], script.environment[step], script.motion[step])
        presence = easing.presence_towards(script.presence[step]).copy()
        place = places.mix(weights)
        blow += 0.06 * (0.0 - blow) + 0.22 * rng.normal()
        gust = math.tanh(blow)

        stand_at = partial(_stand, field, place, walker.shore)
        walker = walker.advanced(motion, float(easing.pitch_rad), weather, gust, stand_at)
        flash = max(0.0, flash - 0.45) if flash > 0.5 else 0.0
        stormy = weather[_RAIN] > 0.5 and weather[_CLOUD] > 0.55
        if stormy and rng.random() < 0.012 + 0.02 * weather[_ENERGY]:
            flash = 1.0
            thunder[step + sound.THUNDER_DELAY_STEPS] = rng.uniform(0.6, 1)
        cast = cast.advanced(script.cues[step] if step < len(script.cues) else {}, walker, seed, step)
        levels, side = heard(cast, walker)
        loud = easing.loud_towards(script.loud[step] if step < len(script.loud) else 0.0)
        row = {
            "place": weights, "environment": weather, "presence": presence, "flash": flash, "gust": gust,
            "motion": motion, "walkers": walker, "casts": cast, "levels": levels, "levels_side": side, "loud": loud,
            "vectors": condition_vector(weights, weather, walker, presence, flash, (levels, side), loud),
        }  # fmt: skip
        for name, value in row.items():
            kept.setdefault(name, []).append(value)
    walkers: list[Walker] = kept.pop("walkers")  # type: ignore[assignment]
    casts: list[Cast] = kept.pop("casts")  # type: ignore[assignment]
    arrays = {name: np.array(values, np.float32) for name, values in kept.items()}
    return Walk(
        **arrays, thunder=thunder[:steps], walkers=walkers, casts=casts, third=script.third, world=script.world,
        character=script.character,
    )  # fmt: skip


def picture_of(walked: Walk, step: int, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture of a step uint8 (height, width, 3) and its land's depth in m (height, width), 0 for the sky."""
    field: Field = field_of(walked.world)
    walker = walked.walkers[step]
    weather = blown(walked.environment[step], float(walked.gust[step])).astype(np.float64)
    place = places.mix(walked.place[step])
    flash = float(walked.flash[step])
    image, depth = render.draw_deep(
        field, place, walker.shore, walker.camera, weather, walker.phases, flash, size,
    )  # fmt: skip
    stand_at = partial(_stand, field, place, walker.shore)
    shown = visible(walked.casts[step], walker, walked.place[step], size[1] / size[0], partial(_heights, stand_at))
    if walked.third:
        shown = [*shown, seen_walker(walker, walked.character)]
    figures.lay(image, size[1], np.arange(size[1]), depth, shown, weather, flash)
    overlay.overlay(
        image, size[1], np.arange(size[1]), field.sky, field.fall, walker.camera, weather, walker.phases,
        walked.presence[step], place,
    )  # fmt: skip
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), depth


def pictures(walked: Walk, size: tuple[int, int], every: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Every so manieth picture of a walk, uint8 (height, width, 3)."""
    for step in range(0, len(walked.flash), every):
        yield picture_of(walked, step, size)[0]


def sound_of(walked: Walk, seed: int) -> NDArray[np.float32]:
    """The sound of a walk, float32 (T * 2000, 2)."""
    swash, stride = (
        np.unwrap([getattr(w, name) for w in walked.walkers], period=1.0).astype(np.float32)
        for name in ("swash", "stride")
    )
    sea = np.array([w.sea() for w in walked.walkers], np.float32)
    stir = (walked.presence[..., 0] * walked.presence[..., 1]).max((1, 2))
    side = walked.vectors[:, VISITORS_SIDE_AT]
    track = sound.Track(
        np.stack([places.mix(w) for w in walked.place]), walked.environment, swash, stride, walked.thunder,
        sea[:, 0], sea[:, 1], stir, side, walked.gust, walked.levels, walked.levels_side, walked.loud,
    )  # fmt: skip
    return sound.synthesise(track, seed)
