"""``stillhunt simulate``: traffic with known truth, and found against planted."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from stillhunt.errors import InputError, OutputError
from stillhunt_simulator.compare import Comparison
from stillhunt_simulator.compare import compare as found_against_planted
from stillhunt_simulator.scenario import MIN_EXCHANGES
from stillhunt_simulator.scenarios import ScenarioError, load, titles
from stillhunt_simulator.write import simulate as write_traffic

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def simulate(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the traffic; with --compare, where it already is."),
    ] = None,
    scenario: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="A built-in scenario, or a TOML file.")
    ] = "small",
    seed: Annotated[
        int, typer.Option(min=0, help="Source of all chance: same seed, same traffic.")
    ] = 7,
    exchanges: Annotated[
        int | None,
        typer.Option(
            min=MIN_EXCHANGES,
            help="How many exchanges; accounts follow.  [default: as the scenario says]",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(help="Folder of a hunt's findings: print what it found of what was planted."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the built-in scenarios, and do nothing else.")
    ] = False,
) -> None:
    """Write traffic with planted campaigns among lawful look-alikes, or judge a hunt by it.

    \b
    Writes OUT/exchanges.parquet, OUT/accounts.parquet and OUT/truth/
    (who was behind each exchange and account). All texts are invented.

    \b
    Examples:
      stillhunt simulate --out out/traffic
      stillhunt simulate --list
      stillhunt simulate --out out/traffic --scenario e5 --seed 11
      stillhunt simulate --out out/traffic --scenario mine.toml --exchanges 20000
      stillhunt simulate --out out/traffic --compare out/findings
    """
    if list_:
        _list()
        return
    if out is None:
        raise typer.BadParameter("name a folder", param_hint="--out")
    if compare is not None:
        _judge(compare, out)
    else:
        _write(out, scenario, seed, exchanges)


def _list() -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, title in titles().items():
        table.add_row(name, escape(title))
    Console().print(table)


def _write(out: Path, name: str, seed: int, exchanges: int | None) -> None:
    try:
        scenario = load(name)
    except ScenarioError as error:
        raise InputError(_shown(str(error)), _shown(error.remedy)) from error
    count = scenario.exchanges if exchanges is None else exchanges
    progress = Progress(
        TextColumn("Writing traffic"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    try:
        with progress:
            task = progress.add_task("", total=count)
            write_traffic(
                out,
                seed=seed,
                exchanges=count,
                scenario=scenario,
                progress=lambda rows: progress.advance(task, rows),
            )
    except OSError as error:
        raise OutputError(
            f"The traffic could not be written to {_shown(str(out))}: {error.strerror or error}.",
            "Choose a folder that can be written, with room for it, with --out.",
        ) from error
    planted = len(scenario.campaigns)
    Console().print(
        f"{count:,} exchanges over {scenario.days} days, "
        f"{planted or 'no'} campaign{'' if planted == 1 else 's'} planted among them, "
        f"are in {escape(_shown(str(out)))}.",
        highlight=False,
        soft_wrap=True,
    )


def _judge(findings: Path, traffic: Path) -> None:
    try:
        result = found_against_planted(findings, traffic)
    except FileNotFoundError as error:
        raise InputError(
            f"A table is missing: {_shown(str(error.filename or error))}.",
            "Give --compare the folder of a hunt's findings (as Parquet) and --out the folder of "
            "the traffic that was hunted in.",
        ) from error
    except (ValueError, OSError) as error:
        raise InputError(
            _shown(str(error)),
            "Compare with the traffic that was hunted in, and with findings that were not "
            "pseudonymised.",
        ) from error
    console = Console()
    console.print(_campaigns(result))
    console.print(_overall(result))
    console.print(_sentence(result, findings / "report.html"), highlight=False, soft_wrap=True)


def _campaigns(result: Comparison) -> Table:
    table = Table(title="Found against planted", title_justify="left")
    table.add_column("planted campaign")
    table.add_column("found as")
    for heading in ("accounts found", "account recall", "exchanges found", "exchanges planted"):
        table.add_column(heading, justify="right")
    for planted in result.planted:
        matched = "missed" if planted.matched is None else escape(_shown(planted.matched))
        if planted.also:
            matched += f" (and {planted.also} more)"
        table.add_row(
            escape(_shown(planted.name)),
            matched,
            f"{planted.accounts_found:,} of {planted.accounts:,}",
            f"{planted.recall:.1%}",
            f"{planted.exchanges_found:,}",
            f"{planted.exchanges:,}",
        )
    return table


def _overall(result: Comparison) -> Table:
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("campaigns found", f"{result.campaigns:,}")
    table.add_row("campaigns found where none was planted", f"{result.unplanted:,}")
    for persona, count in result.lawful.items():
        table.add_row(f"lawful accounts named: {escape(_shown(persona))}", f"{count:,}")
    if not result.lawful:
        table.add_row("lawful accounts named", "0")
    table.add_row("account recall, all campaigns", _percent(result.recall))
    table.add_row("account precision", _percent(result.precision))
    return table


def _sentence(result: Comparison, report: Path) -> str:
    matched = {planted.matched for planted in result.planted if planted.matched is not None}
    wrong = sum(result.lawful.values())
    blame = f"{wrong:,} lawful account{'' if wrong == 1 else 's'}" if wrong else "no lawful account"
    where = (
        f"the report is {escape(_shown(str(report)))}."
        if report.is_file()
        else f"there is no report at {escape(_shown(str(report)))}."
    )
    return (
        f"Found {len(matched)} of {len(result.planted)} planted campaigns, "
        f"{result.accounts_right:,} of {result.accounts_planted:,} of their accounts, and named "
        f"{blame}; {where}"
    )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"


def _shown(text: str) -> str:
    """The text with control, formatting and line-breaking characters made visible."""
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _HIDDEN else c for c in text)
