"""Exchanges to observations on disk, in one pass; text goes no further than this."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.fingerprints.observe import Observer
from stillhunt.fingerprints.pairs import word_pairs
from stillhunt.readers import Quarantine, ReadBatch
from stillhunt.records.observation import keys_of
from stillhunt.store.duplicates import drop_doubles
from stillhunt.store.index import add_keys, older_keys
from stillhunt.store.keys import open_run
from stillhunt.store.layout import PAIRS, STORED_SCHEMA
from stillhunt.store.manifest import Part
from stillhunt.store.parts import PartWriter
from stillhunt.store.store import Store

SEEN = "exchange_id was seen before; the earliest row is kept"
STORED = "exchange_id is in the store already; what came first is kept"
"""Reasons in the quarantine."""


@dataclass(frozen=True)
class Taken:
    """What a transaction is to add.

    Attributes:
        parts: on the disk, not yet committed.
        keys_added, keys_removed, keys_through: of the key index, as in a transaction.
        duplicates: rows of each input, by its number, that were not taken.
    """

    parts: tuple[Part, ...]
    keys_added: tuple[str, ...]
    keys_removed: tuple[str, ...]
    keys_through: int
    duplicates: dict[int, int]


class Intake:
    """One transaction's rows on their way into a store."""

    def __init__(self, store: Store, observer: Observer, *, pairs: bool = False) -> None:
        """Nothing is written yet.

        Args:
            store: held for writing.
            observer: fingerprints the texts.
            pairs: sample word pairs too (column ``pairs``); for stores that do not last.
        """
        self._store = store
        self._observer = observer
        self._schema = STORED_SCHEMA.append(PAIRS) if pairs else STORED_SCHEMA
        self._work = store.layout.temporary / "intake"
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        self._writer = PartWriter(store.layout, store.state.next_number, lasting=store.lasting)

    @property
    def rows(self) -> int:
        """Taken so far, duplicates included."""
        return self._writer.rows

    def take(self, batch: ReadBatch, file: int) -> None:
        """Fingerprint and keep some rows of the input with this number."""
        stored = _stored(self._observer, batch.exchanges, self._schema)
        self._writer.add(stored, batch.exchanges, file, batch.rows)

    def settle(self, files: dict[int, str], quarantine: Quarantine) -> Taken:
        """Write what is left, and take duplicates out; they go to the quarantine.

        Args:
            files: input's number to its name.
            quarantine: where duplicates go.
        """
        self._writer.flush()
        store, layout = self._store, self._store.layout
        older = older_keys(store, self._work)
        doubles = drop_doubles(
            layout,
            self._writer.parts,
            [open_run(path) for path in older],
            self._work,
            sync_files=store.lasting,
        )
        duplicates: dict[int, int] = {}
        for batch in doubles.rows.to_batches():
            for row in batch.to_pylist():
                reason = STORED if row["stored"] else SEEN
                quarantine.add(files[row["file"]], row["row"], reason, row["exchange_id"])
                duplicates[row["file"]] = duplicates.get(row["file"], 0) + 1
        added: tuple[str, ...] = ()
        removed: tuple[str, ...] = ()
        through = 0
        if store.lasting and doubles.parts:
            added, removed = add_keys(store, older, doubles.keys)
            through = store.state.next_number
        shutil.rmtree(self._work, ignore_errors=True)
        return Taken(doubles.parts, added, removed, through, duplicates)


def _stored(observer: Observer, exchanges: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    observed = observer.observe(exchanges)
    columns = [*observed.columns, keys_of(observed)]
    if PAIRS.name in schema.names:
        columns.append(word_pairs(exchanges.column("prompt")))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def together(batches: Iterable[ReadBatch], rows: int = 32768) -> Iterator[ReadBatch]:
    """Join neighbouring batches of a file, so that small ones do not starve the cores."""
    held: list[ReadBatch] = []
    size = 0
    for batch in batches:
        if held and (batch.file != held[0].file or size + batch.exchanges.num_rows > rows):
            yield _join(held)
            held, size = [], 0
        held.append(batch)
        size += batch.exchanges.num_rows
        if batch.exchanges.nbytes > 1 << 26:
            yield _join(held)
            held, size = [], 0
    if held:
        yield _join(held)


def _join(batches: list[ReadBatch]) -> ReadBatch:
    if len(batches) == 1:
        return batches[0]
    return ReadBatch(
        exchanges=pa.concat_batches([b.exchanges for b in batches]),
        file=batches[0].file,
        rows=np.concatenate([b.rows for b in batches]),
    )


def inside(batch: ReadBatch, since: datetime | None, until: datetime | None) -> ReadBatch:
    """The rows of a batch from ``since`` (inclusive) to ``until`` (exclusive); UTC unless they say."""
    if since is None and until is None:
        return batch
    time = batch.exchanges.column("time")
    keep = np.ones(len(time), dtype=bool)
    if since is not None:
        keep &= np.asarray(pc.greater_equal(time, _instant(since)))
    if until is not None:
        keep &= np.asarray(pc.less(time, _instant(until)))
    return replace(batch, exchanges=batch.exchanges.filter(pa.array(keep)), rows=batch.rows[keep])


def _instant(moment: datetime) -> pa.Scalar:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return pa.scalar(aware, pa.timestamp("us", tz="UTC"))
