"""At what hours of the day the campaign worked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from stillhunt.report.charts.theme import BLUE, HALF, finish


def hours_chart(hours: Sequence[int]) -> dict[str, Any]:
    """Draw exchanges by hour of the day.

    Args:
        hours: exchanges in each hour from 0 to 23, UTC.
    """
    rows = [
        {"hour": hour, "end": hour + 1, "exchanges": number, "zero": 0}
        for hour, number in enumerate(hours)
    ]
    picture = (
        alt.Chart(alt.InlineData(values=rows), width=HALF - 40, height=190)
        .mark_bar(color=BLUE, stroke="#ffffff", strokeWidth=0.6)
        .encode(
            x=alt.X(
                "hour:Q",
                title="hour of the day (UTC)",
                scale=alt.Scale(domain=[0, 24], nice=False),
                axis=alt.Axis(values=[0, 4, 8, 12, 16, 20, 24], grid=False),
            ),
            x2="end:Q",
            y=alt.Y("exchanges:Q", title="exchanges", axis=alt.Axis(tickCount=4, format="~s")),
            y2="zero:Q",
            tooltip=[alt.Tooltip("hour:Q"), alt.Tooltip("exchanges:Q", format=",")],
        )
    )
    return finish(picture, describe_hours(hours))


def describe_hours(hours: Sequence[int]) -> str:
    """Say in words what the chart of hours shows."""
    total = sum(hours)
    if not total:
        return "No hours of the day are recorded."
    idle = sum(1 for number in hours if number < total / 24 / 10)
    busiest = max(range(len(hours)), key=lambda hour: hours[hour])
    return (
        f"Exchanges by hour of the day in UTC: busiest between {busiest}:00 and {busiest + 1}:00; "
        f"{idle} of 24 hours are all but idle."
    )
