"""Samples of tileable textures, and cheap sines, for the kernels of the raster."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba as nb
import numpy as np

from model.field import SIZE

_MASK = SIZE - 1

# A walk over a picture, and what is part of one. Dividing by zero is no error to look for at each point, and the order
# of sums is the compiler's; but what comes of numbers that are not finite stays not finite, so that they are found.
_FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}
inlined = nb.njit(fastmath=_FAST, nogil=True, error_model="numpy")
_kept = nb.njit(fastmath=_FAST, nogil=True, cache=True, error_model="numpy")


def kernel(walk: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled walk, kept on disk where numba finds a folder that it may write to."""
    try:
        return _kept(walk)  # type: ignore[no-any-return]
    except RuntimeError:  # it finds none: compiled anew at each start
        return inlined(walk)  # type: ignore[no-any-return]


@inlined
def whole(x):  # type: ignore[no-untyped-def]
    """The largest whole number not above x."""
    return np.int64(math.floor(x))


@inlined
def sample(texture, u, v):  # type: ignore[no-untyped-def]
    """Bilinear sample of a tileable texture (512²,) at (u, v) texels."""
    low_u, low_v = np.floor(u), np.floor(v)
    a, b, i, j = np.float32(u - low_u), np.float32(v - low_v), np.int64(low_u), np.int64(low_v)
    u0, u1 = i & _MASK, (i + 1) & _MASK
    v0, v1 = (j & _MASK) * SIZE, ((j + 1) & _MASK) * SIZE
    top = texture[v0 + u0] + a * (texture[v0 + u1] - texture[v0 + u0])
    low = texture[v1 + u0] + a * (texture[v1 + u1] - texture[v1 + u0])
    return top + b * (low - top)


@inlined
def sample_of(texture, channel, u, v):  # type: ignore[no-untyped-def]
    """The same of one channel of a texture (512², channels)."""
    low_u, low_v = np.floor(u), np.floor(v)
    a, b, i, j = np.float32(u - low_u), np.float32(v - low_v), np.int64(low_u), np.int64(low_v)
    u0, u1 = i & _MASK, (i + 1) & _MASK
    v0, v1 = (j & _MASK) * SIZE, ((j + 1) & _MASK) * SIZE
    p, q = texture[v0 + u0, channel], texture[v1 + u0, channel]
    top = p + a * (texture[v0 + u1, channel] - p)
    low = q + a * (texture[v1 + u1, channel] - q)
    return top + b * (low - top)


@inlined
def sample_land(texture, u, v):  # type: ignore[no-untyped-def]
    """The four channels of a texture (512², 4)."""
    low_u, low_v = np.floor(u), np.floor(v)
    a, b, i, j = np.float32(u - low_u), np.float32(v - low_v), np.int64(low_u), np.int64(low_v)
    u0, u1 = i & _MASK, (i + 1) & _MASK
    v0, v1 = (j & _MASK) * SIZE, ((j + 1) & _MASK) * SIZE
    one = np.float32(1)
    w00, w01, w10, w11 = (one - a) * (one - b), a * (one - b), (one - a) * b, a * b
    p, q, r, s = texture[v0 + u0], texture[v0 + u1], texture[v1 + u0], texture[v1 + u1]
    return (
        w00 * p[0] + w01 * q[0] + w10 * r[0] + w11 * s[0],
        w00 * p[1] + w01 * q[1] + w10 * r[1] + w11 * s[1],
        w00 * p[2] + w01 * q[2] + w10 * r[2] + w11 * s[2],
        w00 * p[3] + w01 * q[3] + w10 * r[3] + w11 * s[3],
    )


@inlined
def nearest(u, v):  # type: ignore[no-untyped-def]
    """The number of the texel whose sample point lies nearest to (u, v)."""
    return (whole(v + 0.5) & _MASK) * SIZE + (whole(u + 0.5) & _MASK)


@inlined
def texel(u, v):  # type: ignore[no-untyped-def]
    """The number of the texel that (u, v) lies in."""
    return (whole(v) & _MASK) * SIZE + (whole(u) & _MASK)


@inlined
def clamp(x, low, high):  # type: ignore[no-untyped-def]
    """x, kept within low..high."""
    return min(max(x, low), high)


@inlined
def smooth(x):  # type: ignore[no-untyped-def]
    """0 below 0 .. 1 above 1, level at both."""
    t = min(max(x, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@inlined
def sine(rad):  # type: ignore[no-untyped-def]
    """The sine to three decimals, which is all that sixteen-bit networks hear of it."""
    t = rad * 0.15915494309189535
    t -= math.floor(t + 0.5)
    y = 8 * t - 16 * t * abs(t)
    return 0.225 * (y * abs(y) - y) + y


@inlined
def sigmoid(x):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-x))."""
    return np.float32(1) / (np.float32(1) + math.exp(-x))


@inlined
def put(bits, out):  # type: ignore[no-untyped-def]
    """Numbers, by the bits of their thirty-two, into a row of bfloat16, by the bits of their sixteen: rounded."""
    for f in range(len(bits)):
        out[f] = np.uint16((bits[f] + np.uint32(0x8000)) >> np.uint32(16))
