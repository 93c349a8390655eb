"""What the diorama's kernels read textures and draw chance with."""

from __future__ import annotations

import math

import numba as nb
import numpy as np


@nb.njit(fastmath=True, inline="always")
def sample(texture, channel, u, v):  # type: ignore[no-untyped-def]
    """Bilinear sample of a tileable texture at (u, v) texels."""
    uf, vf = math.floor(u), math.floor(v)
    fu, fv = np.float32(u - uf), np.float32(v - vf)
    u0, v0 = int(uf) & 511, int(vf) & 511
    u1, v1 = (u0 + 1) & 511, (v0 + 1) & 511
    one = np.float32(1)
    top = texture[v0, u0, channel] * (one - fu) + texture[v0, u1, channel] * fu
    low = texture[v1, u0, channel] * (one - fu) + texture[v1, u1, channel] * fu
    return top * (one - fv) + low * fv


@nb.njit(fastmath=True, inline="always")
def clamp(value, low, high):  # type: ignore[no-untyped-def]
    return min(high, max(low, value))


@nb.njit(fastmath=True, inline="always")
def smooth(value):  # type: ignore[no-untyped-def]
    t = min(1.0, max(0.0, value))
    return t * t * (3 - 2 * t)


@nb.njit(fastmath=True, inline="always")
def chance(i, j, k):  # type: ignore[no-untyped-def]
    """Whole numbers to a number in 0..1 that looks like chance."""
    return (((i * 73856093) ^ (j * 19349663) ^ (k * 83492791)) & 1023) / 1023


@nb.njit(fastmath=True, inline="always")
def hue_of(turn, k):  # type: ignore[no-untyped-def]
    """Channel k of a bright colour a turn round the wheel."""
    return 0.5 + 0.5 * math.cos(6.2831853 * (turn - k / 3.0))
