"""The key index: which exchanges a store has seen, as few sorted files of 64-bit keys.

A run is a file of keys, ascending and distinct, 8 bytes each, little-endian. New keys are looked up
by binary search in the mapped file: n of them touch at most a few pages each, never the whole store.
Runs are merged when the younger has come to half the size of the older (O'Neil et al. 1996, the
log-structured merge-tree), so that there are at most log2 of the store's rows of them, and each key
is written again as often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stillhunt.store.durable import sync

Keys = npt.NDArray[np.int64]

KEY_BYTES = 8

_AT_ONCE = 1 << 22
"""Keys that are sorted in memory at a time."""


def write_run(path: Path, keys: Keys, *, sync_files: bool = True) -> None:
    """Write keys (any order, int64 (n,)) as a run."""
    _write(path, iter([_distinct(keys)]), sync_files=sync_files)


def open_run(path: Path) -> Keys:
    """A run's keys, mapped: nothing is read yet."""
    if path.stat().st_size == 0:
        return np.zeros(0, dtype=np.int64)
    return np.memmap(path, dtype="<i8", mode="r")


def merge_runs(path: Path, runs: Sequence[Keys], *, sync_files: bool = True) -> None:
    """Write the union of runs as one."""
    merged = (_distinct(keys) for keys in slices(runs))
    _write(path, merged, sync_files=sync_files)


def slices(runs: Sequence[Keys], at_once: int = _AT_ONCE) -> Iterator[Keys]:
    """All keys of sorted arrays, range by range of their values; within a range in any order.

    Args:
        runs: each ascending, int64.
        at_once: keys in a range, about; keys are hashes, so that equal ranges hold about as many.
    """
    total = sum(len(run) for run in runs)
    pieces = max(1, -(-total // at_once))
    edges = [-(1 << 63) + (1 << 64) * i // pieces for i in range(1, pieces)]
    starts = [0] * len(runs)
    for edge in [*edges, None]:
        ends = [
            len(run) if edge is None else int(np.searchsorted(run, np.int64(edge))) for run in runs
        ]
        held = [run[a:b] for run, a, b in zip(runs, starts, ends, strict=True)]
        starts = ends
        yield np.concatenate(held) if held else np.zeros(0, dtype=np.int64)


def known_keys(keys: Keys, runs: Sequence[Keys]) -> npt.NDArray[np.bool_]:
    """Whether each of n keys, ascending, is in any of the runs: bool (n,)."""
    found = np.zeros(len(keys), dtype=bool)
    for run in runs:
        if len(run):
            at = np.searchsorted(run, keys)
            found |= run[np.minimum(at, len(run) - 1)] == keys
    return found


def to_merge(sizes: Sequence[int]) -> int:
    """How many of the youngest runs to merge into one, given sizes from the oldest on; 0: none."""
    count, size = 1, sizes[-1] if sizes else 0
    for older in reversed(sizes[:-1]):
        if older > 2 * size:
            break
        count, size = count + 1, size + older
    return count if count > 1 else 0


def _distinct(keys: Keys) -> Keys:
    # Stable sorts make use of what is in order already; NumPy's unique does not.
    keys = np.sort(keys, kind="stable")
    return keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys


def _write(path: Path, ranges: Iterator[Keys], *, sync_files: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for keys in ranges:
            out.write(np.ascontiguousarray(keys, dtype="<i8").data)
    if sync_files:
        sync(path)
        sync(path.parent)
