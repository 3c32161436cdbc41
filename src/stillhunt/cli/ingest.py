"""``stillhunt ingest``: logs into a store, once, to be hunted often."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from stillhunt.cli.sealing import SealOption, sealing_into
from stillhunt.errors import InputError
from stillhunt.readers import ReadOptions, find_files
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.report.visible import visible
from stillhunt.store.accounts import take_accounts
from stillhunt.store.ingest import Ingest, Outcome, keep_from
from stillhunt.store.store import Store, store_to_write
from stillhunt.store.upkeep import keep_up


def ingest(
    logs: Annotated[list[Path], typer.Argument(help="Log files, or folders of them.")],
    store: Annotated[Path, typer.Option(help="Folder of the store; made where there is none.")],
    accounts: Annotated[
        Path | None, typer.Option(help="Accounts table (Parquet, CSV or JSON Lines).")
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, help="Keep so many days, today included; delete what is older (UTC)."),
    ] = None,
    source: Annotated[
        str, typer.Option(help="Log format: auto, canonical, litellm, otel or mapping.")
    ] = "auto",
    mapping: Annotated[
        Path | None, typer.Option(help="TOML file that maps your own JSON (with --source mapping).")
    ] = None,
    trusted_hops: Annotated[
        int, typer.Option(min=0, help="Your own proxies before the gateway, for X-Forwarded-For.")
    ] = 0,
    pseudonymise: Annotated[
        Path | None,
        typer.Option(help="Key file: hash accounts, addresses, e-mail domains as they are read."),
    ] = None,
    max_bad: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Share of malformed rows above which a file is refused."
        ),
    ] = 0.01,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Cores to use; all by default.")
    ] = None,
    seal: SealOption = None,
) -> None:
    """Take logs into a store: no text is kept, and each file is taken in once.

    A file is known by its SHA-256, whatever it is called. Killed at any moment, the store is as it
    was before or after the file it was at; run the same command again to go on. Exit codes: 0 all is
    in the store, 2 wrong usage, or files that cannot be read.

    \b
    Examples:
      stillhunt ingest logs/ --store store/ --accounts accounts.parquet
      stillhunt ingest yesterday.jsonl.gz --store store/ --keep-days 90
      stillhunt ingest logs/ --store store/ --pseudonymise key.txt
      stillhunt ingest logs/ --store store/ --seal log/
      stillhunt hunt --store store/ --since 2026-01-01
    """
    pseudonymiser = Pseudonymiser.from_file(pseudonymise) if pseudonymise else None
    told = Console(stderr=True)
    if pseudonymiser is not None and pseudonymiser.warning:
        told.print(f"[yellow]{escape(pseudonymiser.warning)}[/]")
    options = ReadOptions(
        source=source, mapping=mapping, trusted_hops=trusted_hops, pseudonymiser=pseudonymiser
    )
    files = [path for path, _ in find_files(logs)]
    key = pseudonymiser.key_id if pseudonymiser else None
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
            outcome = Ingest(held, options, max_bad, keep_from(keep_days), threads).take(
                files, lambda done, total: bar.update(task, completed=done, total=total)
            )
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
