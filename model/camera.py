"""The camera of a walker's eyes, and how far off the land is looked at: geometry that teacher and network share."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FIELD_OF_VIEW_RAD = 1.25  # across the picture
HORIZON = 0.46  # height of a level camera's horizon, of the picture from its top
EYE_M = 2.6
WALK_M_S, STRAFE_M_S = 4.5, 3.0  # what forward = 1 and strafe = 1 mean
SUN_AZIMUTH_RAD, MOON_AZIMUTH_RAD, MOON_RAD = 1.2, -0.4, 0.33  # bearings from north; the moon's height
STARS_FINER = 3.0  # than other textures of the sky
NEAREST_M, FARTHEST_M = 2.2, 2800.0


# Waves that run over grass and crowns with the wind, rad a metre: whole numbers of them to the field's period.
SWAY_X, GRASS_X, GRASS_Y = (2 * math.pi * n / 2048 for n in (98, 81, 39))
# Ripples of sand, a quarter of a metre apart, and by how much land and grain bend them.
SAND_X, SAND_Y = (2 * math.pi * n / 2048 for n in (7600, 2660))
SAND_BEND, SAND_JAG = 5.0, 1.6
# How far off towards the sun a house is looked for that takes its light, and how soft a shadow's edge is.
SHADOW_M, SHADOW_SOFT = (1.5, 4.0, 7.0), (0.6, 0.25)  # m; m, and m a metre
SHADOWS_TO_M = 140.0  # farther off none is looked for
SHADOW_AHEAD_M = 3.0  # houses near by sink; their shadows a little later
# How far off towards the sun a thing is looked for whose shade lies on the ground, how long that is at most, how far it
# reaches beyond the thing's foot and to its sides, of the thing's width, how soft it ends, and where it is told no more
# and begins to fade.
SHADE_AT_M, SHADE_LONGEST_M = tuple(2.0 * n for n in range(7)), 12.0
SHADE_FOOT, SHADE_SIDE, SHADE_SOFT, SHADE_TO_M = 0.6, 0.75, 1.4, (88.0, 32.0)
# Texels of the finest textures that a metre shows, or a texel of the detail: such that they repeat with the field.
BLOOM_SCALE, RIPPLE_SCALE, WEB_SCALE = 2.25, 1.25, 1.0
CRAGS_M = 20.0, 40.0  # above its valleys a mountain begins to be rock, and in how many more it is that all over
# Texels of the grain that rock shows are this share of its distance wide, in steps of two, from the least to the most.
ROCK_SHARE, ROCK_M, ROCK_HIGH = 1 / 256, (0.125, 4.0), 0.7  # and how much slower it changes with height
# Things are told pixel by pixel this far, as heights of the land from the end on, and as both between.
BODIES_M, THINGS = (90.0, 130.0), 16  # m; at most so many on a ray
SLIM = 0.5  # of its height a thing is wide at most, from its middle
SHALLOW_M = 1.5  # deep, and nothing stands in the water; where it is less deep things are smaller
SWAY = 0.10  # of its width a thing sways at its top in a storm
UNDER_M, OVER = 0.6, 1.06  # what is told of one begins so far below its foot, and ends at so much of its height
# Textures on the front of a thing: metres of one texel.
CLUMP_M, LEAF_M, TWIG_M = 0.8, 0.22, 0.05
ROUGH, MOST_CLUMP, APART_M = 0.7, 0.8, 97.0  # how strong they are; how far apart they begin on ranks 0 and 1
LEAF_TO_M, TWIG_TO_M = (71.5, 16.5), (36.4, 8.4)  # where each ends, and where it begins to fade
TIER_M, KNOT_M = 1.25, 1.3  # from one whorl of branches to the next, and from knot to knot of bamboo
# How far whorls hang down at their ends, and how unevenly; how far stems lean; how fans begin, and are bent.
DROOP, UNEVEN, LEAN, FAN_FOOT, BENT = 0.55, 0.12, 0.16, 0.12, 1.6
CULMS = ((-0.60, 0.0), (0.05, 2.1), (0.60, 4.2))  # where the stems of bamboo stand, and which way each leans
FAN = 17.0  # by which the branches of corals part, a quarter of a turn
SIDE_M = 0.4  # between two looks at a crown, which tell whether it turns to the sun
BUMP_M = 0.09  # between two looks at the fine grain, which tell what side of a clod is lit
WAVE_PER_M = 0.34  # of the waves that run to a shore, rad
SWAY_RAD_S, GRASS_RAD_S, PULSE_RAD_S = 2.4, 3.0, 4.0
RAIN_HEIGHTS_S, SNOW_HEIGHTS_S = 3.7, 0.24  # how fast drops and flakes fall through the picture
# Layers of what falls: texels to a picture's height, and where they begin.
FALL_LAYERS = ((300.0, 0.0), (470.0, 133.0))
FLOOR_M, WINDOW_M = 3.2, 2.6  # of a house's front
CLEARED_M = 6.0  # high houses may be, and nothing grows where they stand
HOUSE_M = 1.5  # high a house is, and its ground is seen no more
ROOF_M = 9.0  # how far above the eyes a ceiling is
OPEN_M = 3000.0  # how much higher land may rise under the open sky
# Where the field has walls of rock, by its patches and hills; and how far off they begin and have grown.
WALL_PATCH, WALL_HILLS, WALL_LEAST, WALL_STEEP = 0.8, 0.4, 0.25, 1.6
WALL_FROM_M, WALL_FADE_M = 4.0, 8.0
WALL_ROCK_M = 2.0  # in which, from there on, they show that they are rock
RIPPLE_RAD = 0.035  # by which a ripple turns what is mirrored
WALKER_X, WALKER_FOOT, WALKER_TALL = 0.5, 0.90, 0.34  # of the picture's width and height


def focal(width: int) -> float:
    """Focal length in pixels of a picture `width` pixels wide."""
    return width / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)


def distances(count: int, nearest_m: float = NEAREST_M) -> NDArray[np.float32]:
    """Distances in metres (count,) at which a view's ray looks at the land, growing.

    Even in what level ground shows (1 / z) near by, even in the logarithm far off, where land stands up: the density
    is the sum of both.
    """
    fine = np.geomspace(nearest_m, FARTHEST_M, 4_000)
    near = 1 / nearest_m - 1 / fine
    density = 0.55 * near / near[-1] + 0.45 * np.log(fine / nearest_m) / math.log(FARTHEST_M / nearest_m)
    return np.interp(np.linspace(0, 1, count), density, fine).astype(np.float32)


def wall_of(hills: float, patch: float) -> float:
    """How much rock stands in a wall, 0..1, by what the field says. Plain, so that kernels can be made of it."""
    t = min(max((WALL_PATCH * patch + WALL_HILLS * hills - WALL_LEAST) * WALL_STEEP, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def shade_of(ahead: float, beside: float, high: float, wide: float, tangent: float) -> float:
    """How much of the sun's light a thing takes from a point of the ground, 0..1.

    Its middle stands `ahead` m from there towards the sun and `beside` m to a side; it is `high` and, from its middle,
    `wide` m. tangent: of the sun's height. Plain, so that kernels can be made of it.
    """
    long = 0.5 * min(high / tangent, SHADE_LONGEST_M)
    along, across = (ahead - long) / (long + SHADE_FOOT * wide), beside / (SHADE_SIDE * wide)
    t = min(max(SHADE_SOFT * (1 - along * along - across * across), 0.0), 1.0)
    return t * t * (3 - 2 * t) * min(high, 1.0)
