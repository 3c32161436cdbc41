"""One proof that many leaves are in a tree: each hash that is needed once, none that follows.

On each level from the leaves up, left to right: the hashes of neighbours of known nodes that are
themselves neither known nor missing from the level (see ``merkle``). From leaves and proof together
everything up to the root can be computed, and every hash is used exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import (
    HASH_BYTES,
    MAX_SIZE,
    HashRows,
    NodeReader,
    Rows,
    as_hashes,
    hash_rows,
    pair_hashes,
    range_root,
)

Positions = npt.NDArray[np.int64]


def batch_proof(nodes: NodeReader, size: int, positions: Positions | Sequence[int]) -> bytes:
    """The hashes that ``batch_root`` needs.

    Args:
        nodes: of the tree; size: its leaves.
        positions: of k leaves, at least one, strictly increasing.

    Returns:
        32 bytes each, in their order.

    Raises:
        ProofError: these are no positions in that tree.
    """
    known = _checked(size, positions)
    proof = []
    width, level = size, 0
    while width > 1:
        missing = _missing(known, width)
        # A last node that is not complete is stored nowhere; there is at most one.
        uneven = bool(len(missing)) and int(missing[-1]) >= size >> level
        proof.append(nodes.hashes_at(level, missing[:-1] if uneven else missing).tobytes())
        if uneven:
            proof.append(range_root(nodes, size >> level << level, size))
        known = _parents(known)
        width, level = (width + 1) >> 1, level + 1
    return b"".join(proof)


def batch_root(
    size: int,
    positions: Positions | Sequence[int],
    leaf_hashes: bytes | Rows | Sequence[bytes],
    hashes: bytes | Rows | Sequence[bytes],
    hasher: HashRows = hash_rows,
) -> bytes:
    """The root that some leaves and a batch proof lead to.

    Args:
        size: leaves of the tree.
        positions: of k leaves, at least one, strictly increasing.
        leaf_hashes: k, in the same order; hashes: the proof.

    Raises:
        ProofError: positions are not as they should be, or hashes are too few or left over.
    """
    known = _checked(size, positions)
    row, rest = as_hashes(leaf_hashes), as_hashes(hashes)
    if len(row) != len(known):
        raise ProofError("There are not as many leaves as positions.")
    width, used = size, 0
    while width > 1:
        missing = _missing(known, width)
        given = rest[used : used + len(missing)]
        if len(given) < len(missing):
            raise ProofError("A batch proof has too few hashes.")
        used += len(missing)
        row = _up(known, row, missing, given, width, hasher)
        known = _parents(known)
        width = (width + 1) >> 1
    if used != len(rest):
        raise ProofError("A batch proof has hashes left over.")
    return bytes(row[0])


def _checked(size: int, positions: Positions | Sequence[int]) -> Positions:
    if not 0 < size <= MAX_SIZE:
        raise ProofError("A tree without leaves proves nothing.")
    try:
        known = np.asarray(positions, dtype=np.int64)
    except (OverflowError, TypeError, ValueError) as error:
        raise ProofError("A position is no number of a leaf.") from error
    if known.ndim != 1 or not len(known):
        raise ProofError("A batch proof is about one leaf at least.")
    if known[0] < 0 or known[-1] >= size or not bool(np.all(known[1:] > known[:-1])):
        raise ProofError("Positions are not strictly increasing, or beyond the tree.")
    return known


def _paired(known: Positions) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Of each known node, whether the next one is its right, or the previous one its left neighbour."""
    with_next = np.zeros(len(known), dtype=bool)
    with_next[:-1] = (known[:-1] & 1 == 0) & (known[1:] == known[:-1] + 1)
    with_previous = np.zeros(len(known), dtype=bool)
    with_previous[1:] = with_next[:-1]
    return with_next, with_previous


def _missing(known: Positions, width: int) -> Positions:
    """Neighbours that are on the level and not known, in order."""
    with_next, with_previous = _paired(known)
    beside = known[~(with_next | with_previous)] ^ 1
    return beside[beside < width]


def _parents(known: Positions) -> Positions:
    up = known >> 1
    first: Positions = up[np.append(True, up[1:] != up[:-1])]
    return first


def _up(
    known: Positions, row: Rows, missing: Positions, given: Rows, width: int, hasher: HashRows
) -> Rows:
    """Hashes of the parents of known nodes."""
    place = np.searchsorted(known, missing)
    every = np.insert(known, place, missing)
    hashes = np.empty((len(every), HASH_BYTES), dtype=np.uint8)
    is_given = np.zeros(len(every), dtype=bool)
    is_given[place + np.arange(len(missing))] = True
    hashes[is_given], hashes[~is_given] = given, row
    # Now all stand pairwise but for a last one that has no neighbour, which goes up as it is.
    alone = int(every[-1]) == width - 1 and width % 2 == 1
    above = pair_hashes(hashes[:-1] if alone else hashes, hasher)
    return np.concatenate([above, hashes[-1:]]) if alone else above
