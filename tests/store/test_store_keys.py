"""The key index against sets."""

from __future__ import annotations

import math
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.store.keys import known_keys, merge_runs, open_run, slices, to_merge, write_run

KEYS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=30)


def _array(keys: list[int]) -> np.ndarray:
    return np.array(keys, dtype=np.int64)


@settings(deadline=None)
@given(st.lists(KEYS, max_size=5), KEYS)
def test_keys_are_found_and_merged_as_sets(lists: list[list[int]], asked: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.keys" for i in range(len(lists))]
        for path, keys in zip(paths, lists, strict=True):
            write_run(path, _array(keys))
        runs = [open_run(path) for path in paths]
        everything = {key for keys in lists for key in keys}
        wanted = np.unique(_array(asked))
        found = known_keys(wanted, runs)
        assert [bool(f) for f in found] == [int(k) in everything for k in wanted]
        merge_runs(Path(folder) / "merged.keys", runs)
        assert open_run(Path(folder) / "merged.keys").tolist() == sorted(everything)


@given(st.lists(KEYS, max_size=5), st.integers(1, 40))
def test_slices_give_every_key_once_and_in_ranges(lists: list[list[int]], at_once: int) -> None:
    runs = [np.sort(_array(keys)) for keys in lists]
    ranges = list(slices(runs, at_once))
    together = np.concatenate([np.zeros(0, np.int64), *ranges])
    assert np.sort(together).tolist() == sorted(key for keys in lists for key in keys)
    filled = [r for r in ranges if len(r)]
    assert all(a.max() < b.min() for a, b in pairwise(filled))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=200))
def test_runs_stay_few(batches: list[int]) -> None:
    sizes: list[int] = []
    written = 0
    for batch in batches:
        sizes.append(batch)
        merged = to_merge(sizes)
        if merged:
            sizes[-merged:] = [sum(sizes[-merged:])]
        written += sizes[-1]
    assert sum(sizes) == sum(batches)
    # Each run is more than twice the size of all that are younger's eldest: few, and seldom rewritten.
    assert all(a > 2 * b for a, b in pairwise(sizes))
    assert len(sizes) <= 1 + math.log2(max(sum(batches), 2))
