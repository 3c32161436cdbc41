"""``stillhunt formats``: what each log format carries, and what a hunt loses by it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from stillhunt.campaigns.coverage import Signal, lost_without
from stillhunt.errors import UsageError
from stillhunt.readers import log_formats
from stillhunt.readers.registry import LogFormat
from stillhunt.records.exchange import EXCHANGE_SCHEMA

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("account", ("account",)),
    ("address", ("client_address",)),
    ("client", ("user_agent", "tls_fingerprint")),
    ("text", ("system", "prompt")),
    ("answer", ("response",)),
    ("tokens", ("input_tokens", "output_tokens")),
)
"""What people ask of a format, and the canonical columns that answer it."""


def formats(
    name: Annotated[
        str | None, typer.Argument(help="One format, in full.", show_default=False)
    ] = None,
) -> None:
    """List the log formats: what each can carry, and which signals a hunt of it lacks.

    Carried means that the log has the value as it is, derived that it is put together or computed. What a
    log of yours has in fact, and what could be switched on: stillhunt check LOGS.

    \b
    Examples:
      stillhunt formats
      stillhunt formats bedrock
    """
    console = Console(highlight=False, soft_wrap=name is not None)
    known = log_formats()
    if name is None:
        console.print(overview(known.values()))
        for sentence in losses(known.values()):
            console.print(sentence, markup=False)
        return
    if name not in known:
        raise UsageError(f"There is no format {name[:60]!r}.", f"Use one of: {', '.join(known)}.")
    for line in in_full(known[name]):
        console.print(line, markup=False)


def overview(known: Collection[type[LogFormat]]) -> Table:
    """A row for each format."""
    table = Table("--source", *(group for group, _ in GROUPS), box=SIMPLE_HEAD)
    for one in known:
        table.add_row(one.name, *(_told(one, columns) for _, columns in GROUPS))
    return table


def losses(known: Collection[type[LogFormat]]) -> Iterator[str]:
    """A sentence for each signal that some format cannot carry: which, and what a hunt loses."""
    lacking: dict[Signal, list[str]] = {}
    for one in known:
        for signal in lost_without(one.columns):
            lacking.setdefault(signal, []).append(one.name)
    for signal, names in lacking.items():
        yield f"No {signal.name} in {', '.join(names)}: {signal.lost}."


def _told(one: type[LogFormat], columns: tuple[str, ...]) -> str:
    ways = {one.columns[column] for column in columns if column in one.columns}
    return "-" if not ways else "derived" if ways == {"derived"} else "yes"


def in_full(one: type[LogFormat]) -> list[str]:
    """Everything about one format, line by line."""
    lines = [f"{one.name}: {one.summary}", ""]
    for way in ("carried", "derived"):
        names = [name for name in EXCHANGE_SCHEMA.names if one.columns.get(name) == way]
        lines.append(f"{way}: {', '.join(names) or 'nothing'}")
    absent = [name for name in EXCHANGE_SCHEMA.names if name not in one.columns]
    lines.append(f"absent: {', '.join(absent) or 'nothing'}")
    if lost := lost_without(one.columns):
        lines += ["", "A hunt of it lacks"]
        lines += [f"- {signal.name}: {signal.lost}" for signal in lost]
    if one.switches:
        lines += ["", "To get more"]
        lines += [f"- {', '.join(switch.columns)}: {switch.how}" for switch in one.switches]
    return lines
