"""Seals what a store holds and the log does not yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.evidence.log.seam import MakeTotals
from stillhunt.evidence.log.writer import LogWriter
from stillhunt.records.leaf import LAYOUT
from stillhunt.records.observation import digests_of
from stillhunt.sealing.rows import (
    account_rows,
    leaves_of,
    new_or_changed,
)
from stillhunt.store.contents import read_accounts_table
from stillhunt.store.manifest import Part, Transaction, read_transaction
from stillhunt.store.store import Store

MOST = 1 << 20
"""Leaves of a batch, at most: they are sorted in memory."""

Advance = Callable[[int, int], None]
"""Told (done, total) transactions."""


@dataclass
class Sealed:
    """What became of a store's exchanges.

    Attributes:
        batches: appended; observations, accounts: leaves in them; size: of the log afterwards.
    """

    batches: int = 0
    observations: int = 0
    accounts: int = 0
    size: int = 0


def seal_store(
    writer: LogWriter,
    store: Store,
    advance: Advance = lambda _done, _all: None,
    *,
    source: dict[str, Any] | None = None,
    accounts: pa.Table | None = None,
    totals: MakeTotals | None = None,
) -> Sealed:
    """Append what a store has taken in since it was sealed last, transaction by transaction.

    After each a head is signed: killed at any moment, it goes on where it was. Parts that were merged
    before they were sealed are sealed as they lie now. An exchange that is sealed already, from
    wherever, is not sealed again.

    Args:
        writer: of the log; store: held for writing, or read with its files kept.
        advance: told how far it is.
        source: for the batch records, in place of the store's id and transaction.
        accounts: ACCOUNT_SCHEMA, in place of the store's own.
        totals: as of ``LogWriter.append``.

    Raises:
        OutputError: the log cannot be written.
    """
    sealed = Sealed()
    name = store_id(store)
    done = sealed_through(writer, name)
    left = range(done + 1, store.state.transactions + 1)
    transactions = [read_transaction(store.layout.manifest, number) for number in left]
    if accounts is None and any(t.accounts for t in transactions):
        accounts = read_accounts_table(store)
    rows = None
    if accounts is not None:
        rows = new_or_changed(account_rows(accounts), writer.log.account_rows())
    fresh = {part.part for transaction in transactions for part in transaction.added}
    for place, (number, transaction) in enumerate(zip(left, transactions, strict=True)):
        advance(place, len(transactions))
        if transaction.kind != "ingest" and fresh.isdisjoint(transaction.removed):
            continue  # what it merged was sealed
        said = source or {"store": name, "transaction": number}
        for leaves in _unsealed(writer, store, transaction):
            batch = writer.append(leaves, rows, source=said, totals=totals)
            rows = None
            _count(sealed, batch.observations, batch.accounts)
        writer.publish()
    if rows is not None and len(rows):
        said = source or {"store": name, "transaction": store.state.transactions}
        batch = writer.append(np.zeros(0, LAYOUT), rows, source=said, totals=totals)
        _count(sealed, 0, batch.accounts)
        writer.publish()
    advance(len(transactions), len(transactions))
    sealed.size = writer.size
    return sealed


def store_id(store: Store) -> str:
    """What batch records call a store: 16 hex digits of its header's SHA-256."""
    return sha256(store.layout.header.read_bytes()).hexdigest()[:16]


def sealed_through(writer: LogWriter, name: str) -> int:
    """Last transaction of a store that is sealed; 0: none."""
    found = [b.source.get("transaction") for b in writer.batches if b.source.get("store") == name]
    return max((n for n in found if isinstance(n, int)), default=0)


def _count(sealed: Sealed, observations: int, accounts: int) -> None:
    sealed.batches += 1
    sealed.observations += observations
    sealed.accounts += accounts


def _unsealed(writer: LogWriter, store: Store, transaction: Transaction) -> Iterator[np.ndarray]:
    """Leaves of what a transaction added and is still there, in batches."""
    held: list[pa.Table] = []
    size = 0
    for part in transaction.added:
        if part.part not in store.state.parts:
            continue  # merged since, and sealed with what it was merged into; or expired
        table = _new_rows(writer, store, part)
        held.append(table)
        size += table.num_rows
        if size >= MOST:
            yield leaves_of(pa.concat_tables(held))
            held, size = [], 0
    if size:
        yield leaves_of(pa.concat_tables(held))


def _new_rows(writer: LogWriter, store: Store, part: Part) -> pa.Table:
    file = pq.ParquetFile(store.layout.observations(part.part, part.day))
    digests = digests_of(file.read(["exchange"]).column("exchange"))
    new = writer.positions_of(digests) < 0
    if not new.any():
        return file.schema_arrow.empty_table()
    table = file.read()
    return table if new.all() else table.filter(pa.array(new))
