"""The last walks over a picture: to its full width, and into bytes row by row."""

from __future__ import annotations

import numpy as np

from model.raster.texture import kernel

_COLUMNS, _ROWS = 16, 64  # at a time, so that what is turned stays in the first cache


@kernel
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


@kernel
def to_bytes(picture, added, out):  # type: ignore[no-untyped-def]
    """Picture (C, R * 3) in 0..1, with `added` (R * 3) to each of its columns, into `out` uint8 (R, C * 3)."""
    columns, rows = picture.shape[0], picture.shape[1] // 3
    room = np.empty((_COLUMNS, 3 * _ROWS), np.uint8)
    for c0 in range(0, columns, _COLUMNS):
        for r0 in range(0, rows, _ROWS):
            wide, high = min(_COLUMNS, columns - c0), min(_ROWS, rows - r0)
            for c in range(wide):
                own, row = picture[c0 + c, 3 * r0 : 3 * (r0 + high)], room[c]
                for i in range(3 * high):
                    value = (own[i] + added[3 * r0 + i]) * np.float32(255) + np.float32(0.5)
                    row[i] = np.uint8(np.int32(min(max(value, np.float32(0)), np.float32(255))))
            for r in range(high):
                to = out[r0 + r]
                for c in range(wide):
                    for k in range(3):
                        to[3 * (c0 + c) + k] = room[c, 3 * r + k]
