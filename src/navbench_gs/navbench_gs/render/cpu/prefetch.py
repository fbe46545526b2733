"""An instruction numba does not offer: ask the cache for a row before it is needed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

unpack_tuple: Any = cgutils.unpack_tuple


def _prefetch_row(typing_context: Any, array: Any, row: Any) -> Any:
    """Start loading the cache line at `array[row, 0]` of a C-contiguous 2-D array.

    Blending reads items in depth order, which is random order in memory: without this, waiting
    for the next item took half of the time to draw a 128x128 view of a 300 k street.
    """
    signature = types.void(array, row)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type = signature.args[0]
        values = context.make_array(array_type)(context, builder, arguments[0])
        strides = unpack_tuple(builder, values.strides, array_type.ndim)
        index = context.cast(builder, arguments[1], signature.args[1], types.intp)
        address = builder.ptrtoint(values.data, ir.IntType(64))
        address = builder.add(address, builder.mul(index, strides[0]))
        byte_pointer = ir.IntType(8).as_pointer()
        pointer = builder.inttoptr(address, byte_pointer)
        flag = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            'llvm.prefetch',
            (byte_pointer,),
            ir.FunctionType(ir.VoidType(), [byte_pointer, flag, flag, flag]),
        )
        # Read access, keep in all levels, data cache.
        builder.call(function, [pointer, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return signature, generate


prefetch_row: Any = intrinsic(_prefetch_row)
