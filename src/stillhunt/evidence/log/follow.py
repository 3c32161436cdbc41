"""Computes a log anew from its entries and compares: what an owner does after a disk was in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stillhunt.evidence.entries import (
    ACCOUNT_BYTES,
    BATCH,
    LEAF_BYTES,
    account_entries,
    check_entry,
    observation_entries,
)
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.merkle import Frontier, Rows, as_hashes, leaf_hash
from stillhunt.evidence.tiles import HEIGHT, TileReader

_AT_ONCE = 1 << 14
_RESTORE = "Restore the log's folder from a backup that is not behind its latest head."


@dataclass(frozen=True)
class Trail:
    """What was compared.

    Attributes:
        leaves: entries that were hashed; heads: signed heads whose roots they lead to.
        batches: records that the log holds; opened: leaves whose content is what was committed to.
    """

    leaves: int
    heads: int
    batches: int
    opened: int


def follow(log: Log, advance: Callable[[int, int], None] = lambda _done, _all: None) -> Trail:
    """Compute everything anew: roots of all heads, the chain of batches, every opening.

    Args:
        log: to be checked; advance: told (done, total) leaves.

    Raises:
        EvidenceError: something is not as a head says.
    """
    size = log.checkpoint().size
    heads = _roots(log, size, lambda done: advance(done, 2 * size))
    opened, previous = 0, ""
    for number, batch in enumerate(log.batches(), 1):
        record = bytes([BATCH]) + batch.digest()
        if (batch.batch, batch.previous) != (number, previous) or log.entry(batch.leaf) != record:
            raise EvidenceError(f"The record of batch {number:,} is not the one sealed.", _RESTORE)
        previous = batch.digest().hex()
        if log.is_openable(batch):
            _open(log, batch)
            opened += batch.observations + batch.accounts
        advance(size + batch.end, 2 * size)
    return Trail(size, heads, len(log.batches()), opened)


def _roots(log: Log, size: int, advance: Callable[[int], None]) -> int:
    """Compare the roots of all heads with those of the entries; how many there are."""
    frontier, tree = Frontier(), log.tree(size)
    sizes = log.sizes()
    for head in sizes:
        while frontier.size < head:
            end = min(head, frontier.size + _AT_ONCE)
            leaves = []
            for entry in log.entries(frontier.size, end):
                check_entry(entry)
                leaves.append(leaf_hash(entry))
            _tiles(tree, frontier.extend(as_hashes(leaves)))
            advance(frontier.size)
        if log.head(head).checkpoint.root != frontier.root():
            raise EvidenceError(f"Entries do not lead to the head of {head:,} leaves.", _RESTORE)
    return len(sizes)


def _tiles(tree: TileReader, nodes: list[tuple[int, Rows]]) -> None:
    """Compare what the tiles say with nodes made anew."""
    for level in range(0, len(nodes), HEIGHT):
        first, row = nodes[level]
        stored = tree.hashes_at(level, first + np.arange(len(row), dtype=np.int64))
        if not np.array_equal(stored, row):
            raise EvidenceError("Tiles are not those of the entries.", _RESTORE)


def _open(log: Log, batch: Batch) -> None:
    middle = batch.first + batch.observations
    entries = log.entries(batch.first, batch.leaf)
    for first, end, width in (
        (batch.first, middle, LEAF_BYTES),
        (middle, batch.leaf, ACCOUNT_BYTES),
    ):
        for start in range(first, end, _AT_ONCE):
            positions = np.arange(start, min(end, start + _AT_ONCE), dtype=np.int64)
            reader = log.open_leaves if width == LEAF_BYTES else log.open_accounts
            make = observation_entries if width == LEAF_BYTES else account_entries
            for opened in reader(positions):
                for made in make(opened.rows, opened.salts):
                    if made.tobytes() != next(entries):
                        raise EvidenceError(
                            f"What batch {batch.batch:,} holds is not what it committed to.",
                            _RESTORE,
                        )
