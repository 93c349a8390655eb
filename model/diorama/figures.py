"""Figures as the teacher draws them: what the network of model.figures learns, and what an episode's pictures show.

A figure lives in a box: y from −1 (its foot) to 1, x from minus to plus its half width (model.sprites.BOXES), looking
to the right. Its pose is five numbers: gait in turns, moving, act and look 0..1, hue in turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from model.diorama import animals, fliers, people, surfaces, things, walkers
from model.diorama.animals import Pose
from model.diorama.places import COLUMNS
from model.diorama.shapes import Array, Canvas
from model.sprites import BOXES, KINDS, Placed

_LEAST = np.array([0.10, 0.11, 0.12])  # light at night, by which a figure is still made out
_DRAWN: dict[str, Callable[[Canvas, Pose], None]] = {
    "kitten": animals.kitten, "deer": animals.deer, "fox": animals.fox, "person": people.person, "birds": fliers.bird,
    "butterflies": fliers.butterfly, "fireflies": fliers.firefly, "lanterns": things.lantern, "boat": things.boat,
    "whale": fliers.whale, "fireworks": things.firework, "balloon": things.balloon, "meteor": things.meteor,
    "fish": fliers.fish,
} | {
    f"{name} seen from behind": draw
    for name, draw in {
        "wanderer": walkers.wanderer, "child": walkers.child, "robot": walkers.robot, "knight": walkers.knight,
        "cat": walkers.cat, "deer": walkers.deer,
    }.items()
}  # fmt: skip


def tell(kind: int, x: Array, y: Array, pose: Array) -> Array:
    """What figures of a kind are at points x, y (S, N) of their boxes in poses (S, 5): (S, N, 6).

    Colour, share of direct light, share of light of its own, cover; each 0..1.
    """
    canvas = Canvas(x, y)
    gait, moving, act, hue, look = (pose[:, k : k + 1] for k in range(5))
    _DRAWN[KINDS[kind]](canvas, (gait, moving, act, hue, look))
    told = canvas.told()
    wide = BOXES[kind][0]
    # Nothing is cut off at a box's edge.
    inside = np.clip(np.minimum(wide - np.abs(x), 1 - np.abs(y)) / 0.06, 0, 1)
    told[..., 5] *= inside
    return np.clip(told, 0, 1)


def light(weather: NDArray[np.float64], flash: float) -> tuple[Array, Array]:
    """Light from all round and direct light of a moment, (3,) each: as the land has it, but no figure is ever black."""
    colours = np.zeros((8, 3))
    surfaces.lights(weather, flash, np.zeros(len(COLUMNS)), colours)
    return (colours[4] * 1.1 + _LEAST).astype(np.float32), colours[3].astype(np.float32)


def unveiled(weather: NDArray[np.float64], distance: float) -> float:
    """How much of something so far off fog, rain and snow leave, 0..1; as of the land."""
    fog, rain, snow = weather[2], weather[3], weather[4]
    density = 0.00032 + 0.05 * fog * fog * fog + 0.006 * fog + 0.0022 * rain + 0.004 * snow
    return math.exp(-density * distance)


def lit(told: Array, around: Array, direct: Array) -> Array:
    """Colours (…, 3) of what `tell` told, in a moment's light."""
    colour, shade, glow = told[..., :3], told[..., 3:4], told[..., 4:5]
    shaded = colour * (around * (0.75 + 0.45 * shade) + direct * 1.25 * shade)
    return shaded + glow * (colour - shaded)


def lay(
    image: Array, width: int, columns: NDArray[np.integer], depth: Array | None, shown: list[Placed],
    weather: NDArray[np.float64], flash: float,
) -> None:  # fmt: skip
    """Lay figures, the farthest first, over columns (n,) of a picture (H, n, 3) `width` pixels wide.

    depth (H, n): of the land, in m, 0 for sky; without it nothing stands before a figure.
    """
    height = image.shape[0]
    around, direct = light(weather, flash)
    v = (np.arange(height, dtype=np.float32) + 0.5) / height
    across = (columns.astype(np.float32) + 0.5) / height
    for one in shown:
        # Only what lies within its box, however it is tilted.
        reach, u = one.half * math.hypot(BOXES[one.kind][0], 1), one.u * width / height
        top, bottom = np.searchsorted(v, (one.v - reach, one.v + reach))
        left, right = np.searchsorted(across, (u - reach, u + reach))
        part = image[top:bottom, left:right]
        x, y = (across[None, left:right] - u) / one.half, (one.v - v[top:bottom, None]) / one.half
        cos, sin = math.cos(one.tilt_rad), math.sin(one.tilt_rad)
        x = x if one.right else -x
        x, y = x * cos + y * sin, y * cos - x * sin
        wide = BOXES[one.kind][0]
        here = (np.abs(x) < wide) & (np.abs(y) < 1)
        if depth is not None:
            behind = depth[top:bottom, left:right]
            here &= (behind == 0) | (behind > 0.86 * one.distance - 0.5)
        rows, cols = np.nonzero(here)
        if not len(rows):
            continue
        pose = np.array([one.pose], np.float32)
        told = tell(one.kind, x[rows, cols][None], y[rows, cols][None], pose)[0]
        cover = told[:, 5:] * unveiled(weather, one.distance)
        part[rows, cols] += cover * (lit(told, around, direct) - part[rows, cols])
