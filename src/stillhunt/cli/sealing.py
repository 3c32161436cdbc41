"""What commands that seal have in common: options, and what they say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from stillhunt.campaigns.degree_totals import totals_maker
from stillhunt.evidence.log.settings import Settings, parse_witness, read_settings, write_settings
from stillhunt.evidence.log.writer import LogWriter, writing_log
from stillhunt.report.visible import visible
from stillhunt.sealing.from_store import Sealed, seal_store
from stillhunt.sharing.witness_client import Asked, collect
from stillhunt.store.manifest import Transaction
from stillhunt.store.store import Store

SealOption = Annotated[
    Path | None,
    typer.Option("--seal", metavar="LOG", help="Seal what comes in into this log, right after it."),
]


@contextmanager
def working_folder(log: Path) -> Iterator[Path]:
    """A folder beside a log for what the engine keeps on disk while it counts degree totals."""
    with tempfile.TemporaryDirectory(prefix=f".{log.name}.", dir=log.absolute().parent) as folder:
        yield Path(folder)


@contextmanager
def sealing_into(log: Path | None, store: Store, told: list[str]) -> Iterator[None]:
    """Seal each of a store's transactions right after it, and ask witnesses in the end.

    Args:
        log: folder of the log; None: nothing is sealed.
        store: held for writing; what it holds already is sealed first.
        told: what was done is added here, in sentences.
    """
    if log is None:
        yield
        return
    with writing_log(log) as writer, working_folder(log) as work:
        totals = totals_maker(writer.log, work)
        total = seal_store(writer, store, totals=totals)

        def seal(changed: Store, made: Transaction) -> None:
            if made.kind == "ingest":
                more = seal_store(writer, changed, totals=totals)
                total.batches += more.batches
                total.observations += more.observations
                total.accounts += more.accounts

        store.committed = seal
        try:
            yield
        finally:
            store.committed = lambda _store, _made: None
        total.size = writer.size
        told.extend(sentences(writer, total, collect(writer)))


def set_witnesses(writer: LogWriter, witnesses: list[str] | None, quorum: int | None) -> None:
    """Have a log ask these witnesses, too, and so many of all.

    Raises:
        UsageError: one is none, or the quorum cannot be met.
    """
    if not witnesses and quorum is None:
        return
    layout = writer.log.layout
    before = read_settings(layout)
    every = {str(w.key): w for w in (*before.witnesses, *map(parse_witness, witnesses or []))}
    quorum = before.quorum if quorum is None else quorum
    write_settings(layout, Settings(tuple(every.values()), quorum))


def sentences(writer: LogWriter, sealed: Sealed | None, asked: list[Asked]) -> list[str]:
    """What was sealed, and who cosigned."""
    head = writer.log.head()
    told = []
    if sealed is not None:
        rows = f" and {sealed.accounts:,} rows of the accounts table" if sealed.accounts else ""
        told.append(
            f"Sealed {sealed.observations:,} exchanges{rows} in {sealed.batches:,} batches; the log "
            f"{visible(writer.log.origin, 200)} has {head.checkpoint.size:,} leaves."
        )
    told += [f"Not cosigned: {asked_.refused}" for asked_ in asked if asked_.refused]
    settings = read_settings(writer.log.layout)
    if settings.witnesses:
        there = len(head.witnesses())
        told.append(f"Cosigned by {there} of {len(settings.witnesses)} witnesses.")
        if there < settings.quorum:
            told.append(
                f"The head is not public yet: {settings.quorum} have to cosign. Ask again with "
                "stillhunt log cosign."
            )
    return told
