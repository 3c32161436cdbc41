"""``stillhunt seal``: exchanges into the sealed log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from stillhunt.campaigns.degree_totals import totals_maker
from stillhunt.cli.options import (
    LogpushKey,
    Mapping,
    Pseudonymise,
    Source,
    Threads,
    TrustedHops,
    read_options,
    warn_of_key,
)
from stillhunt.cli.sealing import sentences, set_witnesses, working_folder
from stillhunt.errors import UsageError
from stillhunt.evidence.log.seam import MakeTotals
from stillhunt.evidence.log.writer import LogWriter, writing_log
from stillhunt.sealing.from_logs import LogFiles, seal_logs
from stillhunt.sealing.from_store import Sealed, seal_store
from stillhunt.sharing.witness_client import collect
from stillhunt.store.store import store_to_read


def seal(
    logs: Annotated[
        list[Path] | None, typer.Argument(help="Log files, or folders of them.")
    ] = None,
    log: Annotated[
        Path, typer.Option(help="Folder of the sealed log (stillhunt log init).")
    ] = Path("log"),
    store: Annotated[
        Path | None, typer.Option(help="A store, in place of log files: what is not sealed yet.")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="Accounts table (with log files; a store has its own).")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(metavar="VKEY@URL", help="Ask this witness from now on; repeatable."),
    ] = None,
    quorum: Annotated[
        int | None,
        typer.Option(min=0, help="Witnesses that must cosign before a head is made public."),
    ] = None,
    source: Source = "auto",
    mapping: Mapping = None,
    logpush_key: LogpushKey = None,
    trusted_hops: TrustedHops = 0,
    pseudonymise: Pseudonymise = None,
    max_bad: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Share of malformed rows above which nothing is sealed."
        ),
    ] = 0.01,
    quarantine: Annotated[
        Path | None, typer.Option(help="File for bad rows; by default in the log's private folder.")
    ] = None,
    totals: Annotated[
        bool,
        typer.Option(
            "--totals/--no-totals",
            help="Seal degree totals with each batch, from which strangers can recompute links.",
        ),
    ] = True,
    totals_days: Annotated[
        float,
        typer.Option(
            min=0.0, help="Count earlier batches, too, that reach so many days back before a batch."
        ),
    ] = 0.0,
    memory: Annotated[str, typer.Option(help="Memory for counting totals.")] = "2GB",
    threads: Threads = None,
) -> None:
    """Seal exchanges into a log that cannot be rewritten unseen.

    What is sealed are salted commitments: the log itself says nothing of anybody. An exchange is
    sealed once, wherever it comes from. Killed at any moment, the log is as its last head says; run
    the same command again to go on. Exit codes: 0 all is sealed, 2 wrong usage or unreadable input.

    \b
    Examples:
      stillhunt log init log/ --origin logs.example.com/gateway
      stillhunt seal --store store/ --log log/
      stillhunt seal logs/ --log log/ --accounts accounts.parquet
      stillhunt seal --store store/ --log log/ --witness 'VKEY@https://witness.example.org' --quorum 1
      stillhunt ingest logs/ --store store/ --seal log/
    """
    if bool(logs) == (store is not None):
        raise UsageError(
            "It is sealed either from log files or from a store.", "Give LOGS, or --store DIR."
        )
    if store is not None and (accounts is not None or pseudonymise is not None):
        raise UsageError(
            "A store has its accounts table, and its names as they came in.",
            "Leave out --accounts and --pseudonymise.",
        )
    options = read_options(source, mapping, trusted_hops, pseudonymise, logpush_key)
    console, told = Console(), Console(stderr=True)
    warn_of_key(options, told)
    with writing_log(log) as writer, working_folder(log) as work:
        set_witnesses(writer, witness, quorum)
        counted = totals_maker(writer.log, work, totals_days, memory, threads) if totals else None
        with Bar(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
            console=told, transient=True,
        ) as bar:  # fmt: skip
            if store is not None:
                sealed = _from_store(writer, store, counted, bar)
            else:
                lost = quarantine or writer.log.layout.private / "quarantine.jsonl"
                files = LogFiles(tuple(logs or ()), options, lost, accounts, max_bad, threads)
                sealed, bad = _from_logs(writer, files, counted, bar)
                if bad:
                    console.print(
                        f"Rows not sealed: {bad:,}, see {escape(str(lost))}.", highlight=False
                    )
            bar.add_task("Asking witnesses", total=None)
            asked = collect(writer)
        for sentence in sentences(writer, sealed, asked):
            console.print(escape(sentence), highlight=False, soft_wrap=True)


def _from_store(writer: LogWriter, store: Path, totals: MakeTotals | None, bar: Bar) -> Sealed:
    task = bar.add_task("Sealing", total=None)
    with store_to_read(store) as held:
        return seal_store(
            writer,
            held,
            lambda done, total: bar.update(task, completed=done, total=total),
            totals=totals,
        )


def _from_logs(
    writer: LogWriter, files: LogFiles, totals: MakeTotals | None, bar: Bar
) -> tuple[Sealed, int]:
    task = bar.add_task("Reading, fingerprinting, sealing", total=None)
    return seal_logs(
        writer,
        files,
        lambda done, total: bar.update(task, completed=done, total=total),
        totals=totals,
    )
