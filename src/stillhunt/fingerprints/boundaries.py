"""Where tokens begin and end, 59 bytes at a time and without branches.

The tokens are those of ``tokens.reference_tokens``. Of every 64 bytes the kinds are bits of a
number, and the rules are shifts of such numbers: simdjson's way with JSON (Langdale and Lemire
2019, "Parsing gigabytes of JSON per second"). What a byte is depends on the four before it and the
one after it; so windows overlap by five, and nothing is carried from one to the next.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs, allow-untyped-calls
# Compiled functions get their types from numba.

from __future__ import annotations

import numpy as np
from numba import njit

from stillhunt.fingerprints.machine import (
    bytes_within,
    copy_lowered,
    count_ones,
    first_one,
    prefetch,
)

BACK = 4
"""Bytes before a window's first: a text's bytes lie from here on in ``folded``."""

_STEP = 64 - BACK - 1
_U = np.uint64
_ONE = _U(1)
_DECIDED = _U(((1 << _STEP) - 1) << BACK)
_AHEAD = 2048  # bytes; about three texts
_AT_ONCE = 12  # boundaries listed without asking whether there are so many; prose has 10 a window
MARGIN = 2 * 64
"""Memory that is written behind a text's last byte, or its last token."""


# Nothing here allocates, so that arrays need no counting of references, which costs 5 %.
compiled = njit(cache=True, nogil=True, _nrt=False)  # type: ignore[call-overload]
inlined = njit(cache=True, inline="always", _nrt=False)  # type: ignore[call-overload]


@inlined
def _ascii_word(data, at):
    return (
        bytes_within(data, at, 97, 122)
        | bytes_within(data, at, 65, 90)
        | bytes_within(data, at, 48, 57)
        | bytes_within(data, at, 95, 95)
    )


@inlined
def _beyond_ascii(data, at, high, inside):
    """Bytes from 80 on: (of words, first ones of wide characters, bytes just behind those).

    ``inside``: which bytes are of the text.
    """
    behind_80 = (bytes_within(data, at, 0x80, 0x80) & inside) >> _ONE
    behind_b8 = (bytes_within(data, at, 0xB8, 0xBB) & inside) >> _ONE
    behind_bc = (bytes_within(data, at, 0xBC, 0xBD) & inside) >> _ONE
    e3_80 = bytes_within(data, at, 0xE3, 0xE3) & behind_80
    wide_three = bytes_within(data, at, 0xE3, 0xED) & ~e3_80
    wide_three |= bytes_within(data, at, 0xE0, 0xE0) & behind_b8
    wide_four = bytes_within(data, at, 0xF0, 0xF4)
    three = wide_three | bytes_within(data, at, 0xE2, 0xE2) | e3_80
    three |= bytes_within(data, at, 0xEF, 0xEF) & behind_bc
    two = bytes_within(data, at, 0xC2, 0xC2)
    first = (two | three | wide_four) & inside
    wide = (wide_three | wide_four) & inside
    more = bytes_within(data, at, 0x80, 0xBF) & inside
    second = (first << _ONE) & more
    third = ((second & ((three | wide_four) << _ONE)) << _ONE) & more
    fourth = ((third & (wide_four << _U(2))) << _ONE) & more
    rest = ((wide << _ONE) & more) | ((wide << _U(2)) & third) | fourth
    word = high & inside & ~(first | second | third | fourth)
    return word, wide, ((wide | rest) << _ONE) & ~rest


@inlined
def _list(bits, base, out, filled):
    """Append the positions of set bits to ``out``; returns the new number there."""
    after = filled + count_ones(bits)
    for j in range(_AT_ONCE):
        out[_U(filled + j)] = base + first_one(bits)
        bits &= bits - _ONE
    filled += _AT_ONCE
    while filled < after:
        out[_U(filled)] = base + first_one(bits)
        bits &= bits - _ONE
        filled += 1
    return after


@compiled
def _scan(data, start, length, folded, begins, ends):
    """``token_boundaries`` where BACK bytes before the text and 64 behind it can be read."""
    begun = 0
    ended = 0
    for at in range(0, length + 1, _STEP):
        window = start + at - BACK
        prefetch(data, window + _AHEAD)
        inside = ~_U(0) if at > 0 else ~_U((1 << BACK) - 1)
        left = length - at + BACK
        if left < 64:
            inside &= (_ONE << _U(left)) - _ONE
        word = _ascii_word(data, window) & inside
        high = bytes_within(data, window, 0x80, 0xFF) & inside
        wide = _U(0)
        behind = _U(0)
        if high:
            more, wide, behind = _beyond_ascii(data, window, high, inside)
            word |= more
        copy_lowered(data, window, folded, at)
        after = word << _ONE
        begun = _list(((word & ~after) | wide) & _DECIDED, at, begins, begun)
        ended = _list(((after & ~word) | behind) & _DECIDED, at, ends, ended)
    return ended


@compiled
def token_boundaries(data, start, end, folded, begins, ends):
    """Find the tokens of bytes start..end-1.

    Args:
        data: uint8 text bytes; start, end: the text's.
        folded: uint8 (end - start + MARGIN,), overwritten: the text from BACK on, lower-cased.
        begins, ends: int64 (end - start + MARGIN,), overwritten: token t is
            ``folded[begins[t]:ends[t]]``.

    Returns:
        How many tokens there are.
    """
    length = end - start
    if start >= BACK and end + 64 <= len(data):
        return _scan(data, start, length, folded, begins, ends)
    for i in range(length):
        folded[_U(BACK + i)] = data[_U(start + i)]
    return _scan(folded, BACK, length, folded, begins, ends)
