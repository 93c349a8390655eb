"""Shapes to draw figures of, as signed distances (negative inside), and a canvas they are laid on.

All take arrays of points that broadcast: many sprites (S, 1) at many points (S, N). Lengths are halves of a box's
height, y upwards. The formulas are the usual ones of distance fields (Quilez, "2D distance functions").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Number = Array | float
Colour = tuple[Number, Number, Number]
Rod = Sequence[tuple[Number, Number, Number]]  # points and the radius at each

EDGE = 0.035  # in which a shape's border fades: about a pixel of a sprite 60 pixels tall
CHANNELS = 6  # r, g, b, shade (of direct light, 0..1), glow (light of its own, 0..1), cover


class Canvas:
    """Points (S, N) at which shapes are laid one over another."""

    def __init__(self, x: Array, y: Array) -> None:
        self.x, self.y = x, y
        self.kept = np.zeros((CHANNELS, *np.broadcast_shapes(x.shape, y.shape)), np.float32)

    def lay(
        self, distance: Array, colour: Colour, shade: Number = 0.6, glow: Number = 0.0, opacity: Number = 1.0,
        edge: Number = EDGE,
    ) -> None:  # fmt: skip
        """Lay a shape over what is there."""
        share = np.clip(0.5 - distance / edge, 0, 1)
        cover = share * share * (3 - 2 * share) * opacity
        for channel, value in zip(self.kept, (*colour, shade, glow, 1.0), strict=True):
            channel += (value - channel) * cover

    def paint(self, distance: Array, colour: Colour, opacity: Number = 1.0, edge: Number = EDGE) -> None:
        """Colour what is there, adding nothing to its outline."""
        share = np.clip(0.5 - distance / edge, 0, 1) * opacity
        for channel, value in zip(self.kept[:3], colour, strict=True):
            channel += (value * self.kept[5] - channel) * share

    def told(self) -> Array:
        """(S, N, CHANNELS): colours as they are, be they ever so thin, and how much they cover."""
        cover = self.kept[5]
        whole = self.kept / np.maximum(cover, 1e-4)
        whole[5] = cover
        return np.moveaxis(whole, 0, -1)


def mix(one: Number, other: Number, share: Number) -> Array:
    """Between two numbers."""
    return np.asarray(one + (other - one) * share)


def blend(one: Colour, other: Colour, share: Number) -> Colour:
    """Between two colours."""
    r, g, b = (mix(a, c, share) for a, c in zip(one, other, strict=True))
    return r, g, b


def smooth(value: Number) -> Array:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(value, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def of_hue(hue: Number, strength: float, light: float) -> Colour:
    """A colour of a hue in turns."""
    r, g, b = (
        light * (1 - strength + strength * np.clip(np.abs((hue + k) % 1 * 6 - 3) - 1, 0, 1)) for k in (0, 2 / 3, 1 / 3)
    )
    return r, g, b


def disc(x: Array, y: Array, cx: Number, cy: Number, r: Number) -> Array:
    """A disc."""
    return np.asarray(np.hypot(x - cx, y - cy) - r, np.float32)


def ellipse(x: Array, y: Array, cx: Number, cy: Number, rx: Number, ry: Number, turn: Number = 0.0) -> Array:
    """An ellipse, turned to the left by so many rad; its distance is right to first order."""
    dx, dy = x - cx, y - cy
    if not (isinstance(turn, float) and turn == 0.0):
        cos, sin = np.cos(turn), np.sin(turn)
        dx, dy = dx * cos + dy * sin, dy * cos - dx * sin
    k = np.hypot(dx / rx, dy / ry)
    slope = np.hypot(dx / (rx * rx), dy / (ry * ry))
    return np.asarray(k * (k - 1) / np.maximum(slope, 1e-4), np.float32)


def limb(x: Array, y: Array, ax: Number, ay: Number, bx: Number, by: Number, ra: Number, rb: Number) -> Array:
    """A rod from a to b, of radius ra at the one end and rb at the other."""
    px, py, lx, ly = x - ax, y - ay, bx - ax, by - ay
    h = np.clip((px * lx + py * ly) / np.maximum(lx * lx + ly * ly, 1e-6), 0, 1)
    return np.asarray(np.hypot(px - lx * h, py - ly * h) - (ra + (rb - ra) * h), np.float32)


def path(x: Array, y: Array, points: Rod) -> Array:
    """A rod through points (x, y, radius)."""
    parts = [limb(x, y, a[0], a[1], b[0], b[1], a[2], b[2]) for a, b in itertools.pairwise(points)]
    return np.asarray(np.minimum.reduce(np.broadcast_arrays(*parts)), np.float32)


def wedge(x: Array, y: Array, *corners: tuple[Number, Number]) -> Array:
    """A convex polygon with corners anticlockwise."""
    found: Array | None = None
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        lx, ly = bx - ax, by - ay
        away = ((x - ax) * ly - (y - ay) * lx) / np.maximum(np.hypot(lx, ly), 1e-6)
        found = away if found is None else np.maximum(found, away)
    assert found is not None
    return np.asarray(found, np.float32)


def box(x: Array, y: Array, cx: Number, cy: Number, hx: Number, hy: Number, rounded: Number = 0.0) -> Array:
    """A box of half sizes hx and hy with rounded corners."""
    dx, dy = np.abs(x - cx) - hx + rounded, np.abs(y - cy) - hy + rounded
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return np.asarray(outside + np.minimum(np.maximum(dx, dy), 0) - rounded, np.float32)


def round_shade(x: Array, y: Array, cx: Number, cy: Number, rx: Number, ry: Number) -> Array:
    """Direct light on something round: more from above, a little more from the left."""
    return np.asarray(np.clip(0.58 + 0.42 * (y - cy) / ry - 0.12 * (x - cx) / rx, 0.1, 1), np.float32)
