"""``stillhunt explain``: why an account was named, or was not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stillhunt.campaigns.explain import (
    ExchangeSignals,
    Explanation,
    Signal,
    explain_account,
    find_exchange,
    owner_of_exchange,
)
from stillhunt.errors import InputError
from stillhunt.readers import Quarantine, ReadOptions
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.report.visible import visible

_MOST_LINKS = 12
_MOST_CHARACTERS = 2000


def explain(
    who: Annotated[
        str, typer.Argument(metavar="ACCOUNT|EXCHANGE", help="An account or an exchange id.")
    ],
    findings: Annotated[Path, typer.Option(help="Folder of a hunt's findings.")] = Path("out"),
    logs: Annotated[
        list[Path] | None,
        typer.Option(help="Logs to look an exchange up in; may be given several times."),
    ] = None,
    source: Annotated[str, typer.Option(help="Format of these logs.")] = "auto",
    mapping: Annotated[
        Path | None, typer.Option(help="TOML mapping, with --source mapping.")
    ] = None,
    pseudonymise: Annotated[
        Path | None, typer.Option(help="Key file the hunt was run with.")
    ] = None,
) -> None:
    """Say what a hunt saw of an account: signals, links, log-odds, and what is missing.

    Works for innocent accounts too. Of an exchange it tells the account; with --logs also what its
    text showed.

    \b
    Examples:
      stillhunt explain acct_59a278a321402c --findings out/
      stillhunt explain x000045975 --findings out/ --logs logs/
    """
    console = Console() if sys.stdout.isatty() else Console(width=120)
    pseudonymiser = Pseudonymiser.from_file(pseudonymise) if pseudonymise else None
    explanation = explain_account(findings, who)
    if explanation is None and pseudonymiser is not None:
        explanation = explain_account(findings, pseudonymiser.pseudonym("account", who))
    if explanation is None:
        options = ReadOptions(source=source, mapping=mapping, pseudonymiser=pseudonymiser)
        account = _exchange(console, findings, who, logs or [], options)
        explanation = explain_account(findings, account)
    if explanation is None:
        raise InputError(
            f"The hunt in {findings} never saw the account of {who!r}.",
            "Check that these logs are the ones that were hunted.",
        )
    _show(console, explanation)


def _safe(text: str) -> str:
    """Text of others for the terminal: no markup, and nothing hidden in it."""
    return escape(visible(text, _MOST_CHARACTERS))


def _exchange(
    console: Console, findings: Path, exchange_id: str, logs: list[Path], options: ReadOptions
) -> str:
    """Account of an exchange, after showing what is known of the exchange itself."""
    owner = owner_of_exchange(findings, exchange_id)
    if logs:
        with Quarantine(Path(os.devnull)) as quarantine:
            seen = find_exchange(logs, options, exchange_id, quarantine)
        if seen is not None:
            _show_exchange(console, seen, attributed=owner is not None)
            return seen.account
    if owner is None:
        raise InputError(
            f"{exchange_id!r} is no account the hunt saw and no exchange it attributed to a campaign.",
            "If it is an exchange that was not attributed, name the logs it is in with --logs.",
        )
    console.print(f"Exchange [bold]{_safe(exchange_id)}[/] was attributed to a campaign.")
    return owner


def _show_exchange(console: Console, seen: ExchangeSignals, *, attributed: bool) -> None:
    whose = "was attributed to a campaign" if attributed else "was not attributed to a campaign"
    console.print(f"Exchange [bold]{_safe(seen.exchange_id)}[/] {whose}.")
    if not seen.text:
        console.print("Its log carries no text, so nothing is known of what it asked.")
        return
    kinds = ", ".join(f"{_safe(kind)} {chance:.0%}" for kind, chance in seen.kinds)
    cues = _safe(", ".join(seen.cues)) or "none"
    console.print(
        f"{seen.words:,} words; cues: {cues}; log-odds that it asks for training material "
        f"{seen.harvest:+.2f}; likeliest: {kinds}."
    )


def _show(console: Console, explanation: Explanation) -> None:
    console.print(f"[bold]{_safe(explanation.account)}[/]")
    console.print(_safe(explanation.verdict))
    _signals(console, "Seen", explanation.signals)
    if explanation.links:
        table = Table(title="Links", title_justify="left")
        for name in ("between", "and", "entities", "expected", "p", "q", "campaign"):
            table.add_column(name)
        for row in explanation.links[:_MOST_LINKS]:
            table.add_row(
                _safe(f"{row['x_family']} {row['x_value']}"),
                _safe(f"{row['y_family']} {row['y_value']}"),
                f"{row['entities']:,}",
                f"{row['expected']:.2g}",
                f"{row['p_value']:.1g}",
                f"{row['q_value']:.1g}",
                _safe(row["campaign"] or "none"),
            )
        console.print(table)
        more = len(explanation.links) - _MOST_LINKS
        if more > 0:
            console.print(f"and {more:,} more links in the table links")
    else:
        console.print("Links: none.")
    _signals(console, "Why it is a member", explanation.membership)
    _signals(console, "Its cluster's score", explanation.waterfall, total=True)
    for lost in explanation.missing:
        console.print(f"[yellow]Missing[/]: {_safe(lost)}")


def _signals(
    console: Console, title: str, signals: tuple[Signal, ...], *, total: bool = False
) -> None:
    if not signals:
        return
    table = Table(title=title, title_justify="left")
    table.add_column("signal")
    table.add_column("seen")
    worth = any(s.log_odds is not None for s in signals)
    if worth:
        table.add_column("log-odds", justify="right")
    for signal in signals:
        row = [_safe(signal.name), _safe(signal.seen)]
        if worth:
            row.append("" if signal.log_odds is None else f"{signal.log_odds:+.2f}")
        table.add_row(*row)
    if total:
        table.add_row("sum", "", f"{sum(s.log_odds or 0.0 for s in signals):+.2f}")
    console.print(table)
