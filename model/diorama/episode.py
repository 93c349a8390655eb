"""One episode of the diorama: a walk through a place while its weather, light and visitors change.

Every number of the state is known and returned beside picture and sound, so the diorama teaches the model and can
judge it. All asked-for values are eased before they act, and the eased value is the condition: the model learns
what the world looks like at a value, and the running world does the easing (`model.conditions`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.conditions import (
    ENVIRONMENT,
    GRID,
    STEPS_PER_S,
    Easing,
)
from model.diorama import places, render, sound
from model.egomotion import EYE_M, STRAFE_M_S, WALK_M_S

HEIGHT, WIDTH = 270, 480
_STRIDE_HZ = 0.9

_lands = [render.noise_map(seed, 4, 6, 0.5) for seed in range(4)]
_detail = render.noise_map(99, 32, 6, 0.7)


@dataclass(frozen=True)
class Script:
    """What is asked of an episode at every step: what a director would ask of the world.

    place (T, 5) weights; environment (T, 7); motion (T, 4) forward strafe yaw_rad_s pitch_rad_s;
    presence (T, rows, cols, 2); third: seen from behind a walker.
    """

    place: NDArray[np.float32]
    environment: NDArray[np.float32]
    motion: NDArray[np.float32]
    presence: NDArray[np.float32]
    third: bool


@dataclass(frozen=True)
class Step:
    """One step of truth: the picture uint8 (270, 480, 3), eased conditions, flash, camera (x, y, z, yaw, pitch)."""

    picture: NDArray[np.uint8]
    place: NDArray[np.float32]
    environment: NDArray[np.float32]
    motion: NDArray[np.float32]
    presence: NDArray[np.float32]
    flash: float
    camera: NDArray[np.float64]


def random_environment(rng: np.random.Generator) -> NDArray[np.float32]:
    """A plausible sky: (7,) sun_rad cloud fog rain snow wind energy."""
    sun = rng.uniform(-0.12, 0.25) if rng.random() < 0.3 else rng.uniform(-0.7, 1.3)
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
    return Script(weights, environment, motion, presence, bool(rng.random() < 0.2))


def play(script: Script, seed: int) -> Iterator[Step | NDArray[np.float32]]:
    """Yield a Step for every step of the script, then once the whole sound, float32 (T * 2000, 2)."""
    rng = np.random.default_rng([seed, 2])
    steps = len(script.motion)
    shift = rng.integers(0, 1024, 2)
    land = np.roll(_lands[int(rng.integers(len(_lands)))], int(shift[0]), 0)
    detail = np.roll(_detail, (int(shift[0]), int(shift[1])), (0, 1))
    weights0 = script.place[0]
    coast = float(weights0[0])
    x, y = rng.uniform(440, 506), rng.uniform(0, 1024)
    yaw = float(np.pi / 2 + rng.normal(0, 0.6)) if coast > 0.5 else float(rng.uniform(-np.pi, np.pi))
    z: float | None = None
    easing = Easing(script.place[0], script.environment[0])
    clock_s = float(rng.uniform(0, 100))
    swash, stride, flash = float(rng.random()), 0.0, 0.0
    drops = rng.random((110, 3)).astype(np.float32)
    flakes = rng.random((85, 3)).astype(np.float32)
    motes = rng.random((26, 4)).astype(np.float32)
    motes[:, 3] = 0.25 + 0.6 * motes[:, 3]
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    rows = []
    thunder = np.zeros(steps + THUNDER_PAD, np.float32)
    strides, swashes, bearings, stirs = [], [], [], []
    dt = 1 / STEPS_PER_S
    for step in range(steps):
        place_weights, weather, motion = easing.towards(
            script.place[step], script.environment[step], script.motion[step]
        )
        presence = easing.presence_towards(script.presence[step])
        place = places.mix(place_weights)
        sun, cloud, _, rain, snow, wind, energy = (float(v) for v in weather)
        forward, strafe, yaw_rad_s, _ = (float(v) for v in motion)
        yaw += yaw_rad_s * dt
        dx = math.sin(yaw) * forward * WALK_M_S + math.cos(yaw) * strafe * STRAFE_M_S
        dy = math.cos(yaw) * forward * WALK_M_S - math.sin(yaw) * strafe * STRAFE_M_S
        x, y = x + dx * dt, y + dy * dt
        if place[places.COLUMN["sea"]] > 0.5:
            x = min(x, 509.0)  # nobody walks into the sea
        speed = min(1.0, math.hypot(dx, dy) / WALK_M_S)
        stride += (_STRIDE_HZ * (0.6 + 0.4 * speed) * dt) if speed > 0.08 else 0.0
        swash += dt / (4.4 - 1.2 * energy)
        clock_s += dt
        ground = max(render.ground_height(land, place, x, y, 0.0), render.WATER_M)
        target = ground + EYE_M + (0.07 * abs(math.sin(stride * 2 * math.pi)) * speed)
        z = target if z is None else z + (target - z) * 0.25
        flash = max(0.0, flash - 0.45) if flash > 0.5 else 0.0
        if rain > 0.5 and cloud > 0.55 and rng.random() < 0.012 + 0.02 * energy:
            flash = 1.0
            thunder[step + sound.THUNDER_DELAY_STEPS] = rng.uniform(0.6, 1)
        camera = np.array([x, y, z, yaw, float(easing.pitch_rad)])
        render.render(image, land, detail, place, camera, weather.astype(np.float64), clock_s, flash, swash)
        light = float(np.clip((math.sin(sun) + 0.1) / 0.55, 0.08, 1))
        if script.third:
            render.draw_walker(image, stride, speed, light)
        if rain > 0.02:
            drops[:, 1] = (drops[:, 1] + 0.31 + 0.1 * drops[:, 2]) % 1.25
            fallen = drops[:, 1] < 0.2
            drops[fallen, 0] = rng.random(int(fallen.sum()))
            render.draw_rain(image, drops - np.array([0, 0.22, 0], np.float32), rain, wind, light)
        if snow > 0.02:
            flakes[:, 1] = (flakes[:, 1] + (0.018 + 0.030 * flakes[:, 2])) % 1
            flakes[:, 0] = (
                flakes[:, 0] - yaw_rad_s * dt * 0.7 - 0.03 * wind + 0.004 * np.sin(clock_s * 2 + 30 * flakes[:, 2])
            ) % 1
            render.draw_snow(image, flakes, snow, light)
        render.draw_presence(image, presence, motes, clock_s)
        rows.append((place, weather))
        strides.append(stride)
        swashes.append(swash)
        bearings.append(math.atan2(math.sin(math.pi / 2 - yaw), math.cos(math.pi / 2 - yaw)))
        stirs.append(float((presence[..., 0] * presence[..., 1]).max()))
        yield Step(
            (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8),
            place_weights, weather, motion, presence, flash, camera,
        )  # fmt: skip

    def as_array(values: list[Any]) -> NDArray[np.float32]:
        return np.array(values, np.float32)

    track = sound.Track(
        as_array([r[0] for r in rows]), as_array([r[1] for r in rows]), as_array(swashes), as_array(strides),
        thunder[:steps], as_array(bearings), as_array(stirs),
    )  # fmt: skip
    yield sound.synthesise(track, seed)


THUNDER_PAD = sound.THUNDER_DELAY_STEPS + 1
