"""LiteLLM's table of spend logs as a source of a store.

Where reading goes on is kept in the store's manifest, as of a topic: under the table's place, the
startTime (microseconds since 1970) from which rows have not been read. LiteLLM writes a row when its
request has ended, so that rows of long requests come late: what began less than SETTLED ago is left
for the next time, and then none is missed and none is read twice.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from stillhunt.errors import InputError
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, ReadBatch
from stillhunt.readers.spend_logs import LARGEST_ROW, SpendLogs, SpendRow
from stillhunt.store.durable import sync
from stillhunt.store.ingest import Ingest, Outcome, this_moment
from stillhunt.store.intake import Intake, inside, together
from stillhunt.store.manifest import Input, Transaction
from stillhunt.store.sources.spool import Spool, TopicQuarantine, private_file

SETTLED = 2 * 3600
"""Seconds after a request's begin in which its row may still come: LiteLLM gives a request up to
6,000 seconds (request_timeout) and writes what has ended each minute."""

SPOOL_ROWS = 200_000
SPOOL_BYTES = 64 << 20
"""Of one transaction, at most, and by as much as the rows of one millisecond more."""

_KEY = "startTime"


def take_table(address: str, ingest: Ingest, settled: float = SETTLED) -> Outcome:
    """Take in the rows that a table has and a store has not.

    Bad rows go to the quarantine, however many: a table cannot be mended.

    Args:
        address: of the database; ingest: how rows are taken in.
        settled: seconds for which the latest requests are left alone.

    Raises:
        InputError: the database cannot be read. What was taken before stays.
    """
    outcome = Outcome()
    observer = Observer(ingest.threads)
    until = int((time.time() - settled) * 1_000_000)
    table = SpendLogs(address)
    try:
        since = ingest.store.state.offsets.get(table.place, {}).get(_KEY, 0)
        rows = _Ahead(table.rows(since, until))
        work = ingest.store.layout.temporary / "postgres"
        while rows.next is not None:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            spool = Spool(work / "rows.jsonl", since)
            large = _spool(rows, spool)
            if rows.next is None:
                spool.next = max(spool.next, until)
            _transaction(ingest, observer, spool, table.place, large, outcome)
            shutil.rmtree(work, ignore_errors=True)
    finally:
        table.close()
    return outcome


class _Ahead:
    """An iterator whose next row can be looked at."""

    def __init__(self, rows: Iterator[SpendRow]) -> None:
        self._rows = rows
        self.next = next(rows, None)

    def take(self) -> SpendRow:
        """Give the next row."""
        taken = self.next
        if taken is None:
            raise StopIteration
        self.next = next(self._rows, None)
        return taken


def _spool(rows: _Ahead, spool: Spool) -> list[int]:
    """Write rows of one transaction; returns the moments of those too large to be read."""
    large = []
    size = 0
    with private_file(spool.path) as file:
        while rows.next is not None:
            full = len(spool.offsets) >= SPOOL_ROWS or size >= SPOOL_BYTES
            if full and rows.next.moment >= spool.next:
                break
            row = rows.take()
            spool.next = row.moment + 1
            if row.data is None:
                large.append(row.moment)
                continue
            file.write(row.data + b"\n")
            spool.offsets.append(row.moment)
            size += len(row.data)
    return large


def _transaction(
    ingest: Ingest, observer: Observer, spool: Spool, place: str, large: list[int], outcome: Outcome
) -> None:
    store = ingest.store
    name = f"{store.state.next_number:08d}"
    number = len(store.state.inputs)
    path = store.layout.quarantine(name)
    path.parent.mkdir(exist_ok=True)
    intake = Intake(store, observer)
    with TopicQuarantine(path, excerpts=ingest.options.pseudonymiser is None) as quarantine:
        quarantine.spools[str(spool.path)] = (place, spool)
        for moment in large:
            quarantine.add(place, moment, f"row larger than {LARGEST_ROW >> 20} MiB")
        taken = _read(ingest, intake, spool, place, number, quarantine, outcome)
        settled = intake.settle({number: place}, quarantine)
    told = path.stat().st_size > 0
    if told:
        sync(path)
        sync(path.parent)
    else:
        path.unlink()
    duplicates = settled.duplicates.get(number, 0)
    taken = replace(taken, duplicates=duplicates, quarantined=quarantine.count)
    store.commit(
        Transaction(
            "ingest", this_moment(), added=settled.parts, inputs=(taken,),
            offsets={place: {_KEY: spool.next}}, keys_added=settled.keys_added,
            keys_removed=settled.keys_removed, keys_through=settled.keys_through,
            quarantine=name if told else "",
        )
    )  # fmt: skip
    outcome.files += 1
    outcome.duplicates += duplicates
    outcome.quarantined += quarantine.count


def _read(
    ingest: Ingest,
    intake: Intake,
    spool: Spool,
    place: str,
    number: int,
    quarantine: Quarantine,
    outcome: Outcome,
) -> Input:
    if not spool.offsets:
        return Input(place, source="litellm")
    options = replace(ingest.options, source="litellm")
    moments = np.array(spool.offsets, dtype=np.int64)
    rows = 0
    for batch in together(_patient(LogReader([spool.path], options, quarantine))):
        rows += batch.exchanges.num_rows
        kept = inside(batch, ingest.keep_from, None)
        outcome.expired += batch.exchanges.num_rows - kept.exchanges.num_rows
        if kept.exchanges.num_rows:
            intake.take(replace(kept, rows=moments[kept.rows - 1]), number)
    outcome.rows += rows
    return Input(place, "", spool.path.stat().st_size, rows=rows, source="litellm")


def _patient(reader: LogReader) -> Iterator[ReadBatch]:
    """A reader's batches, also where there turn out to be none: each bad row is in the quarantine."""
    try:
        yield from reader
    except InputError:
        return
