"""Windows by time and by how surprising each is."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from stillhunt.report.charts.theme import GREY, ORANGE, WIDTH, finish
from stillhunt.report.wording import plural

MOST_POINTS = 5000
_LEAST = 1e-12


def alarm_chart(document: dict[str, Any]) -> dict[str, Any]:
    """Draw each window at its end (UTC), as high as its p-value is low.

    Args:
        document: what ``alarm.json`` holds, times as ISO 8601 strings.
    """
    level = float(document["parameters"]["false_alarms"])
    # The most surprising ones, where they are too many to be seen.
    kept = sorted(document["windows"], key=lambda w: float(w["p"]))[:MOST_POINTS]
    values = [
        {
            "time": str(w["last"]),
            "surprise": -math.log10(max(float(w["p"]), _LEAST)),
            "alarm": "alarm" if w["alarm"] else "no alarm",
        }
        for w in kept
    ]
    points = (
        alt.Chart(alt.InlineData(values=values), width=WIDTH, height=220)
        .mark_circle(size=42, opacity=0.75)
        .encode(
            x=alt.X(
                "time:T",
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(title=None, grid=False, format="%d %b %H:%M", tickCount=8),
            ),
            y=alt.Y("surprise:Q", title="-log10 p", scale=alt.Scale(domainMin=0)),
            color=alt.Color(
                "alarm:N",
                title=None,
                scale=alt.Scale(domain=["alarm", "no alarm"], range=[ORANGE, GREY]),
            ),
        )
    )
    rule = (
        alt.Chart(alt.InlineData(values=[{"level": -math.log10(level)}]))
        .mark_rule(color=ORANGE, strokeDash=[4, 4])
        .encode(y="level:Q")
    )
    return finish(alt.layer(points, rule), describe_alarm(document))


def describe_alarm(document: dict[str, Any]) -> str:
    """Say in words what the chart shows."""
    counts = document["counts"]
    return (
        f"{plural(int(counts['windows']), 'window')} by time; {plural(int(counts['alarms']), 'window')} "
        f"above the line, where p is at most {document['parameters']['false_alarms']:g}."
    )
