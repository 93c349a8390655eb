"""Sprites: figures as flat boxes that stand in the world upright, and where a camera sees them.

Geometry alone; what is in a box the network of model.figures tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.camera import FIELD_OF_VIEW_RAD, HORIZON, WALKER_FOOT, WALKER_TALL, WALKER_X
from model.conditions import CHARACTERS, FIGURES
from model.field import PERIOD_M
from model.walker import Walker

KINDS = (*FIGURES, *(f"{name} seen from behind" for name in CHARACTERS))
# Half a box's width in half its height, and its height in m; as they are in a dream: small ones are large.
_BOXES = {
    "kitten": (1.15, 1.25), "deer": (0.95, 2.9), "fox": (1.35, 1.35), "person": (0.55, 2.2), "birds": (1.3, 1.9),
    "butterflies": (1.0, 0.8), "fireflies": (1.0, 0.5), "lanterns": (0.8, 2.4), "boat": (1.0, 9.0),
    "whale": (2.0, 20.0), "fireworks": (1.0, 52.0), "balloon": (0.75, 24.0), "meteor": (3.0, 60.0), "fish": (1.3, 1.0),
}  # fmt: skip
_WALKER_BOX = (0.6, 2.0)
BOXES = tuple(_BOXES.get(kind, _WALKER_BOX) for kind in KINDS)
STANDING = frozenset({"kitten", "deer", "fox", "person", "boat"})  # the foot of their box is on ground or water
_NEAREST_M = 1.5  # what comes nearer is not seen
_LEAST = 0.002  # half a height of the picture's, below which a box shows nothing
_TAN = math.tan(FIELD_OF_VIEW_RAD / 2)


@dataclass(frozen=True)
class Sprite:
    """One figure at a moment. kind: place in KINDS; x, y, height in m: of its foot or, if it flies, of its middle.

    height counts from the ground, or the water, below. right: whether it looks to the right. tilt_rad: how far it is
    turned upwards from where it looks. gait in turns; moving, act and look 0..1; hue in turns. size: of its kind's.
    """

    kind: int
    x: float
    y: float
    height: float = 0.0
    right: bool = True
    tilt_rad: float = 0.0
    gait: float = 0.0
    moving: float = 0.0
    act: float = 0.0
    hue: float = 0.0
    look: float = 0.0
    size: float = 1.0


@dataclass(frozen=True)
class Placed:
    """A sprite in a picture: middle (u, v) in 0..1 of it, half its box's height in heights of it, distance in m.

    pose: gait, moving, act, hue, look, as in a Sprite.
    """

    kind: int
    u: float
    v: float
    half: float
    distance: float
    right: bool
    tilt_rad: float
    pose: tuple[float, float, float, float, float]


def offset(walker: Walker, x: float, y: float) -> tuple[float, float]:
    """How far a point lies ahead and to the right of the walker, in m, the shorter way round."""
    half = PERIOD_M / 2
    dx, dy = (x - walker.x + half) % PERIOD_M - half, (y - walker.y + half) % PERIOD_M - half
    sin, cos = math.sin(walker.yaw), math.cos(walker.yaw)
    return dx * sin + dy * cos, dx * cos - dy * sin


def ahead(walker: Walker, forward_m: float, aside_m: float) -> tuple[float, float]:
    """The point so far ahead and to the right of the walker."""
    sin, cos = math.sin(walker.yaw), math.cos(walker.yaw)
    x, y = walker.x + forward_m * sin + aside_m * cos, walker.y + forward_m * cos - aside_m * sin
    return x % PERIOD_M, y % PERIOD_M


def placed(sprite: Sprite, walker: Walker, stand_m: float, aspect: float) -> Placed | None:
    """Where a walker's camera sees a sprite below which ground or water lies at `stand_m`; None outside the picture."""
    distance, aside = offset(walker, sprite.x, sprite.y)
    if distance < _NEAREST_M:
        return None
    heights = 2 * _TAN / aspect  # of the picture, in focal lengths
    wide, tall = BOXES[sprite.kind]
    half_m = tall * sprite.size / 2
    middle = stand_m + sprite.height + (half_m if KINDS[sprite.kind] in STANDING else 0.0)
    half = half_m / distance / heights
    u = (aside / distance / _TAN + 1) / 2
    v = HORIZON - ((middle - walker.z) / distance - math.tan(walker.pitch)) / heights
    reach = half * math.hypot(1, wide)
    if half < _LEAST or not (-reach < u * aspect < aspect + reach and -reach < v < 1 + reach):
        return None
    pose = (sprite.gait, sprite.moving, sprite.act, sprite.hue, sprite.look)
    return Placed(sprite.kind, u, v, half, distance, sprite.right, sprite.tilt_rad, pose)


def seen_walker(walker: Walker, character: int) -> Placed:
    """The walker himself, seen from behind: always at the same place of the picture, and before everything."""
    pose = (walker.stride, walker.moving, 0.0, 0.0, 0.0)
    half = WALKER_TALL / 2
    return Placed(len(FIGURES) + character, WALKER_X, WALKER_FOOT - half, half, _NEAREST_M, True, 0.0, pose)
