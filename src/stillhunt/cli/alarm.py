"""``stillhunt alarm``: is recent traffic still like its own past?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stillhunt.campaigns.alarm import AlarmRequest
from stillhunt.campaigns.alarm import alarm as run_alarm
from stillhunt.cli.options import (
    Accounts,
    LogpushKey,
    Mapping,
    MaxBadOfAll,
    Source,
    Threads,
    TrustedHops,
    read_options,
    warn_of_key,
)
from stillhunt.errors import MissingExtraError
from stillhunt.report.alarm import write_alarm_page
from stillhunt.report.visible import visible

_SHOWN = 20


def alarm(
    recent: Annotated[list[Path], typer.Argument(help="Recent logs: files, or folders of them.")],
    past: Annotated[
        list[Path] | None, typer.Option(help="Logs of the benign past; may be given again.")
    ] = None,
    split: Annotated[
        datetime | None,
        typer.Option(help="The past is what came before this (UTC) in RECENT."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for alarm.json and alarm.html.")] = Path(
        "alarm"
    ),
    by: Annotated[
        str, typer.Option(help="all: the provider as a whole; entity: each against its own past.")
    ] = "all",
    window: Annotated[
        int | None,
        typer.Option(min=10, help="Exchanges in a window; by default as many as the past allows."),
    ] = None,
    false_alarms: Annotated[
        float,
        typer.Option(min=0.0001, max=0.5, help="Share of ordinary windows that may alarm."),
    ] = 0.01,
    accounts: Accounts = None,
    source: Source = "auto",
    mapping: Mapping = None,
    logpush_key: LogpushKey = None,
    trusted_hops: TrustedHops = 0,
    pseudonymise: Annotated[
        Path | None,
        typer.Option(help="Key file: hash accounts and organizations as they are read."),
    ] = None,
    max_bad: MaxBadOfAll = 0.01,
    memory: Annotated[str, typer.Option(help="Memory limit of the engine.")] = "1GB",
    threads: Threads = None,
    exit_code: Annotated[
        bool, typer.Option(help="Exit with 10 where a window alarms; --no-exit-code: with 0.")
    ] = True,
) -> None:
    """Tell where recent traffic is no longer drawn as its own past was.

    For campaigns that nothing links yet. An alarm says that something changed and what; not that it
    is a harvest. Writes alarm.json and alarm.html. Exit codes: 0 nothing changed, 10 a window
    alarms, 2 wrong usage or unreadable input.

    \b
    Examples:
      stillhunt alarm today/ --past last-weeks/
      stillhunt alarm logs/ --split 2026-01-12 --false-alarms 0.005
      stillhunt alarm logs/ --split 2026-01-12 --by entity --accounts accounts.parquet
      stillhunt alarm spend_logs.csv.gz --source litellm --split 2026-01-12 --window 500
    """
    options = read_options(source, mapping, trusted_hops, pseudonymise, logpush_key)
    told = Console(stderr=True)
    warn_of_key(options, told)
    request = AlarmRequest(
        recent=tuple(recent),
        past=tuple(past or ()),
        split=split if split is None or split.tzinfo else split.replace(tzinfo=UTC),
        accounts=accounts,
        read=options,
        by=by,
        window=window,
        false_alarms=false_alarms,
        out=out,
        max_bad=max_bad,
        memory=memory,
        threads=threads,
    )
    document = run_alarm(request)
    try:
        write_alarm_page(out)
    except MissingExtraError as error:
        told.print(f"[yellow]No page: {escape(error.problem)} {escape(error.remedy)}[/]")
    _show(document, out, Console() if sys.stdout.isatty() else Console(width=120))
    if exit_code and document["counts"]["alarms"]:
        raise typer.Exit(10)


def _show(document: dict[str, Any], out: Path, console: Console) -> None:
    counts, calibration = document["counts"], document["calibration"]
    size = document["parameters"]["window"]
    alarms = sorted(document["episodes"], key=lambda e: (e["p"], -e["windows"]))
    told = (
        f"{counts['alarms']} of {counts['windows']:,} windows of {size:,} exchanges alarm; were all "
        f"of them ordinary, about {counts['expected_false_alarms']:g} would."
    )
    if alarms:
        table = Table(title=told, title_justify="left")
        for name in ("stream", "from (UTC)", "to (UTC)", "windows", "p", "what changed most"):
            table.add_column(name, justify="left", overflow="fold")
        for row in alarms[:_SHOWN]:
            table.add_row(
                escape(visible(row["stream"], 40)),
                f"{row['first']:%m-%d %H:%M}",
                f"{row['last']:%m-%d %H:%M}",
                f"{row['windows']:,}",
                f"{'~' if row['extrapolated'] else ''}{row['p']:.2g}",
                escape("\n".join(row["changed"])),
            )
        console.print(table)
        if len(alarms) > _SHOWN:
            console.print(f"{len(alarms) - _SHOWN} more are in alarm.json.")
    else:
        console.print(told)
    console.print(
        f"Ranked among {calibration['past_windows']:,} past windows: no p below "
        f"{calibration['least_p_by_rank']:.2g} but by extrapolation (~)."
    )
    if calibration["extrapolates"]:
        console.print(
            "[yellow]Too few past windows for the budget[/]: p is extrapolated. Give a longer past, "
            "smaller windows, or a larger budget."
        )
    if not calibration["whole_week"]:
        console.print(
            f"[yellow]The past spans {calibration['past_days']:.1f} days[/]: weekdays and weekends "
            "differ, and are a change to who has not seen both."
        )
    if counts["without_past"]:
        console.print(
            f"Not watched for want of a past of their own: {counts['without_past']:,} entities."
        )
    if counts["quarantined"]:
        console.print(f"Rows in quarantine.jsonl: {counts['quarantined']:,}.")
    console.print(escape(f"Written: {out}"), soft_wrap=True)
