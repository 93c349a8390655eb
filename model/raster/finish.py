"""The last walks over a picture: to its full width, and into bytes row by row."""

from __future__ import annotations

import numba as nb
import numpy as np

_TILE = 16  # columns and rows at a time, so that what is turned stays in the first cache


@nb.njit(fastmath=True, nogil=True, cache=True)
def widen(picture, depth, wide, wide_depth):  # type: ignore[no-untyped-def]
    """Columns (C, R, 3) to twice as many, colours blended, and depths (C, R), the nearest column's."""
    last = picture.shape[0] - 1
    for c in range(picture.shape[0]):
        before, after = max(c - 1, 0), min(c + 1, last)
        for r in range(picture.shape[1]):
            for k in range(3):
                own = np.float32(0.75) * picture[c, r, k]
                wide[2 * c, r, k] = own + np.float32(0.25) * picture[before, r, k]
                wide[2 * c + 1, r, k] = own + np.float32(0.25) * picture[after, r, k]
            wide_depth[2 * c, r] = wide_depth[2 * c + 1, r] = depth[c, r]


@nb.njit(nogil=True, cache=True)
def to_bytes(picture, rows_add, given, share, out):  # type: ignore[no-untyped-def]
    """Picture (C, R, 3) in 0..1 into `out` uint8 (R, C, 3); whether all of it was finite.

    rows_add (R, 3) is added to each row. given uint8 (R, C, 3): a picture that covers it by 1 - share; may be empty.
    """
    columns, rows = picture.shape[0], picture.shape[1]
    finite = True
    covered = given.size > 0
    for c0 in range(0, columns, _TILE):
        for r0 in range(0, rows, _TILE):
            for c in range(c0, min(c0 + _TILE, columns)):
                for r in range(r0, min(r0 + _TILE, rows)):
                    for k in range(3):
                        value = picture[c, r, k] + rows_add[r, k]
                        if not (-1e6 < value < 1e6):
                            finite = False
                            value = np.float32(0)
                        value *= 255
                        if covered:
                            value = given[r, c, k] + share * (value - given[r, c, k])
                        out[r, c, k] = np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))
    return finite
