"""When each account joined and left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import altair as alt

from stillhunt.report.charts.theme import BLUE, ORANGE, WIDTH, finish, label_room
from stillhunt.report.details import AccountSpan
from stillhunt.report.visible import short
from stillhunt.report.wording import plural

MOST_ACCOUNTS = 40
_LABELS = 190
_DAY = 86_400_000


def _epoch(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def chosen(accounts: Sequence[AccountSpan]) -> list[AccountSpan]:
    """The busiest accounts, MOST_ACCOUNTS at most, in the order in which they joined."""
    busiest = sorted(accounts, key=lambda row: (-row.campaign_exchanges, row.account))
    return sorted(busiest[:MOST_ACCOUNTS], key=lambda row: (row.first_seen, row.account))


def timeline_chart(accounts: Sequence[AccountSpan]) -> dict[str, Any]:
    """Draw a bar from the first to the last exchange of each account, and when it was made.

    An account made long before the campaign is marked at the left edge, so that it does not squeeze
    the rest.
    """
    rows = chosen(accounts)
    first = min((_epoch(row.first_seen) for row in rows), default=0)
    last = max((_epoch(row.last_seen) for row in rows), default=0)
    margin = max(_DAY, round((last - first) * 0.06))
    values = []
    for index, row in enumerate(rows):
        value: dict[str, Any] = {
            "row": index,
            "account": short(row.account, 28),
            "first": _epoch(row.first_seen),
            "last": _epoch(row.last_seen),
            "exchanges": row.campaign_exchanges,
        }
        if row.created_at is not None:
            created = _epoch(row.created_at)
            early = created < first - margin
            value["created"] = first - margin if early else min(created, last)
            value["when"] = "made before this picture begins" if early else "account made"
        values.append(value)
    scale = alt.Scale(type="utc", nice=False)
    x = alt.X(
        "first:T",
        title=None,
        scale=scale,
        axis=alt.Axis(tickCount=8, format="%d %b %Y", labelAngle=0),
    )
    y = alt.Y("row:O", axis=None)
    base = alt.Chart(
        alt.InlineData(values=values),
        width=WIDTH + 40 - label_room((value["account"] for value in values), _LABELS),
        height=max(40, 17 * len(rows)),
    )
    bars = base.mark_rule(color=BLUE, strokeWidth=6, strokeCap="round", opacity=0.85).encode(
        x=x,
        x2="last:T",
        y=y,
        tooltip=[
            alt.Tooltip("account:N"),
            alt.Tooltip(
                "first:T", title="first seen", format="%Y-%m-%d", timeUnit="utcyearmonthdate"
            ),
            alt.Tooltip(
                "last:T", title="last seen", format="%Y-%m-%d", timeUnit="utcyearmonthdate"
            ),
            alt.Tooltip("exchanges:Q", title="exchanges of the campaign", format=","),
        ],
    )
    labels = base.mark_text(align="right", baseline="middle", fontSize=11, limit=_LABELS).encode(
        x=alt.value(-8), y=y, text="account:N"
    )
    # Points that nobody sees stretch the scale: temporal scales take no bounds in milliseconds.
    edges = [{"edge": first - margin}, {"edge": last + _DAY // 2}]
    room = (
        alt.Chart(alt.InlineData(values=edges))
        .mark_point(opacity=0)
        .encode(x=alt.X("edge:T", scale=scale), tooltip=alt.value(None))
    )
    layers = [room, bars, labels]
    if any("created" in value for value in values):
        whens = ["account made", "made before this picture begins"]
        shape = alt.Shape(
            "when:N",
            scale=alt.Scale(domain=whens, range=["diamond", "triangle-left"]),
            legend=alt.Legend(
                title=None,
                orient="top",
                symbolFillColor=ORANGE,
                symbolStrokeWidth=0,
                labelLimit=300,
            ),
        )
        made = (
            base.transform_filter(alt.FieldValidPredicate(field="created", valid=True))
            .mark_point(filled=True, color=ORANGE, size=55, opacity=1)
            .encode(x=alt.X("created:T", scale=scale), y=y, shape=shape)
        )
        layers.append(made)
    return finish(alt.layer(*layers), describe_timeline(accounts))


def timeline_note(accounts: Sequence[AccountSpan]) -> str:
    """Say how many accounts the timeline leaves out; empty where it shows all."""
    more = len(accounts) - MOST_ACCOUNTS
    if more <= 0:
        return ""
    return f"The {MOST_ACCOUNTS} busiest accounts are shown; {more:,} more are not."


def describe_timeline(accounts: Sequence[AccountSpan]) -> str:
    """Say in words what the timeline shows."""
    if not accounts:
        return "No accounts are recorded."
    joined = [row.first_seen for row in accounts]
    shown = plural(len(chosen(accounts)), "account")
    return (
        f"First and last exchange of {shown} of {len(accounts):,}: "
        f"the first joined on {min(joined):%Y-%m-%d}, the latest on {max(joined):%Y-%m-%d}."
    )
