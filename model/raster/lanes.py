"""Samples of tileable textures at many points at once, eight a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from model.emitting import FLOATS, LANES, WORDS, address, emitted, lanes, vector, whole
from model.field import SIZE
from model.raster.room import Array
from model.raster.texture import inlined
from model.shading import Textures

PADDED = (SIZE + 1) * SIZE + 1  # numbers of a padded texture
_PAIR = ir.VectorType(ir.FloatType(), 2)
_SHIFT = SIZE.bit_length() - 1
# Of pairs of texels put together, so that left and right ones come apart within halves of a vector.
_PAIRS = (0, 1, 4, 5), (2, 3, 6, 7)
_LEFT, _RIGHT = [0, 2, 8, 10, 4, 6, 12, 14], [1, 3, 9, 11, 5, 7, 13, 15]


def pad(texture: Array) -> None:
    """Repeat the first row of a padded texture after its last.

    To the right of the last texel of a row lies then the first of the next one, not of its own.
    """
    texture[SIZE * SIZE :] = texture[: SIZE + 1]


def padded_of(textures: Textures, name: str) -> Array:
    """One of the textures (512²,), padded; made when it is first asked for."""
    kept = textures.padded.get(name)
    if kept is None:
        kept = np.empty(PADDED, np.float32)
        kept[: SIZE * SIZE] = getattr(textures, name).numpy()
        pad(kept)
        textures.padded[name] = kept
    return kept


@emitted
def _eight(typing, texture, u, v, at, out):  # type: ignore[no-untyped-def]
    """out[at:] of eight bilinear samples of a padded texture at texels (u[at:], v[at:])."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        texels = address(context, builder, kinds[0], args[0], whole(0))
        floor = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(FLOATS, [FLOATS]), f"llvm.floor.v{LANES}f32"
        )
        mask = ir.Constant(WORDS, [SIZE - 1] * LANES)

        def eight(kind: Any, array: Any) -> Any:
            return vector(builder, address(context, builder, kind, array, args[3]), whole(0), FLOATS)

        def split(kind: Any, array: Any) -> tuple[Any, Any]:
            given = builder.load(
                vector(builder, address(context, builder, kind, array, args[3]), whole(0), FLOATS), align=4
            )
            low = builder.call(floor, [given])
            return builder.fsub(given, low), builder.and_(builder.fptosi(low, WORDS), mask)

        (a, column), (b, row) = split(kinds[1], args[1]), split(kinds[2], args[2])
        index = builder.add(builder.shl(row, ir.Constant(WORDS, [_SHIFT] * LANES)), column)
        first = [
            builder.gep(
                texels,
                [builder.zext(builder.extract_element(index, ir.Constant(ir.IntType(32), lane)), ir.IntType(64))],
            )
            for lane in range(LANES)
        ]

        def mixed(down: int) -> Any:
            pairs = [builder.load(vector(builder, place, whole(down), _PAIR), align=4) for place in first]
            halves = []
            for p, q, r, s in _PAIRS:
                fours = [lanes(builder, pairs[x], pairs[y], [*range(4)]) for x, y in ((p, q), (r, s))]
                halves.append(lanes(builder, fours[0], fours[1], [*range(8)]))
            left, right = (lanes(builder, halves[0], halves[1], order) for order in (_LEFT, _RIGHT))
            return lerp(left, right, a)

        def lerp(x: Any, y: Any, share: Any) -> Any:
            flags = ("contract",)
            return builder.fadd(x, builder.fmul(share, builder.fsub(y, x), flags=flags), flags=flags)

        shown = lerp(mixed(0), mixed(SIZE), b)
        builder.store(
            shown, vector(builder, address(context, builder, kinds[4], args[4], args[3]), whole(0), FLOATS), align=4
        )
        return context.get_dummy_value()

    return types.void(texture, u, v, types.int64, out), build


@inlined
def samples(texture, u, v, count, out):  # type: ignore[no-untyped-def]
    """Bilinear samples of a padded texture at (u, v) texels, the first `count` of each, into out.

    All three are as long as the next multiple of eight, or longer; what lies there is read and written.
    """
    for at in range(0, count, 8):
        _eight(texture, u, v, at, out)
