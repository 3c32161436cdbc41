"""What ``stillhunt hunt`` prints of an earlier hunt and of reviewers' verdicts."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stillhunt.campaigns.hunt import HuntResult
from stillhunt.report.visible import visible
from stillhunt.report.wording import account_changes, campaign_state

_MOST = 12


def show_over_time(result: HuntResult, console: Console) -> None:
    """Print what changed, what reviewers said, and what their verdicts did to the numbers."""
    if "lifecycle" in result.record:
        _changes(result, console)
    if "verdicts" in result.record:
        _verdicts(result, console)
    if "calibration" in result.record:
        _calibration(result.record["calibration"], console)


def _changes(result: HuntResult, console: Console) -> None:
    lifecycle = result.record["lifecycle"]
    then = lifecycle["previous_last_exchange"]
    console.print(
        f"Since the hunt in {_safe(lifecycle['previous'], 200)}, whose logs end at "
        f"{then:%Y-%m-%d %H:%M} UTC:",
        highlight=False,
    )
    for campaign, told in result.lifecycles.items():
        console.print(f"  {_safe(campaign)}: {_safe(_told(told), 400)}", highlight=False)
    for lost in lifecycle["no_campaign_now"][:_MOST]:
        state = campaign_state(lost["state"], lost["other"])
        console.print(f"  {_safe(lost['campaign'])}: {_safe(state, 200)}", highlight=False)
    more = len(lifecycle["no_campaign_now"]) - _MOST
    if more > 0:
        console.print(f"  and {more:,} more in the table changes")


def _told(told: dict[str, Any]) -> str:
    parts = [campaign_state(told["state"], told["other"])]
    changes = account_changes(told)
    if changes:
        parts.append(f"accounts: {changes}")
    parts.append(
        f"{told['days_to_named_median']:.1f} days from first exchange to being named (median)"
    )
    return "; ".join(parts)


def _verdicts(result: HuntResult, console: Console) -> None:
    told = result.record["verdicts"]
    console.print(
        f"Reviewers' verdicts: {told['confirmed']} confirmed, {told['lawful']} lawful, "
        f"{told['unsure']} unsure; {told['expired']} expired.",
        highlight=False,
    )
    for campaign, rows in result.reviews.items():
        for row in rows[:_MOST]:
            on = "" if row["subject"] == "campaign" else f"{row['subject']} {row['name']}: "
            expired = "" if row["holds"] else " (expired)"
            console.print(
                f"  {_safe(campaign)}: {_safe(on, 100)}{row['verdict']}{expired}, by "
                f"{_safe(row['reviewer'])} on {row['time']:%Y-%m-%d}: {_safe(row['reason'], 200)}",
                highlight=False,
            )
        if len(rows) > _MOST:
            console.print(f"  {_safe(campaign)}: and {len(rows) - _MOST:,} more verdicts")
    if told["unknown_names"]:
        shown = ", ".join(_safe(name) for name in told["unknown_names"][:5])
        console.print(f"[yellow]Unknown in these logs[/], though verdicts name them: {shown}")
    if told["no_cluster_now"]:
        shown = ", ".join(_safe(name) for name in told["no_cluster_now"][:5])
        console.print(f"[yellow]No cluster of these ids now[/], though verdicts name them: {shown}")


def _calibration(told: dict[str, Any], console: Console) -> None:
    table = Table(
        title=f"Calibrated on {told['confirmed']} confirmed and {told['lawful']} lawful: prior "
        f"{told['prior_stated']:.2f} before, {told['prior_after']:.2f} after; "
        f"{told['controls_added']} clusters more to compare with",
        title_justify="left",
    )
    for name in ("campaign", "verdict", "probability", "what it did"):
        table.add_column(name)
    for row in told["campaigns"]:
        came, was = row["is_campaign"], row["was_campaign"]
        did = {
            (True, True): "still named",
            (True, False): "no longer named",
            (False, True): "named now",
        }[was, came]
        if was and not came and row["verdict"] == "lawful":
            did += ": judged lawful"
        table.add_row(
            _safe(row["campaign"]),
            row["verdict"] or "none",
            f"{row['before']:.3f} → {row['after']:.3f}",
            did,
        )
    console.print(table)


def _safe(text: str, limit: int = 60) -> str:
    """Text of others for the terminal: no markup, and nothing hidden in it."""
    return escape(visible(text, limit))
