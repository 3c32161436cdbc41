"""Casts of loosely typed columns to the types of the schemas.

Every cast takes an Arrow array of any type or a list of Python values, and returns the values it
could read together with a mask of those that were present but could not be read (they are null in
the result). Arrow columns are cast as a whole; only a column that resists is gone through value by
value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Column: TypeAlias = pa.Array | Sequence[Any]
"""A column as a format delivers it: an Arrow array of any type, or Python values."""

EARLIEST = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""No log of a language model's API is older, in microseconds since 1970."""

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_NULL = type(None)
_TRUE = frozenset({"true", "t", "1", "yes"})
_FALSE = frozenset({"false", "f", "0", "no"})
_LONGEST_NUMBER = 64
# What Arrow reads as Python does: to the microsecond, with a zone.
_PLAIN_TIME = re.compile(
    r"20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][01][0-9]:[0-5][0-9])\Z"
).match


class UnreadableError(ValueError):
    """A value is not what its column holds."""


@dataclass(frozen=True)
class Cast:
    """A column after its cast.

    Attributes:
        values: the Arrow array, n values of the type asked for.
        bad: shape (n,), bool: present in the log but unreadable. None where there is no such.
        repaired: shape (n,), bool: read, but only with replacement characters. None likewise.
    """

    values: pa.Array
    bad: np.ndarray | None = None
    repaired: np.ndarray | None = None


def cast(column: Column, kind: pa.DataType) -> Cast:
    """Cast a column to a type of the schemas: a string, int64, float64, bool or timestamp[us, UTC].

    Args:
        column: n values.
        kind: the type wanted.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.Array):
        if pa.types.is_null(column.type):
            return Cast(pa.nulls(len(column), kind))
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(kind):
        return _times(column)
    quick = _text(column, kind) if _is_text(kind) else _numbers(column, kind)
    if quick is not None:
        return Cast(quick)
    return _one_by_one(column, kind)


def read_time(value: Any) -> int:
    """Read one time as microseconds since 1970 UTC.

    ISO 8601 (``Z``, an offset, or none, which means UTC), a datetime, or a number of seconds,
    milliseconds, microseconds or nanoseconds, told apart by magnitude.

    Raises:
        UnreadableError: it is none of these.
    """
    if isinstance(value, str):
        return _time_of_text(value.strip())
    if isinstance(value, bool):
        raise UnreadableError
    if isinstance(value, int | float | Decimal):
        return _time_of_number(value)
    if isinstance(value, datetime):
        return _microseconds(value)
    if isinstance(value, date):
        return _microseconds(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise UnreadableError


def read_text(value: Any) -> str:
    """Read one string; whole numbers become their digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    raise UnreadableError


def read_integer(value: Any) -> int:
    """Read one whole number that is not negative and fits 64 bits."""
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnreadableError
    if not math.isfinite(value) or value != int(value) or not 0 <= value < 2**63:
        raise UnreadableError
    return int(value)


def read_float(value: Any) -> float:
    """Read one finite number."""
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnreadableError
    try:
        number = float(value)
    except OverflowError:
        raise UnreadableError from None
    if not math.isfinite(number):
        raise UnreadableError
    return number


