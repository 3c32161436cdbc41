"""Machine instructions that numba has no name for: eight bytes at any address, and lowest set bits.

None of them checks bounds; callers keep eight readable bytes behind every position they pass.
Bytes are taken in little-endian order, so that hashes are the same on every machine.
"""

# mypy: allow-untyped-calls, disable-error-code=import-untyped
# llvmlite has no types.

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return cgutils.pointer_add(builder, data, index, return_type=_I64.as_pointer())


def _little_endian(builder: Any, value: Any) -> Any:
    return value if sys.byteorder == "little" else builder.bswap(value)


@intrinsic
def load64(_typing: Any, data: Any, index: Any) -> Any:  # noqa: ARG001
    """Read bytes index..index+7 of a uint8 array as a uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        return _little_endian(builder, builder.load(pointer, align=1))

    return types.uint64(data, types.intp), generate


@intrinsic
def store64(_typing: Any, data: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write a uint64 to bytes index..index+7 of a uint8 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, number = arguments
        pointer = _pointer(context, builder, signature.args[0], array, at)
        builder.store(_little_endian(builder, number), pointer, align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), generate


@intrinsic
def first_one(_typing: Any, value: Any) -> Any:  # noqa: ARG001
    """Position of the lowest set bit of a uint64, 0 to 63; 64 where none is set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.intp(types.uint64), generate


@intrinsic
def prefetch(_typing: Any, data: Any, index: Any) -> Any:  # noqa: ARG001
    """Fetch the cache line of byte ``index`` of a uint8 array; any index will do."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(fetch, [pointer, number(0), number(3), number(1)])  # read, keep, data
        return context.get_dummy_value()

    return types.void(data, types.intp), generate
