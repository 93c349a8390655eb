"""What stands close by as the teacher draws it, point by point of its front: firs, round trees, bamboo, corals, rocks.

A thing stands in an upright cylinder (`model.passing`). At every point of its front there is or is not something of it:
leaves towards the border of a crown are sparse, under it there is a trunk, and what lies behind is seen between them.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from model.camera import (
    APART_M,
    BENT,
    CLUMP_M,
    CULMS,
    DROOP,
    FAN,
    FAN_FOOT,
    KNOT_M,
    LEAF_M,
    LEAF_TO_M,
    LEAN,
    MOST_CLUMP,
    ROUGH,
    TIER_M,
    TWIG_M,
    TWIG_TO_M,
    UNEVEN,
)
from model.diorama.places import COLUMN
from model.diorama.sampling import clamp, hue_of, sample, smooth
from model.diorama.surfaces import lights

_SLENDER, _ROUND, _ROOF, _SUNKEN, _COVER, _TREE_RGB = (
    COLUMN[k] for k in ("slender", "round", "roof", "sunken", "tree_cover", "tree_r")
)
_SNOW_GROUND, _SPACE = COLUMN["snow_ground"], COLUMN["space"]
# Of a point of a front: as model.bodies.Front.
FRONT = ("aside", "height", "high", "wide", "rank", "distance", "turned")
_WOOD = (0.27, 0.20, 0.14)


@nb.njit(fastmath=True, inline="always")
def _rough(detail, channel, texel_m, along, h):  # type: ignore[no-untyped-def]
    return ROUGH * sample(detail, channel, along / texel_m, h / texel_m)


@nb.njit(fastmath=True, cache=True)
def body_at(detail, place, q, h, high, wide, rank, distance, white):  # type: ignore[no-untyped-def]
    """What of a thing `high` m high is at height h of its front: (cover 0..1, red, green, blue).

    q: how far to the right of its middle, -1..1, of its width in m; white: of snow, 0..1.
    """
    rocky, coral, round_by = place[_ROOF], place[_SUNKEN], place[_ROUND]
    stem = smooth(place[_SLENDER] * 4 - 1.4) * (1 - rocky) * (1 - coral)
    leafy = (1 - rocky) * (1 - coral) * (1 - stem)
    t, off = h / high, abs(q)
    close = clamp((LEAF_TO_M[0] - distance) / (LEAF_TO_M[0] - LEAF_TO_M[1]), 0.0, 1.0)
    closer = clamp((TWIG_TO_M[0] - distance) / (TWIG_TO_M[0] - TWIG_TO_M[1]), 0.0, 1.0)
    along = q * wide + APART_M * rank
    clump = clamp(_rough(detail, 2, CLUMP_M, along, h), -MOST_CLUMP, MOST_CLUMP)
    leaf = close * _rough(detail, 2, LEAF_M, along, h) if close > 0 else 0.0
    twig = closer * _rough(detail, 3, TWIG_M, along, h) if closer > 0 else 0.0
    sharp = 6 + 160 / (distance + 4)
    kind = rank / max(place[_COVER], 0.05)
    cover = r = g = b = 0.0
    tone = 0.88 + 0.46 * leaf + 0.32 * twig + 0.30 * clump
    level = h / TIER_M + 7 * rank + DROOP * off + UNEVEN * clump  # branches hang
    tier = level - math.floor(level)
    white *= clamp(0.75 - 0.9 * tier * (1 - round_by) + 0.45 * leaf + 0.25 * clump, 0.0, 0.95) * (leafy + stem)
    if leafy > 0.01:
        cone = clamp(1.03 - t, 0.0, 1.0) ** 0.8 * (1 - 0.45 * tier)
        across = (t - 0.62) / 0.40
        ball = math.sqrt(clamp(1 - across * across, 0.0, 1.0))
        crown = (cone * (1 - round_by) + ball * round_by) * smooth((t - 0.04 - 0.16 * round_by) * 14)
        edge = crown * (1 + (0.20 + 0.25 * round_by) * clump + 0.18 * leaf) - off - 0.03
        open_by = 0.30 + 3.0 * edge + 0.75 * leaf + 0.60 * twig + 0.55 * clump
        leaves = smooth(0.5 + sharp * edge) * smooth(0.5 + 0.25 * sharp * open_by)
        half = (0.085 + 0.10 * clamp(1 - 6 * t, 0.0, 1.0) ** 2) * (1 - 0.6 * t)
        trunk = smooth(0.5 + 2.2 * sharp * (half - off)) * smooth((0.66 - t) * 8) * (1 - leaves)
        cover += leafy * (leaves + trunk)
        shade = (0.62 + 0.50 * smooth(1.25 * t)) * (1 - 0.38 * tier * (1 - round_by)) * (0.80 + 0.20 * smooth(2 * edge))
        leaves, trunk = leaves * leafy, trunk * leafy
        r += leaves * place[_TREE_RGB] * (0.75 + 0.75 * kind) * shade * tone + trunk * _WOOD[0] * tone
        g += leaves * place[_TREE_RGB + 1] * (0.85 + 0.35 * kind) * shade * tone + trunk * _WOOD[1] * tone
        b += leaves * place[_TREE_RGB + 2] * shade * tone + trunk * _WOOD[2] * tone
    if stem > 0.01:
        culm = side = 0.0
        for at, lean in CULMS:
            off_culm = q - at - LEAN * math.sin(9 * rank + lean) * t
            half = 0.13 * (1 - 0.55 * t)
            here = smooth(0.5 + 1.6 * sharp * (half - abs(off_culm)))
            if here > culm:
                culm, side = here, off_culm / half
        up = clamp((t - 0.28) * 1.7, 0.0, 1.0)
        spray = -0.75 + 1.25 * up + 0.85 * leaf + 0.60 * twig + 0.75 * clump - 1.8 * off * off
        leaves = smooth(0.5 + 0.22 * sharp * spray) * smooth(0.5 + sharp * (0.98 - off)) * smooth((1.05 - t) * 9)
        culm *= smooth((1.0 - t) * 9) * (1 - leaves)
        level = h / KNOT_M + rank
        knot = smooth((abs(level - math.floor(level) - 0.5) * 2 - 0.86) * 9)
        cover += stem * (leaves + culm)
        shade, wood = 0.66 + 0.5 * t, (1 - 0.5 * knot) * (0.95 - 0.35 * side * side)
        leaves, culm = leaves * stem, culm * stem
        r += leaves * place[_TREE_RGB] * (0.75 + 0.75 * kind) * shade * tone + culm * 0.42 * wood
        g += leaves * place[_TREE_RGB + 1] * (0.85 + 0.35 * kind) * shade * tone + culm * 0.56 * wood
        b += leaves * place[_TREE_RGB + 2] * shade * tone + culm * 0.18 * wood
    if rocky > 0.01:
        edge = clamp(1.02 - t, 0.0, 1.0) ** 1.15 * (0.88 + 0.12 * clump) - off
        stone = smooth(0.5 + sharp * edge) * rocky
        grey = stone * tone * (0.72 + 0.30 * smooth(t * 1.2))
        cover += stone
        r += grey * place[_TREE_RGB] * (0.80 + 0.40 * kind)
        g += grey * place[_TREE_RGB + 1]
        b += grey * place[_TREE_RGB + 2]
    if coral > 0.01:
        across = (t - 0.45) / 0.58
        edge = math.sqrt(clamp(1 - across * across, 0.0, 1.0)) * (1 + 0.22 * clump) - off - 0.03
        # Fans of branches from the foot, or heads with grooves.
        fan = math.sin(FAN * q / (off + max(t, 0.0) + FAN_FOOT) + BENT * clump)
        branch = 0.35 + 1.5 * fan + 0.5 * leaf + 0.3 * twig - 0.8 * t + 3.0 * clamp(math.sin(40 * rank), 0.0, 1.0)
        limbs = smooth(0.5 + sharp * edge) * smooth(0.5 + 0.20 * sharp * branch) * coral
        cover += limbs
        shade = limbs * (0.62 + 0.44 * t) * (0.82 + 0.25 * twig + 0.22 * leaf + 0.22 * fan)
        turn = 9 * rank
        r += shade * (0.20 + 0.95 * hue_of(turn, 0))
        g += shade * (0.14 + 0.55 * hue_of(turn, 1))
        b += shade * (0.20 + 0.75 * hue_of(turn, 2))
    if cover <= 0.002:
        return 0.0, 0.0, 0.0, 0.0
    r, g, b = max(0.0, r / cover), max(0.0, g / cover), max(0.0, b / cover)
    return min(1.0, cover), r + (0.82 - r) * white, g + (0.86 - g) * white, b + (0.93 - b) * white


@nb.njit(fastmath=True, inline="always")
def sunlight(rise, low, turned):  # type: ignore[no-untyped-def]
    """How much direct light falls on a front that is turned to the sun so far; rise, low: the sun's sine and cosine."""
    return (0.30 + 0.70 * max(0.4, rise)) * (1 + 0.65 * low * turned)


