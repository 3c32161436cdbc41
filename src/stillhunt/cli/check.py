"""``stillhunt check``: what a log would give, before a hunt is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stillhunt.campaigns.coverage import lost_without
from stillhunt.cli.options import LogpushKey, ManyLogs, Mapping, Source, TrustedHops, read_options
from stillhunt.errors import InputError
from stillhunt.readers import find_files
from stillhunt.readers.checked import ENOUGH, Checked, checked, checked_table
from stillhunt.readers.spend_logs import is_database
from stillhunt.records.exchange import REQUIRED
from stillhunt.report.visible import visible

_SHOWN = 70
_REASONS = 5


def check(
    logs: ManyLogs,
    source: Source = "auto",
    mapping: Mapping = None,
    logpush_key: LogpushKey = None,
    trusted_hops: TrustedHops = 0,
    pseudonymise: Annotated[
        Path | None,
        typer.Option(help="Key file: show accounts and addresses as they would be hashed."),
    ] = None,
    look: Annotated[int, typer.Option(min=1, help="Exchanges of each file to look at.")] = 1000,
    show: Annotated[int, typer.Option(min=0, help="How many of them to show.")] = 2,
) -> None:
    """Recognise logs, show what is read from them, and say what could be switched on to get more.

    Reads the beginning of each file and writes nothing. Texts are shown shortened, with all that could
    hide or control made visible. Exit codes: 0 exchanges were found in every file that is a log, 2
    in some there are none.

    \b
    Examples:
      stillhunt check logs/
      stillhunt check access.log --trusted-hops 1 --show 5
      stillhunt check gateway.jsonl --source mapping --mapping mine.toml
      PGPASSWORD=... stillhunt check postgresql://stillhunt@db.internal/litellm
    """
    options = read_options(source, mapping, trusted_hops, pseudonymise, logpush_key)
    console = Console(highlight=False)
    found = [checked_table(log, options, look, show) for log in logs if is_database(log)]
    for one in found:
        _print(console, one)
    named = [Path(log) for log in logs if not is_database(log)]
    for path, itself in find_files(named):
        try:
            one = checked(path, options, look, show)
        except InputError as error:
            if itself:
                raise
            console.print(f"{_line(str(path))}: {_line(error.problem)}", markup=False)
            continue
        found.append(one)
        _print(console, one)
    empty = [one.name for one in found if one.seen == 0 and one.lost]
    if empty or not found:
        where = _line(empty[0]) if empty else "what was named"
        raise InputError(
            f"There is no exchange in {where}.",
            "See the reasons above, or name the format with --source.",
        )


def _print(console: Console, one: Checked) -> None:
    console.print(
        f"[bold]{escape(_line(one.name))}[/]: {one.source}, {one.seen:,} exchanges looked at"
    )
    for row in one.rows:
        console.print(_mapped(row))
    if one.seen:
        table = Table("column", "in", box=SIMPLE_HEAD, title="Carried", title_justify="left")
        for column, share in one.shares.items():
            if column not in REQUIRED:
                table.add_row(column, f"{share:.1%}" if share else "no row")
        console.print(table)
        there = [column for column, share in one.shares.items() if share >= ENOUGH]
        for signal in lost_without(there):
            console.print(f"Without {signal.name}: {signal.lost}.", markup=False)
    for told, reasons in (
        ("rows could not be read", one.lost),
        ("rows were kept, but", one.notes),
        ("things are no exchanges", one.skipped),
    ):
        for reason, rows in reasons.most_common(_REASONS):
            console.print(f"{rows:,} {told}: {_line(reason)}", markup=False)
    if one.missing or one.advice:
        console.print("[bold]To get more[/]")
        for switch in one.missing:
            console.print(f"- {', '.join(switch.columns)}: {switch.how}", markup=False)
        for sentence in one.advice:
            console.print(f"- {sentence}", markup=False)
    console.print()


def _mapped(row: dict[str, Any]) -> Table:
    table = Table("column", "value", box=SIMPLE_HEAD, show_header=False)
    for name, value in row.items():
        if value is not None:
            table.add_row(name, escape(visible(str(value), _SHOWN)))
    return table


def _line(text: str) -> str:
    return visible(text, 200)
