"""``stillhunt ingest``: logs into a store, once, to be hunted often."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from stillhunt.cli.options import (
    Accounts,
    KeepDays,
    LogpushKey,
    Mapping,
    MaxBadOfFile,
    Pseudonymise,
    Source,
    Threads,
    TrustedHops,
    read_options,
    warn_of_key,
)
from stillhunt.cli.receive import receive
from stillhunt.cli.sealing import SealOption, sealing_into
from stillhunt.errors import InputError, UsageError
from stillhunt.readers import find_files
from stillhunt.readers.spend_logs import is_database, place_of
from stillhunt.report.visible import visible
from stillhunt.store.accounts import take_accounts
from stillhunt.store.ingest import Ingest, Outcome, keep_from
from stillhunt.store.sources.postgres import take_table
from stillhunt.store.store import Store, store_to_write
from stillhunt.store.upkeep import keep_up


def ingest(
    store: Annotated[Path, typer.Option(help="Folder of the store; made where there is none.")],
    logs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Log files, or folders of them; or postgresql://USER@HOST/DATABASE of LiteLLM."
        ),
    ] = None,
    otlp: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Receive OTLP over HTTP there instead, until stopped; :4318 is of this machine alone.",
        ),
    ] = None,
    otlp_seconds: Annotated[
        float, typer.Option(min=0.1, help="Seconds between takings-in of what was received.")
    ] = 60.0,
    accounts: Accounts = None,
    keep_days: KeepDays = None,
    source: Source = "auto",
    mapping: Mapping = None,
    logpush_key: LogpushKey = None,
    trusted_hops: TrustedHops = 0,
    pseudonymise: Pseudonymise = None,
    max_bad: MaxBadOfFile = 0.01,
    threads: Threads = None,
    seal: SealOption = None,
) -> None:
    """Take logs into a store: no text is kept, and each file is taken in once.

    A file is known by its SHA-256, whatever it is called; of LiteLLM's table what is new is read, but
    for requests of the last two hours, which may still be running. Killed at any moment, the store is as it
    was before or after the file it was at; run the same command again to go on. Exit codes: 0 all is
    in the store, 2 wrong usage, or files that cannot be read.

    With --otlp a collector (or an SDK) sends spans and events: protobuf or JSON to /v1/traces and
    /v1/logs. What is acknowledged is on the disk and comes into the store exactly once.

    \b
    Examples:
      stillhunt ingest logs/ --store store/ --accounts accounts.parquet
      stillhunt ingest yesterday.jsonl.gz --store store/ --keep-days 90
      stillhunt ingest logs/ --store store/ --pseudonymise key.txt
      stillhunt ingest --otlp 127.0.0.1:4318 --store store/
      PGPASSWORD=... stillhunt ingest postgresql://stillhunt@db.internal/litellm --store store/
      stillhunt ingest logs/ --store store/ --seal log/
      stillhunt hunt --store store/ --since 2026-01-01
    """
    options = read_options(source, mapping, trusted_hops, pseudonymise, logpush_key)
    told = Console(stderr=True)
    warn_of_key(options, told)
    if bool(logs) == (otlp is not None):
        raise UsageError(
            "What is to be taken in is not said, or said twice.",
            "Name log files or folders, or give --otlp HOST:PORT.",
        )
    if otlp is not None:
        receive(otlp, store, options, otlp_seconds, keep_days, threads, sentences, seal)
        return
    databases = [log for log in logs or [] if is_database(log)]
    paths = [Path(log) for log in logs or [] if not is_database(log)]
    files = [path for path, _ in find_files(paths)]
    key = options.pseudonymiser.key_id if options.pseudonymiser else None
    console = Console()
    sealed: list[str] = []
    with store_to_write(store, key) as held, sealing_into(seal, held, sealed):
        if accounts is not None:
            count = take_accounts(held, accounts, options, max_bad)
            what = "are in the store already" if count is None else f"{count:,} rows"
            console.print(f"Accounts: {what}.", highlight=False)
        with Bar(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
            console=told, transient=True,
        ) as bar:  # fmt: skip
            task = bar.add_task("Reading and fingerprinting", total=None)
            taking = Ingest(held, options, max_bad, keep_from(keep_days), threads)
            outcome = taking.take(
                files, lambda done, total: bar.update(task, completed=done, total=total)
            )
            for address in databases:
                bar.update(task, description=f"Reading {place_of(address)}", total=None)
                outcome.add(take_table(address, taking))
            bar.update(task, description="Merging small parts", total=None)
            expired = keep_up(held, keep_days)
        _show(outcome, held, console)
        if expired:
            console.print(f"Older than {keep_days} days and deleted: {expired:,}.", highlight=False)
    for sentence in sealed:
        console.print(escape(sentence), highlight=False, soft_wrap=True)
    _complain(outcome)


def _show(outcome: Outcome, store: Store, console: Console) -> None:
    for sentence in sentences(outcome):
        console.print(escape(sentence), highlight=False)
    parts = store.state.parts.values()
    days = sorted({part.day for part in parts})
    span = f" of {days[0]} to {days[-1]}" if days else ""
    size = sum(part.bytes for part in parts) / max(store.state.rows, 1)
    console.print(
        f"The store {escape(visible(str(store.root), 200))} has {store.state.rows:,} exchanges{span}, "
        f"{size:.0f} bytes each.",
        highlight=False,
        soft_wrap=True,
    )


def sentences(outcome: Outcome) -> list[str]:
    """What became of the files, in words."""
    known = f" {outcome.known:,} were there already." if outcome.known else ""
    told = [f"{outcome.files:,} files taken in: {outcome.kept:,} new exchanges.{known}"]
    if outcome.expired:
        told.append(f"{outcome.expired:,} exchanges are older than is kept and were not taken.")
    if outcome.quarantined:
        duplicates = f", {outcome.duplicates:,} of them duplicates" if outcome.duplicates else ""
        told.append(f"Rows in the store's quarantine: {outcome.quarantined:,}{duplicates}.")
    return told


def _complain(outcome: Outcome) -> None:
    lost = [*outcome.refused, *((path, "it was being written") for path in outcome.unsettled)]
    if lost:
        path, reason = lost[0]
        more = f" (and {len(lost) - 1:,} more files)" if len(lost) > 1 else ""
        raise InputError(
            f"{visible(str(path), 200)} was not taken in{more}: {reason}",
            "All other files are in the store. Mend these, name their format with --source, or raise "
            "--max-bad, and run this again.",
        )
