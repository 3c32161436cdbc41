"""Machine instructions that numba has no name for: eight or 64 bytes at any address, and bits.

None of them checks bounds; callers keep the bytes readable behind every position they pass. Bytes
are taken in little-endian order, so that hashes are the same on every machine. Vectors of 64 bytes
become what registers the machine has: one of AVX-512, two of AVX2, four of SSE2 or NEON.
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

_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_BYTES = ir.VectorType(_I8, 64)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, to: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return cgutils.pointer_add(builder, data, index, return_type=to.as_pointer())


def _little_endian(builder: Any, value: Any) -> Any:
    return value if sys.byteorder == "little" else builder.bswap(value)


def _everywhere(builder: Any, value: Any, kind: Any = _BYTES) -> Any:
    """A vector of one value, as often as its kind has places."""
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
    order = ir.Constant(ir.VectorType(_I32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), order)


def _bits(builder: Any, flags: Any) -> Any:
    """The flags of a vector as a uint64, the first one lowest."""
    number = ir.IntType(flags.type.count)
    bits = builder.bitcast(flags, number)
    return builder.zext(bits if sys.byteorder == "little" else builder.bitreverse(bits), _I64)


def _inside(builder: Any, vector: Any, low: Any, high: Any) -> Any:
    """Flags of the bytes from low to high: below low they wrap around to large ones."""
    above = builder.sub(vector, _everywhere(builder, low))
    return builder.icmp_unsigned("<=", above, _everywhere(builder, builder.sub(high, low)))


@intrinsic
def load64(_typing: Any, data: Any, index: Any) -> Any:  # noqa: ARG001
    """Read bytes index..index+7 of a uint8 array as a uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at = arguments
        pointer = _pointer(context, builder, signature.args[0], array, at, _I64)
        return _little_endian(builder, builder.load(pointer, align=1))

    return types.uint64(data, types.intp), generate


@intrinsic
def bytes_within(_typing: Any, data: Any, index: Any, low: Any, high: Any) -> Any:  # noqa: ARG001
    """Which of bytes index..index+63 of a uint8 array are low to high: bit i for byte index + i."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, least, most = arguments
        pointer = _pointer(context, builder, signature.args[0], array, at, _BYTES)
        return _bits(builder, _inside(builder, builder.load(pointer, align=1), least, most))

    return types.uint64(data, types.intp, types.uint8, types.uint8), generate


@intrinsic
def copy_lowered(_typing: Any, data: Any, index: Any, out: Any, to: Any) -> Any:  # noqa: ARG001
    """Copy bytes index..index+63 of a uint8 array to ``out[to:]``, ASCII letters lower-cased."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, target, place = arguments
        source = _pointer(context, builder, signature.args[0], array, at, _BYTES)
        vector = builder.load(source, align=1)
        upper = _inside(builder, vector, _I8(ord("A")), _I8(ord("Z")))
        case = builder.select(upper, _everywhere(builder, _I8(0x20)), ir.Constant(_BYTES, None))
        pointer = _pointer(context, builder, signature.args[2], target, place, _BYTES)
        builder.store(builder.or_(vector, case), pointer, align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, out, types.intp), generate


@intrinsic
def first_one(_typing: Any, value: Any) -> Any:  # noqa: ARG001
    """Position of the lowest set bit of a uint64, 0 to 63; 64 where none is set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.intp(types.uint64), generate


@intrinsic
def count_ones(_typing: Any, value: Any) -> Any:  # noqa: ARG001
    """How many bits of a uint64 are set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.intp(types.uint64), generate


@intrinsic
def prefetch(_typing: Any, data: Any, index: Any) -> Any:  # noqa: ARG001
    """Fetch the cache line of byte ``index`` of a uint8 array; any index will do."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at = arguments
        pointer = _pointer(context, builder, signature.args[0], array, at, _I64)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _I32, _I32, _I32])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(fetch, [pointer, _I32(0), _I32(3), _I32(1)])  # read, keep, data
        return context.get_dummy_value()

    return types.void(data, types.intp), generate


@intrinsic
def store_least(_typing: Any, data: Any, at: Any, one: Any, two: Any, three: Any, to: Any) -> Any:  # noqa: ARG001
    """Of a uint64 array, store 16 minima of four places each.

    ``data[to + i]`` becomes the least of data[at + i], data[at + one + i], data[at + two + i] and
    data[at + three + i]. What is written may not overlap with what is read.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, first, *shifts, place = arguments
        bases = [first, *(builder.add(first, shift) for shift in shifts), place]
        kind = ir.VectorType(_I64, 16)
        starts = [
            _pointer(context, builder, signature.args[0], array, builder.mul(base, _I64(8)), kind)
            for base in bases
        ]
        least, *others = [builder.load(start, align=8) for start in starts[:-1]]
        for other in others:
            least = builder.select(builder.icmp_unsigned("<", least, other), least, other)
        builder.store(least, starts[-1], align=8)
        return context.get_dummy_value()

    return types.void(data, *[types.intp] * 5), generate


@intrinsic
def changes(_typing: Any, data: Any, at: Any) -> Any:  # noqa: ARG001
    """Where a uint64 array changes, 64 times: bit i tells if data[at + i] != data[at + i + 1]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, first = arguments
        here, next_ = [
            builder.load(
                _pointer(
                    context, builder, signature.args[0], array,
                    builder.mul(place, _I64(8)), ir.VectorType(_I64, 64),
                ),
                align=8,
            )
            for place in (first, builder.add(first, _I64(1)))
        ]  # fmt: skip
        return _bits(builder, builder.icmp_unsigned("!=", here, next_))

    return types.uint64(data, types.intp), generate


def _places(relation: str, data: Any, arguments: tuple[Any, ...], tools: tuple[Any, Any]) -> Any:
    """Which of 32 values of an array of 32-bit numbers, from an index on, relate to a value so."""
    context, builder = tools
    array, at, value = arguments
    kind = ir.VectorType(_I32, 32)
    pointer = _pointer(context, builder, data, array, builder.mul(at, _I64(4)), kind)
    values = builder.load(pointer, align=4)
    wanted = _everywhere(builder, value, kind)
    return _bits(builder, builder.icmp_unsigned(relation, values, wanted))


@intrinsic
def places_of(_typing: Any, data: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Which of 32 values of an array of 32-bit numbers are ``value``: bit i for data[index + i]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _places("==", signature.args[0], arguments, (context, builder))

    return types.uint64(data, types.intp, data.dtype), generate


@intrinsic
def places_below(_typing: Any, data: Any, index: Any, bound: Any) -> Any:  # noqa: ARG001
    """Which of 32 values of a uint32 array are below a bound: bit i for data[index + i]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _places("<", signature.args[0], arguments, (context, builder))

    return types.uint64(data, types.intp, types.uint32), generate


@intrinsic
def bit_length(_typing: Any, value: Any) -> Any:  # noqa: ARG001
    """One more than the position of a uint64's highest set bit; 0 where none is set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.sub(_I64(64), builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0)))

    return types.intp(types.uint64), generate