@nb.njit(fastmath=True, inline="always")
def white_of(place, snow):  # type: ignore[no-untyped-def]
    """How white a place's ground is, 0..1, when it snows so much."""
    open_air = (1 - place[_ROOF]) * (1 - place[_SUNKEN]) * (1 - place[_SPACE])
    return clamp(place[_SNOW_GROUND] + snow * 0.85 * open_air, 0.0, 1.0)


@nb.njit(fastmath=True, nogil=True, cache=True)
def lit_at(detail, place, weather, flash, fronts, out):  # type: ignore[no-untyped-def]
    """What is at points of fronts (N, FRONT), in clear air: cover, red, green, blue into out (N, 4)."""
    colours = np.zeros((8, 3))
    lights(weather, flash, place, colours)
    white = white_of(place, weather[4])
    for n in range(len(fronts)):
        q, h, high, wide, rank, distance, turned = fronts[n]
        cover, r, g, b = body_at(detail, place, q, h, high, wide, rank, distance, white)
        out[n, 0] = cover
        light = sunlight(math.sin(weather[0]), math.cos(weather[0]), turned)
        for k in range(3):
            out[n, 1 + k] = (r, g, b)[k] * (1 - 0.22 * weather[3]) * (colours[4, k] + colours[3, k] * light)
