"""Near-duplicate prompts: MinHash LSH as datasketch sets it up, then connected components.

datasketch documents 128 permutations and a threshold of 0.9 as its defaults; it documents neither
how texts are cut into shingles (three words here) nor what makes two accounts one. Here accounts are
joined where each has at least so many prompts in one bucket of near-duplicates; that number, and
lower thresholds, are a grid of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _exchanges import Setting, answer, read_exchanges
from datasketch import MinHash, MinHashLSH
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

PERMUTATIONS = 128
SHINGLE = 3
THRESHOLDS = (0.5, 0.7, 0.9)
SHARED = (1, 5, 20)
DEFAULT_THRESHOLD = 0.9
WORDS = 120
"""Words of a prompt that are hashed: the cost of MinHash grows with them."""


def find(traffic: Path) -> Sequence[Setting]:
    """Components of accounts that send near-duplicates of the same prompts."""
    rows = read_exchanges(traffic)
    signature = _signatures([row["text"] for row in rows])
    names, account = np.unique([row["account"] for row in rows], return_inverse=True)
    settings = []
    for threshold in THRESHOLDS:
        lsh = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
        near = _buckets(signature, lsh.b, lsh.r)
        settings += [
            Setting(
                f"Jaccard {threshold:g}, {shared}+ prompts each",
                threshold == DEFAULT_THRESHOLD and shared == 1,
                _groups(names, account.ravel(), near, shared),
            )
            for shared in SHARED
        ]
    return settings


def _signatures(texts: Sequence[str]) -> np.ndarray:
    """uint64 (n, PERMUTATIONS)."""
    shingles = []
    for text in texts:
        words = text.lower().split()[:WORDS]
        last = max(1, len(words) - SHINGLE + 1)
        shingles.append({" ".join(words[i : i + SHINGLE]).encode() for i in range(last)})
    made = MinHash.generator(shingles, num_perm=PERMUTATIONS)
    return np.array([sketch.hashvalues for sketch in made], dtype=np.uint64)


def _buckets(signature: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Number of each prompt's near-duplicates' component: joined where all of some band agrees."""
    n = len(signature)
    left, right = [], []
    for band in range(bands):
        part = np.ascontiguousarray(signature[:, band * rows : (band + 1) * rows])
        key = part.view([("", part.dtype)] * rows).ravel()
        _, first, same = np.unique(key, return_index=True, return_inverse=True)
        left.append(np.arange(n))
        right.append(first[same.ravel()])
    joined = coo_matrix(
        (np.ones(n * bands, dtype=np.int8), (np.concatenate(left), np.concatenate(right))), (n, n)
    )
    return np.asarray(connected_components(joined, directed=False)[1])


def _groups(
    names: np.ndarray, account: np.ndarray, near: np.ndarray, shared: int
) -> dict[str, list[str]]:
    """Components of accounts over components of prompts; those of two accounts or more."""
    count = Counter(zip(account.tolist(), near.tolist(), strict=True))
    pairs = np.array([pair for pair, n in count.items() if n >= shared]).reshape(-1, 2)
    if len(pairs) == 0:
        return {}
    n, m = len(names), int(near.max()) + 1
    graph = coo_matrix(
        (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], n + pairs[:, 1])), (n + m, n + m)
    )
    label = connected_components(graph, directed=False)[1][:n]
    sizes = np.bincount(label)
    return {f"g{c}": names[label == c].tolist() for c in np.flatnonzero(sizes >= 2).tolist()}


if __name__ == "__main__":
    answer(find)