def read_bool(value: Any) -> bool:
    """Read one truth value: a bool, 0 or 1, or a word for it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise UnreadableError


def _number(text: str) -> int | float:
    text = text.strip()
    if len(text) > _LONGEST_NUMBER:
        raise UnreadableError
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        raise UnreadableError from None


def _time_of_text(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise UnreadableError
    if text[:1].isdigit() and text.replace(".", "", 1).isdecimal():
        return _time_of_number(_number(text))
    for suffix in (" UTC", " GMT"):
        text = text.removesuffix(suffix)
    try:
        return _microseconds(datetime.fromisoformat(text.replace(" +", "+")))
    except ValueError:
        raise UnreadableError from None


def _time_of_number(value: int | float | Decimal) -> int:
    if not math.isfinite(value):
        raise UnreadableError
    size = abs(float(value))
    if size < 1e11:
        microseconds = round(value * 1_000_000)
    elif size < 1e14:
        microseconds = round(value * 1_000)
    elif size < 1e17:
        microseconds = round(value)
    else:
        microseconds = int(value // 1_000)
    if abs(microseconds) >= 2**62:
        raise UnreadableError
    return microseconds


def _microseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        raise UnreadableError from None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text(column: Column, kind: pa.DataType) -> pa.Array | None:
    try:
        if not isinstance(column, pa.Array):
            return pa.array(column, kind)  # raises on what is no string, and on lone surrogates
        source = column.type
        if pa.types.is_integer(source):
            return column.cast(kind)
        if not _holds_bytes(source):
            return None
        as_text = column.cast(kind)
        as_text.validate(full=True)  # Parquet's strings are not checked when they are read
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeError):
        return None
    return as_text


def _holds_bytes(source: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(source)
        or pa.types.is_large_string(source)
        or pa.types.is_string_view(source)
        or pa.types.is_binary(source)
        or pa.types.is_large_binary(source)
        or pa.types.is_binary_view(source)
    )


def _numbers(column: Column, kind: pa.DataType) -> pa.Array | None:
    castable = _castable(column, kind) if isinstance(column, pa.Array) else _alike(column, kind)
    if not castable:
        return None
    try:
        values = column.cast(kind) if isinstance(column, pa.Array) else pa.array(column, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return None
    if pa.types.is_integer(kind) and _any(pc.less(values, 0)):
        return None
    if pa.types.is_floating(kind) and _any(pc.invert(pc.is_finite(values))):
        return None
    return values


def _castable(column: pa.Array, kind: pa.DataType) -> bool:
    source = column.type
    if pa.types.is_boolean(source) != pa.types.is_boolean(kind) or pa.types.is_temporal(source):
        return False
    return bool(pa.types.is_primitive(source)) or _holds_bytes(source)


def _alike(values: Sequence[Any], kind: pa.DataType) -> bool:
    wanted: set[type] = {bool}
    if pa.types.is_integer(kind):
        wanted = {int}
    elif pa.types.is_floating(kind):
        wanted = {int, float}
    return set(map(type, values)) <= wanted | {_NULL}


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _reader(kind: pa.DataType) -> Callable[[Any], Any]:
    if _is_text(kind):
        return read_text
    if pa.types.is_integer(kind):
        return read_integer
    if pa.types.is_floating(kind):
        return read_float
    return read_bool


def _one_by_one(column: Column, kind: pa.DataType) -> Cast:
    if isinstance(column, pa.Array):
        column = _bytes_first(column).to_pylist()
    read = _reader(kind)
    text = _is_text(kind)
    bad = np.zeros(len(column), dtype=bool)
    repaired = np.zeros(len(column), dtype=bool)
    out: list[Any] = [None] * len(column)
    for i, value in enumerate(column):
        if value is None or (not text and value == ""):
            continue
        try:
            if isinstance(value, bytes):
                clean = value.decode("utf-8", "replace")
                repaired[i] = text and "\ufffd" in clean and clean.encode() != value
                value = clean  # noqa: PLW2901
            result = read(value)
            if text and not result.isascii():
                valid = result.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                repaired[i] |= valid != result
                result = valid
            out[i] = result
        except (UnreadableError, ValueError, OverflowError):
            bad[i] = True
    return Cast(
        pa.array(out, kind),
        bad if bad.any() else None,
        repaired if repaired.any() else None,
    )


def _bytes_first(column: pa.Array) -> pa.Array:
    """View strings as binary, since those that are not UTF-8 cannot become Python strings."""
    source = column.type
    if pa.types.is_string_view(source):
        return column.cast(pa.binary_view())
    if pa.types.is_string(source):
        return column.cast(pa.binary())
    if pa.types.is_large_string(source):
        return column.cast(pa.large_binary())
    return column


def _times(column: Column) -> Cast:
    """Cast to timestamp[us, UTC]. Bad: unreadable, or beyond int64. Ranges are not looked at."""
    kind = pa.timestamp("us", tz="UTC")
    if isinstance(column, pa.Array):
        if pa.types.is_timestamp(column.type):
            return _stamps(column)
        if pa.types.is_date(column.type):
            return _stamps(column.cast(pa.timestamp("ms")))
        if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
            return _epochs(column)
        column = _bytes_first(column).to_pylist()
    elif (quick := _alike_times(column)) is not None:
        return quick
    bad = np.zeros(len(column), dtype=bool)
    out: list[int | None] = [None] * len(column)
    for i, value in enumerate(column):
        if value is None:
            continue
        try:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            out[i] = read_time(text) if text != "" else None
        except (UnreadableError, ValueError, OverflowError):
            bad[i] = True
    return Cast(pa.array(out, pa.int64()).cast(kind), bad if bad.any() else None)


def _alike_times(column: Sequence[Any]) -> Cast | None:
    """Cast times that are all written alike as a whole; None where one is not."""
    kinds = set(map(type, column)) - {_NULL}
    try:
        if kinds == {int}:
            return _epochs(pa.array(column, pa.int64()))
        if kinds == {str} and all(map(_PLAIN_TIME, filter(None, column))):
            kind = pa.timestamp("us", tz="UTC")
            return Cast(pa.array([value or None for value in column], pa.string()).cast(kind))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    return None


def _stamps(column: pa.Array) -> Cast:
    """Timestamps of any unit and zone: what is underneath is UTC; a naive one counts as UTC."""
    kind = pa.timestamp("us", tz="UTC")
    unit = column.type.unit
    raw = column.view(pa.int64()) if column.offset == 0 else column.cast(pa.int64())
    numbers = np.asarray(raw.fill_null(0))
    bad = None
    if unit == "ns":
        numbers = numbers // 1_000
    else:
        factor = _MICROSECONDS[unit]
        wild = np.abs(numbers.astype(np.float64)) > 2**62 / factor
        numbers = np.where(wild, 0, numbers) * factor
        bad = wild if wild.any() else None
    missing = np.asarray(column.is_null())
    if bad is not None:
        missing = missing | bad
    return Cast(pa.array(numbers, pa.int64(), mask=missing).cast(kind), bad)


def _epochs(column: pa.Array) -> Cast:
    """Whole numbers since 1970, their unit told by magnitude as ``read_time`` does."""
    numbers = np.asarray(column.cast(pa.int64()).fill_null(0))
    size = np.abs(numbers.astype(np.float64))
    scaled = np.select(
        [size < 1e11, size < 1e14, size < 1e17],
        [numbers * 1_000_000, numbers * 1_000, numbers],
        numbers // 1_000,
    )
    values = pa.array(scaled, pa.int64(), mask=np.asarray(column.is_null()))
    return Cast(values.cast(pa.timestamp("us", tz="UTC")))
