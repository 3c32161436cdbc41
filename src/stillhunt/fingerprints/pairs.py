"""Word pairs: a consistent sample of which words follow which, for comparing traffic over time.

Grams are runs of six tokens: two people seldom write the same six, so that ordinary text has few
grams in common with earlier text, and neither has nonsense. Pairs of neighbouring tokens recur. Of
each prompt the ``PAIRS`` distinct pairs with the least hashes are kept (bottom-k sampling, Broder
1997): a pair with a small hash is kept wherever it occurs, so that counts of kept pairs compare
like with like, whatever the lengths of the texts.

Not part of the observation: pairs live in a working file, as long as one command.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs, allow-untyped-calls
# Compiled functions get their types from numba.

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit

from stillhunt.fingerprints import kernel
from stillhunt.fingerprints.text import text_buffers

PAIRS = 64
"""Word pairs kept of a prompt."""

_BEFORE = kernel.BEFORE
_LOW31 = np.uint64(0x7FFFFFFF)


@njit(cache=True, nogil=True)
def _least_pairs(tokens, count, least):
    """The least distinct pair hashes, ascending, in ``least``; returns how many."""
    kept = 0
    for t in range(_BEFORE + 1, _BEFORE + count):
        value = np.int32(kernel.pair_hash(tokens[t - 1], tokens[t]) & _LOW31)
        if kept == PAIRS and value >= least[PAIRS - 1]:
            continue
        at = kept
        while at > 0 and least[at - 1] > value:
            at -= 1
        if at > 0 and least[at - 1] == value:
            continue
        if kept < PAIRS:
            kept += 1
        for j in range(kept - 1, at, -1):
            least[j] = least[j - 1]
        least[at] = value
    return kept


@njit(cache=True, nogil=True)
def _pair_rows(data, offsets, out, counts, folded, begins, ends, tokens):
    tokens[:_BEFORE] = 0
    for row in range(len(counts)):
        start, end = offsets[row], offsets[row + 1]
        if end > start:
            n = kernel.token_hashes(data, start, end, folded, begins, ends, tokens)
            counts[row] = _least_pairs(tokens, n, out[row])


def word_pairs(prompts: pa.Array) -> pa.ListArray:
    """Sample the word pairs of prompts.

    Args:
        prompts: large_string array of n rows; a null has no pairs. Any bytes will do.

    Returns:
        list<int32> array of n rows: at most PAIRS distinct hashes a row, ascending.
    """
    n = len(prompts)
    counts = np.zeros(n, dtype=np.int64)
    out = np.zeros((n, PAIRS), dtype=np.int32)
    if n:
        data, places = text_buffers(prompts)
        longest = int(np.diff(places).max())
        folded, begins, ends, tokens = kernel.scratch(longest)[:4]
        _pair_rows(data, places, out, counts, folded, begins, ends, tokens)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    used = np.arange(PAIRS)[None, :] < counts[:, None]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(out[used]))
