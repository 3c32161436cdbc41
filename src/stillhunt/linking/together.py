"""Pairs of values that many entities carry together: the product of two sparse matrices, row by row.

Values of one family times values of another are counted over the entities that carry both, for one
value of the first family at a time (Gustavson 1978, "Two fast algorithms for sparse matrices"). Most
pairs come once or twice; a pair is kept only if it comes as often as is asked of its kind, so that
memory grows with what is surprising, and not with what there is.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

_ROOM = 1 << 16  # pairs that are written down before they are handed over
_SHARE = 4096  # values of the first family that a thread takes at a time


@dataclass(frozen=True)
class Lists:
    """For each of n things a list, one after the other.

    Attributes:
        offsets: int64 (n + 1,); values: int32, in rising order within a list.
    """

    offsets: np.ndarray
    values: np.ndarray


def lists_of(key: np.ndarray, value: np.ndarray, n: int) -> Lists:
    """The values of each key from 0 to n - 1, int32 (m,) each; of one key they are different."""
    offsets = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(key, minlength=n), out=offsets[1:])
    out = np.empty(len(key), dtype=np.int32)
    _fill(key, value, offsets.copy(), out)
    _sort(offsets, out)
    return Lists(offsets, out)


def together(
    entities: Lists,
    values: Lists,
    kinds: tuple[np.ndarray, np.ndarray],
    least: np.ndarray,
    *,
    ordered: bool,
    threads: int = 2,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count pairs of values, and keep those that come often enough.

    Args:
        entities: of each value of the first family.
        values: of the second family, of each entity.
        kinds: int32, the kind of each value of either family.
        least: int32 (kinds, kinds), how often a pair of such kinds must come to be kept.
        ordered: keep only pairs whose second value is the greater: both families are one.
        threads: how many.

    Returns:
        First value, second value, int32, and number of entities, int32; in rising order of the pairs.
    """
    n = len(entities.offsets) - 1
    starts = range(0, n, _SHARE)

    def count(start: int) -> tuple[np.ndarray, ...]:
        return _count_share(entities, values, kinds, least, ordered, start, min(start + _SHARE, n))

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(count, starts))
    if not parts:
        return (np.zeros(0, np.int32),) * 3
    x, y, many = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((y, x))
    return x[order], y[order], many[order]


def _count_share(
    entities: Lists,
    values: Lists,
    kinds: tuple[np.ndarray, np.ndarray],
    least: np.ndarray,
    ordered: bool,
    start: int,
    stop: int,
) -> tuple[np.ndarray, ...]:
    seen = np.zeros(len(kinds[1]), dtype=np.int32)
    touched = np.empty(len(kinds[1]), dtype=np.int32)
    out = tuple(np.empty(_ROOM + len(kinds[1]), dtype=np.int32) for _ in range(3))
    found: list[tuple[np.ndarray, ...]] = []
    at = start
    while at < stop:
        at, n = _count(
            entities.offsets, entities.values, values.offsets, values.values, *kinds, least,
            ordered, at, stop, seen, touched, *out,
        )  # fmt: skip
        found.append(tuple(column[:n].copy() for column in out))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


@njit(cache=True, nogil=True)
def _fill(key, value, place, out):  # type: ignore[no-untyped-def]
    for i in range(len(key)):
        out[place[key[i]]] = value[i]
        place[key[i]] += 1


@njit(cache=True, nogil=True)
def _sort(offsets, values):  # type: ignore[no-untyped-def]
    for i in range(len(offsets) - 1):
        if offsets[i + 1] - offsets[i] > 1:
            values[offsets[i] : offsets[i + 1]].sort()


@njit(cache=True, nogil=True)
def _count(  # type: ignore[no-untyped-def]
    x_offsets, x_entities, e_offsets, e_values, x_kind, y_kind, least, ordered, start, stop,
    seen, touched, out_x, out_y, out_n,
):  # fmt: skip
    """Go on from one first value as far as there is room; where that was, and how many pairs."""
    n = 0
    for x in range(start, stop):
        if n >= _ROOM:
            return x, n
        many = 0
        for i in range(x_offsets[x], x_offsets[x + 1]):
            e = x_entities[i]
            for j in range(e_offsets[e], e_offsets[e + 1]):
                y = e_values[j]
                if ordered and y <= x:
                    continue
                if seen[y] == 0:
                    touched[many] = y
                    many += 1
                seen[y] += 1
        for t in range(many):
            y = touched[t]
            if seen[y] >= least[x_kind[x], y_kind[y]]:
                out_x[n] = x
                out_y[n] = y
                out_n[n] = seen[y]
                n += 1
            seen[y] = 0
    return stop, n
