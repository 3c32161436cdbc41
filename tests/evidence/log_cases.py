"""Small logs, and everything that must hold of one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np

from stillhunt.evidence.entries import (
    ACCOUNT,
    ACCOUNT_LAYOUT,
    BATCH,
    OBSERVATION,
    account_entries,
    as_rows,
    check_entry,
    observation_entries,
)
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.merkle import leaf_hash, node_hash
from stillhunt.evidence.tiles import ENTRIES, pack_entries, tile_path
from stillhunt.records.leaf import LAYOUT

ORIGIN = "logs.example.com/test"


def observations(first: int, count: int) -> np.ndarray:
    """Records of LAYOUT whose digests say which they are."""
    rows = np.zeros(count, dtype=LAYOUT)
    digests = b"".join(sha256(f"x{first + i}".encode()).digest()[:16] for i in range(count))
    rows["version"] = 1
    rows["exchange"] = np.frombuffer(digests, dtype="V16")
    rows["time"] = 1_700_000_000_000_000 + 1_000_000 * (first + np.arange(count))
    rows["account"] = (first + np.arange(count)) % 7 - 3
    rows["input_tokens"] = first + np.arange(count)
    return rows


def accounts(first: int, count: int) -> np.ndarray:
    """Records of ACCOUNT_LAYOUT."""
    rows = np.zeros(count, dtype=ACCOUNT_LAYOUT)
    rows["account"] = first + np.arange(count)
    rows["payment"] = 5
    return rows


def digests(rows: np.ndarray) -> np.ndarray:
    """Digests of exchanges, uint8 (n, 16)."""
    return as_rows(rows)[:, 6:22]


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962's root, level by level over plain lists."""
    row = leaves
    while len(row) > 1:
        pairs = [node_hash(*row[i : i + 2]) for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(row) // 2 * 2 :]
    return row[0] if row else sha256(b"").digest()


def check_log(root: Path) -> Log:
    """Hold everything that a log's files say to one another, computed anew from its entries."""
    log = Log(root)
    heads = [log.head(size).checkpoint for size in log.sizes()]
    latest = heads[-1]
    entries = list(log.entries(0, latest.size))
    leaves = [leaf_hash(entry) for entry in entries]
    for head in heads:
        assert head.root == root_of(leaves[: head.size])
    assert log.published().checkpoint in heads
    _check_files(log, entries, leaves)
    kinds = [check_entry(entry) for entry in entries]
    previous, at = "", 0
    for number, batch in enumerate(log.batches(), 1):
        assert (batch.batch, batch.previous) == (number, previous)
        assert batch.first >= at
        assert entries[batch.leaf] == bytes([BATCH]) + batch.digest()
        middle = batch.first + batch.observations
        assert set(kinds[batch.first : middle]) <= {OBSERVATION}
        assert set(kinds[middle : batch.leaf]) <= {ACCOUNT}
        previous, at = batch.digest().hex(), batch.end
        if log.is_openable(batch):
            seen = np.arange(batch.first, middle)
            for opened in log.open_leaves(seen):
                made = observation_entries(opened.rows, opened.salts)
                assert [m.tobytes() for m in made] == [entries[p] for p in opened.positions]
                assert (log.positions_of(opened.rows[:, 6:22]) == opened.positions).all()
            for opened in log.open_accounts(np.arange(middle, batch.leaf)):
                made = account_entries(opened.rows, opened.salts)
                assert [m.tobytes() for m in made] == [entries[p] for p in opened.positions]
    return log


def _check_files(log: Log, entries: list[bytes], leaves: list[bytes]) -> None:
    """Every tile and bundle of the latest head, by the specification's definition."""
    size = len(entries)
    for index in range(-(-size // 256)):
        bundle = entries[256 * index : 256 * index + 256]
        path = log.layout.public / tile_path(ENTRIES, index, len(bundle))
        assert path.read_bytes() == pack_entries(bundle)
    level, row = 0, leaves
    while row:
        for index in range(-(-len(row) // 256)):
            tile = row[256 * index : 256 * index + 256]
            path = log.layout.public / tile_path(level, index, len(tile))
            assert path.read_bytes() == b"".join(tile)
        row = [root_of(row[i : i + 256]) for i in range(0, len(row) // 256 * 256, 256)]
        level += 1
