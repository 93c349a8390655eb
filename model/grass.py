"""Grass on bare ground: where a line of sight meets it before it meets the ground. Geometry that teacher and network
share; how light or dark that is, of each channel, the network has learnt (`model.litter`).

A line of sight is followed from where it comes down to the height of the highest blades, a few steps, until a texture
of tufts rises above it (as in relief mapping: Policarpo et al. 2005). Between the last two steps it is met where two
straight lines cross.
"""

from __future__ import annotations

import math

from model.camera import GRASS_RAD_S, GRASS_X, GRASS_Y

GRASS_CELL_M = 0.04  # of the bloom, once more: tufts
STEPS = (1.1, 0.9, 0.7, 0.5, 0.3)  # of the height of grass, at which a line of sight is looked at
# By so much of it sooner or later, as the bloom has it at the ground: else steps would show as rows of knots.
JITTER, JITTER_SHARE, JITTER_CELL_M = 0.2, 0.4, GRASS_CELL_M / 3
GROUND_GAP = 0.2  # by which tufts stand above the ground where it is met
TUFT, UNEVEN = 0.24, 0.10  # how much of that height tufts differ by, and the fine grain beside
MEAN = 0.54  # of the height, where grass is met on average
REACH_M = 1.3  # a line of sight runs through grass at most
FULL_M = 0.1  # high, and grass shows in full
GRASS_TO_M = (36.0, 9.0)  # where it ends, and where it begins to fade
FLATTEST = 0.05  # no line of sight comes down by less a metre
BENT_M, STILL = 0.10, 0.25  # by which a storm bends the tips, and how much of that moves when there is none


def reach_of(slope: float, high_m: float) -> float:
    """How far a line of sight runs through grass `high_m` high, in m of distance, that rises by `slope` a metre.

    Plain, so that kernels can be made of it, as of `bend_of`.
    """
    return min(high_m / max(-slope, FLATTEST), REACH_M)


def bend_of(x: float, y: float, clock_s: float, wind: float) -> float:
    """How far to the side tips of grass at (x, y) in m are bent, in m."""
    return BENT_M * (STILL + wind) * math.sin(clock_s * GRASS_RAD_S + x * GRASS_X + y * GRASS_Y)
