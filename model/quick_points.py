"""A small feed-forward network over many points on a CPU in one kernel: what is between its layers stays in the cache.

PyTorch multiplies such narrow matrices at a third of the speed of wide ones, and writes every layer of all points to
memory. The same function in 32 bits, for CPUs that have no instructions for sixteen (`model.precision`).

Points go through the network in tiles of 24, one input after the other in memory. A tile's products with four rows of
weights are summed in registers, which compilers do not find from loops over numbers: that is written in LLVM's terms.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba.core import cgutils, types
from torch import Tensor

from model.emitting import FLOATS, LANES, WORDS, address, emitted, lanes, splat, vector, whole
from model.raster.texture import inlined, kernel

_VECTORS = 3
_POINTS = LANES * _VECTORS  # of a tile
_ROWS = 4  # of weights: twelve sums, three vectors of inputs and a weight fill the sixteen registers of AVX2
_TILES = 4  # that go through a layer before the next, so that its weights are read from the first cache
_GROUP = 8  # features that are transposed at once

_HALF = ir.VectorType(ir.IntType(32), _GROUP // 2)


@emitted
def _multiply(typing, weights, first, inputs, count, start, least, out, end):  # type: ignore[no-untyped-def]
    """out[end:] (4, 24) = weights[first:] (1 + count, 4), the biases before them, by inputs[start:] (count, 24).

    What is less than `least` becomes that; what is not a number stays so.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        w = address(context, builder, kinds[0], args[0], args[1])
        x = address(context, builder, kinds[2], args[2], args[4])
        y = address(context, builder, kinds[6], args[6], args[7])
        places = [(row, part) for row in range(_ROWS) for part in range(_VECTORS)]
        sums = {place: cgutils.alloca_once(builder, FLOATS) for place in places}  # registers, once it is optimised

        def weight(at: Any) -> Any:
            return splat(builder, builder.load(builder.gep(w, [at])))

        for row, part in places:
            builder.store(weight(whole(row)), sums[row, part])
        with cgutils.for_range(builder, args[3]) as loop:
            here = builder.gep(x, [builder.mul(loop.index, whole(_POINTS))])
            given = [
                builder.load(vector(builder, here, whole(LANES * part), FLOATS), align=4) for part in range(_VECTORS)
            ]
            for row in range(_ROWS):
                factor = weight(builder.add(builder.mul(loop.index, whole(_ROWS)), whole(_ROWS + row)))
                for part in range(_VECTORS):
                    product = builder.fmul(factor, given[part], flags=("contract",))
                    total = builder.fadd(builder.load(sums[row, part]), product, flags=("contract",))
                    builder.store(total, sums[row, part])
        bound = splat(builder, args[5])
        for row, part in places:
            total = builder.load(sums[row, part])
            total = builder.select(builder.fcmp_ordered("<", total, bound), bound, total)
            builder.store(total, vector(builder, y, whole(_POINTS * row + LANES * part), FLOATS), align=4)
        return context.get_dummy_value()

    return types.void(weights, types.int64, inputs, types.int64, types.int64, types.float32, out, types.int64), build


@emitted
def _transpose(typing, rows, first, features, out, end):  # type: ignore[no-untyped-def]
    """out[end:] (8, 24), in its first eight columns: eight bfloat16 by their bits of each of eight points.

    The points lie in rows[first:], each `features` further on.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x = address(context, builder, signature.args[0], args[0], args[1])
        y = address(context, builder, signature.args[3], args[3], args[4])
        # Two features are a word: four words of each point are transposed, then taken apart.
        points = [
            builder.load(vector(builder, x, builder.mul(args[2], whole(point)), _HALF), align=2)
            for point in range(LANES)
        ]
        a = [lanes(builder, points[at], points[at + 4], [*range(LANES)]) for at in range(4)]
        low, high = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
        b = [lanes(builder, a[at], a[at + 1], order) for order in (low, high) for at in (0, 2)]
        low, high = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
        words = [lanes(builder, b[at], b[at + 1], order) for at in (0, 2) for order in (low, high)]
        for at, word in enumerate(words):
            even = builder.shl(word, ir.Constant(WORDS, [16] * LANES))
            odd = builder.and_(word, ir.Constant(WORDS, [0xFFFF0000] * LANES))
            builder.store(even, vector(builder, y, whole(_POINTS * 2 * at), WORDS), align=4)
            builder.store(odd, vector(builder, y, whole(_POINTS * (2 * at + 1)), WORDS), align=4)
        return context.get_dummy_value()

    return types.void(rows, types.int64, types.int64, out, types.int64), build


@emitted
def _copy(typing, x, first, out, end):  # type: ignore[no-untyped-def]
    """24 numbers from x[first:] to out[end:]."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = address(context, builder, signature.args[0], args[0], args[1])
        y = address(context, builder, signature.args[2], args[2], args[3])
        for at in range(0, _POINTS, LANES):
            given = builder.load(vector(builder, source, whole(at), FLOATS), align=4)
            builder.store(given, vector(builder, y, whole(at), FLOATS), align=4)
        return context.get_dummy_value()

    return types.void(x, types.int64, out, types.int64), build


@inlined
def _up(count, step):  # type: ignore[no-untyped-def]
    """The next multiple of step."""
    return (count + step - 1) // step * step


