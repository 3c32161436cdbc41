"""When the campaign was at work, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import altair as alt

from stillhunt.report.charts.theme import BLUE, GREY, WIDTH, finish
from stillhunt.report.details import ActiveDay
from stillhunt.report.wording import plural

MOST_BARS = 370


def epoch(day: date) -> int:
    """Milliseconds from 1970 to the start of a UTC day."""
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def folded(activity: Sequence[ActiveDay]) -> tuple[int, list[dict[str, Any]]]:
    """Bars of equal length in days, few enough to see, and how many days each holds.

    Accounts of a bar are its busiest day's, for accounts of several days cannot be added.
    """
    if not activity:
        return 1, []
    first = activity[0].day
    span = (activity[-1].day - first).days + 1
    days = 1
    while span > MOST_BARS * days:
        days = 7 if days == 1 else days * 2
    bars: dict[int, dict[str, Any]] = {}
    for row in activity:
        index = (row.day - first).days // days
        start = first + timedelta(days=index * days)
        begin = epoch(start)
        new = {
            "day": begin,
            "end": begin + days * 86_400_000,
            "exchanges": 0,
            "accounts": 0,
            "zero": 0,
        }
        bar = bars.setdefault(index, new)
        bar["exchanges"] += row.exchanges
        bar["accounts"] = max(bar["accounts"], row.accounts)
    return days, [bars[index] for index in sorted(bars)]


def activity_chart(activity: Sequence[ActiveDay]) -> dict[str, Any]:
    """Draw exchanges and active accounts over time (UTC), one above the other."""
    days, bars = folded(activity)
    per = "day" if days == 1 else f"{days} days"
    data = alt.InlineData(values=bars)

    def bar(field: str, title: str, colour: str, height: int, *, labels: bool) -> Any:
        axis = alt.Axis(
            title=None, grid=False, labels=labels, tickCount=10, format="%d %b %Y", labelAngle=0
        )
        return (
            alt.Chart(data, width=WIDTH, height=height)
            .mark_bar(color=colour, stroke="#ffffff", strokeWidth=0.6)
            .encode(
                x=alt.X("day:T", scale=alt.Scale(type="utc"), axis=axis),
                x2="end:T",
                y=alt.Y(f"{field}:Q", title=title, axis=alt.Axis(tickCount=4, format="~s")),
                y2="zero:Q",
                tooltip=[
                    alt.Tooltip(
                        "day:T", title="from", format="%Y-%m-%d", timeUnit="utcyearmonthdate"
                    ),
                    alt.Tooltip("exchanges:Q", format=","),
                    alt.Tooltip("accounts:Q", format=","),
                ],
            )
        )

    picture = alt.vconcat(
        bar("exchanges", f"exchanges per {per}", BLUE, 150, labels=False),
        bar("accounts", "accounts" if days == 1 else "most in a day", GREY, 80, labels=True),
        spacing=8,
    )
    return finish(picture, describe_activity(activity))


def describe_activity(activity: Sequence[ActiveDay]) -> str:
    """Say in words what the activity chart shows."""
    if not activity:
        return "No activity is recorded."
    busiest = max(activity, key=lambda row: row.exchanges)
    return (
        f"Exchanges and active accounts per day from {activity[0].day} to {activity[-1].day}: "
        f"active on {plural(len(activity), 'day')}, busiest on {busiest.day} with "
        f"{plural(busiest.exchanges, 'exchange')} from {plural(busiest.accounts, 'account')}."
    )
