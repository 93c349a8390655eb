"""How far off the diorama's picture is, pixel by pixel."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from model.camera import HORIZON, focal
from model.diorama.render import heights
from model.field import Field

_NEAREST_M, _FARTHEST_M, _LOOKS = 2.0, 2800.0, 420


@nb.njit(fastmath=True, nogil=True, cache=True)
def _met(out, high, distances, eye, horizon, f):  # type: ignore[no-untyped-def]
    """Distances in m at which pixels of `out` (H, n) meet surfaces `high` (n, K, 2); 0 where they meet none."""
    for index in range(out.shape[1]):
        top = out.shape[0]
        before = 0.0
        for k in range(len(distances)):
            z = distances[k]
            row = horizon + (eye - high[index, k, 1]) / z * f
            reached = max(0, int(math.ceil(row - 0.5)))  # noqa: RUF046
            if reached < top:
                # Level ground is met between two looks, by the row; what stands up, at the look itself.
                for y in range(reached, top):
                    share = (
                        min(1.0, (y + 0.5 - row) / max(1e-6, top - row)) if before > 0 and z < before * 1.06 else 0.0
                    )
                    out[y, index] = z + (before - z) * share
                top = reached
            before = z


def depth(
    field: Field, place: NDArray[np.float32], shore: NDArray[np.float64], camera: NDArray[np.float64],
    weather: NDArray[np.float64], times: NDArray[np.float64], size: tuple[int, int],
) -> NDArray[np.float32]:  # fmt: skip
    """Depths in m float32 (height, width) of the picture that `render.draw` draws of the same; 0 for sky."""
    height, width = size
    distances = np.geomspace(_NEAREST_M, _FARTHEST_M, _LOOKS).astype(np.float32)
    high = np.zeros((width, _LOOKS, 2), np.float32)
    heights(
        high, width, np.arange(width), distances, field.land, field.detail, field.shift_m, place, shore, camera,
        times[2], weather[5],
    )  # fmt: skip
    out = np.zeros((height, width), np.float32)
    f = focal(width)
    _met(out, high, distances, camera[2], height * HORIZON + math.tan(camera[4]) * f, f)
    return out