@inlined
def _packed(flat, sizes):  # type: ignore[no-untyped-def]
    """Layers' weights as `_multiply` reads them: of four rows their biases, then for each input its four weights."""
    size = 0
    for layer in range(len(sizes) - 1):
        size += _up(sizes[layer + 1], _ROWS) * (1 + sizes[layer])
    out = np.zeros(size, np.float32)
    first = end = 0
    for layer in range(len(sizes) - 1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        bias = first + outputs * inputs
        for row in range(outputs):
            at = end + row // _ROWS * _ROWS * (1 + inputs) + row % _ROWS
            out[at] = flat[bias + row]
            for i in range(inputs):
                out[at + _ROWS * (1 + i)] = flat[first + row * inputs + i]
        first = bias + outputs
        end += _up(outputs, _ROWS) * (1 + inputs)
    return out


@inlined
def _memory(sizes):  # type: ignore[no-untyped-def]
    """What tiles hold between two layers, before one and after it, and how far apart they lie in it."""
    apart = _up(sizes.max(), max(_GROUP, _ROWS)) * _POINTS
    return np.zeros(_TILES * apart, np.float32), np.zeros(_TILES * apart, np.float32), apart


@inlined
def _forward(weights, sizes, tiles, here, there, apart, out, at):  # type: ignore[no-untyped-def]
    """Tiles of points, which lie here, through all layers: into out (N, outputs), from row `at` on."""
    first, last = 0, len(sizes) - 2
    for layer in range(last + 1):
        inputs = sizes[layer]
        least = np.float32(0) if layer < last else np.float32(-np.inf)
        for row in range(0, sizes[layer + 1], _ROWS):
            for tile in range(tiles):
                start = tile * apart
                _multiply(weights, first, here, inputs, start, least, there, start + row * _POINTS)
            first += _ROWS * (1 + inputs)
        here, there = there, here
    for tile in range(tiles):
        point = at + tile * _POINTS
        for o in range(out.shape[1]):
            for i in range(min(_POINTS, len(out) - point)):
                out[point + i, o] = here[tile * apart + o * _POINTS + i]


@kernel
def _of_rows(rows, flat, sizes, out):  # type: ignore[no-untyped-def]
    """rows: points, one after the other (N * features,), bfloat16 by their bits."""
    weights, features = _packed(flat, sizes), sizes[0]
    here, there, apart = _memory(sizes)
    read = (_POINTS - 1) * features + _up(features, _GROUP)  # somewhat of the next point, too: nothing asks for that
    last = np.zeros(read, np.uint16)
    for at in range(0, len(out), _TILES * _POINTS):
        tiles = min(_TILES, _up(len(out) - at, _POINTS) // _POINTS)
        for tile in range(tiles):
            source, first = rows, (at + tile * _POINTS) * features
            if first + read > len(rows):
                last[:] = 0
                last[: len(rows) - first] = rows[first:]
                source, first = last, 0
            for point in range(0, _POINTS, LANES):
                for f in range(0, features, _GROUP):
                    end = tile * apart + f * _POINTS + point
                    _transpose(source, first + point * features + f, features, here, end)
        _forward(weights, sizes, tiles, here, there, apart, out, at)


@kernel
def _of_columns(columns, stride, flat, sizes, out):  # type: ignore[no-untyped-def]
    """columns: of all points one feature after the other, the next of which begins `stride` numbers further on."""
    weights = _packed(flat, sizes)
    here, there, apart = _memory(sizes)
    for at in range(0, len(out), _TILES * _POINTS):
        tiles = min(_TILES, _up(len(out) - at, _POINTS) // _POINTS)
        for f in range(sizes[0]):
            for tile in range(tiles):
                point, end = at + tile * _POINTS, tile * apart + f * _POINTS
                first, count = f * stride + point, min(_POINTS, len(out) - point)
                if count == _POINTS:
                    _copy(columns, first, here, end)
                else:
                    here[end : end + _POINTS] = 0
                    here[end : end + count] = columns[first : first + count]
        _forward(weights, sizes, tiles, here, there, apart, out, at)


def through(x: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """What layers of float32 weights (outputs, inputs) and biases (outputs,) make of points x (N, inputs), on a CPU.

    float32 (N, outputs), the same to the bit for a point wherever it stands among others. After each layer but the last
    what is negative becomes 0. There are no gradients. x in bfloat16, one point after the other, and in float32, one
    feature after the other, is read as it lies; else it is copied. RuntimeError where anything requires a gradient.
    """
    sizes = [x.shape[1], *(len(bias) for _, bias in layers)]
    flat = torch.cat([part.flatten() for part in chain.from_iterable(layers)])
    out = torch.empty(len(x), sizes[-1])
    given = flat.numpy(), np.array(sizes), out.numpy()
    if x.dtype == torch.bfloat16 and x.is_contiguous():
        _of_rows(x.view(torch.int16).view(-1).numpy().view(np.uint16), *given)
    else:
        columns = x.float().T
        columns = columns if columns.stride(1) == 1 else columns.contiguous()
        stride = columns.stride(0)
        _of_columns(columns.as_strided(((sizes[0] - 1) * stride + len(x),), (1,)).numpy(), stride, *given)
    return out
