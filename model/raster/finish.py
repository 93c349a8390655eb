"""The last walks over a picture: to its full width, and into bytes row by row, as large as it is to be."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from model.emitting import address, emitted
from model.raster.texture import inlined, kernel

_COLUMNS = 16  # at a time, so that what is turned stays in the cache


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


@emitted
def _pixel(typing, source, at, out, to):  # type: ignore[no-untyped-def]
    """Three bytes from source[at:] to out[to:], and what follows them there, which is to be overwritten."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(32)
        base = address(context, builder, signature.args[0], args[0], args[1])
        end = address(context, builder, signature.args[2], args[2], args[3])
        builder.store(
            builder.load(builder.bitcast(base, word.as_pointer()), align=1),
            builder.bitcast(end, word.as_pointer()),
            align=1,
        )
        return context.get_dummy_value()

    return types.void(source, types.int64, out, types.int64), build


@inlined
def _between(at, share, last):  # type: ignore[no-untyped-def]
    """Of what is `share` as long, with so many a last one: the one before a place, the one after, how much of that."""
    x = min(max((at + 0.5) * share - 0.5, 0.0), np.float64(last))
    low = int(x)
    return low, min(low + 1, last), np.float32(x - low)


@inlined
def _heighten(source, added, before, after, part, out):  # type: ignore[no-untyped-def]
    """A column (R * 3,) as high as a frame, (H * 3,): the numbers before and after each, and how much of the latter."""
    for i in range(len(out)):
        low = source[before[i]] + added[before[i]]
        out[i] = low + part[i] * (source[after[i]] + added[after[i]] - low)


@kernel
def to_frame(picture, added, width, out):  # type: ignore[no-untyped-def]
    """Picture (C, R * 3) in 0..1, with `added` (R * 3) to each of its columns, into `out` uint8 (H * width * 3,).

    Row by row, and bilinearly enlarged where it is smaller. Whether all of it was finite.
    """
    columns, rows, height = picture.shape[0], picture.shape[1] // 3, len(out) // (3 * width)
    enlarged = columns != width or rows != height
    wide = columns / width
    # Columns one after the other; of a smaller picture the two that are mixed, made as high as the frame.
    room = np.empty(_COLUMNS * 3 * height + 1, np.uint8)
    tall, own = np.empty((2, 3 * height), np.float32), np.empty(3 * height, np.float32)
    known = np.full(2, -1)
    before, after, part = (
        np.empty(3 * height, np.int32),
        np.empty(3 * height, np.int32),
        np.empty(3 * height, np.float32),
    )
    for i in range(3 * height):
        first, second, part[i] = _between(i // 3, rows / height, rows - 1)
        before[i], after[i] = 3 * first + i % 3, 3 * second + i % 3
    check = np.float32(0)
    for x0 in range(0, width, _COLUMNS):
        count = min(_COLUMNS, width - x0)
        for c in range(count):
            if not enlarged:
                source = picture[x0 + c]
                for i in range(3 * height):
                    own[i] = source[i] + added[i]
            else:
                first, second, share = _between(x0 + c, wide, columns - 1)
                if known[0] != first:
                    if known[1] == first:
                        tall[0], known[0] = tall[1], first
                    else:
                        _heighten(picture[first], added, before, after, part, tall[0])
                        known[0] = first
                if known[1] != second:
                    _heighten(picture[second], added, before, after, part, tall[1])
                    known[1] = second
                one, other = tall[0], tall[1]
                for i in range(3 * height):
                    own[i] = one[i] + share * (other[i] - one[i])
            to = room[c * 3 * height : (c + 1) * 3 * height]
            for i in range(3 * height):
                check += own[i] * np.float32(0)
                value = own[i] * np.float32(255) + np.float32(0.5)
                to[i] = np.uint8(np.int32(min(max(value, np.float32(0)), np.float32(255))))
        for r in range(height):
            end = 3 * (r * width + x0)
            for c in range(count - 1):
                _pixel(room, 3 * (c * height + r), out, end + 3 * c)
            for k in range(3):
                out[end + 3 * (count - 1) + k] = room[3 * ((count - 1) * height + r) + k]
    return check == 0


@kernel
def to_deep(depth, width, out):  # type: ignore[no-untyped-def]
    """Depth (C, R) in m into `out` (H, width), row by row, the nearest where it is smaller."""
    columns, rows = depth.shape
    height = len(out)
    for x0 in range(0, width, _COLUMNS):
        for y in range(height):
            r = y * rows // height
            for x in range(x0, min(x0 + _COLUMNS, width)):
                out[y, x] = depth[x * columns // width, r]
