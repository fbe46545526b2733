"""An instruction numba does not offer: one bit for each of 32 floats that is positive."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_LANES = 32


def _positive_bits(typing_context: Any, array: Any, first: Any) -> Any:
    """Return a uint32 whose bit k is set where `array[first + k] > 0`; 1-D float32, contiguous.

    Written as a loop this becomes 32 shifts; as a vector it is two compares (AVX-512) or four.
    """
    signature = types.uint32(array, first)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type = signature.args[0]
        values = context.make_array(array_type)(context, builder, arguments[0])
        index = context.cast(builder, arguments[1], signature.args[1], types.intp)
        address = cgutils.gep(builder, values.data, index)
        vector = ir.VectorType(ir.FloatType(), _LANES)
        loaded = builder.load(builder.bitcast(address, vector.as_pointer()), align=4)
        zero = ir.Constant(vector, [0.0] * _LANES)
        compared = builder.fcmp_ordered('>', loaded, zero)
        return builder.bitcast(compared, ir.IntType(_LANES))

    return signature, generate


positive_bits: Any = intrinsic(_positive_bits)
