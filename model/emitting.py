"""Writing kernels in LLVM's own terms, where compilers do not find vectors in loops over numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

LANES = 8  # numbers of 32 bits in a vector of AVX2
FLOATS, WORDS = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)


def emitted(emit: Callable[..., Any]) -> Any:
    """What a kernel may call, and what it then is in LLVM's terms."""
    return intrinsic(emit)


def whole(value: int) -> Any:
    """A whole number of 64 bits."""
    return ir.Constant(ir.IntType(64), value)


def address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Of an element of a flat array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def vector(builder: Any, base: Any, at: Any, kind: Any) -> Any:
    """The address of a vector that begins so many numbers after another address."""
    return builder.bitcast(builder.gep(base, [at]), kind.as_pointer())


def lanes(builder: Any, a: Any, b: Any, order: Any) -> Any:
    """Lanes of a, and after them of b, in an order."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def splat(builder: Any, value: Any) -> Any:
    """A number in all lanes."""
    alone = builder.insert_element(ir.Constant(FLOATS, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return lanes(builder, alone, alone, [0] * LANES)
