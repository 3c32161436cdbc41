"""Why: what each signal adds to the log-odds, from the prior to the score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from stillhunt.report.charts.theme import BLUE, GREY, INK, ORANGE, WIDTH, finish, label_room
from stillhunt.report.details import Step
from stillhunt.report.visible import short
from stillhunt.report.wording import plural

_LABELS = 300
_SENSES = {"for": BLUE, "against": ORANGE, "start and result": GREY}


def waterfall_rows(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Bars of the waterfall, in order, then the total.

    Each has ``row``, ``label``, ``start``, ``end``, ``log_odds`` and ``sense``. The log-odds of all
    bars but the last sum to the last one's, which is the score.
    """
    rows: list[dict[str, Any]] = []
    reached = 0.0
    for index, step in enumerate(steps):
        after = math.fsum(earlier.log_odds for earlier in steps[: index + 1])
        sense = "for" if step.log_odds >= 0 else "against"
        rows.append(
            {
                "row": index,
                "label": short(step.label, 52),
                "start": reached,
                "end": after,
                "log_odds": step.log_odds,
                "sense": "start and result" if step.signal == "prior" else sense,
            }
        )
        reached = after
    rows.append(
        {
            "row": len(steps),
            "label": "score: all of it together",
            "start": 0.0,
            "end": reached,
            "log_odds": reached,
            "sense": "start and result",
        }
    )
    return rows


def waterfall_chart(steps: Sequence[Step]) -> dict[str, Any]:
    """Draw the waterfall; the row labels are text marks, for an axis would join equal labels."""
    rows = waterfall_rows(steps)
    ends = [0.0, *(float(row[key]) for row in rows for key in ("start", "end"))]
    room = 0.09 * max(1.0, max(ends) - min(ends))
    x = alt.X(
        "start:Q",
        title="log-odds (0: as likely as not; to the right: a campaign)",
        scale=alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False),
    )
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.3))
    base = alt.Chart(
        alt.InlineData(values=rows),
        width=WIDTH + 50 - label_room((str(row["label"]) for row in rows), _LABELS),
        height=max(90, 30 * len(rows)),
    )
    bars = base.mark_bar().encode(
        x=x,
        x2="end:Q",
        y=y,
        color=alt.Color(
            "sense:N",
            scale=alt.Scale(domain=list(_SENSES), range=list(_SENSES.values())),
            legend=alt.Legend(title=None, orient="top"),
        ),
        tooltip=[
            alt.Tooltip("label:N"),
            alt.Tooltip("log_odds:Q", format="+.2f", title="log-odds"),
        ],
    )
    zero = (
        alt.Chart(alt.InlineData(values=[{"zero": 0.0}]))
        .mark_rule(color=INK, strokeWidth=1)
        .encode(x="zero:Q")
    )
    labels = base.mark_text(align="right", baseline="middle", limit=_LABELS).encode(
        x=alt.value(-10), y=y, text="label:N"
    )
    right = alt.datum.end >= alt.datum.start
    marks = (
        base.transform_filter(right).mark_text(align="left", baseline="middle", dx=5),
        base.transform_filter(~right).mark_text(align="right", baseline="middle", dx=-5),
    )
    numbers = [
        mark.encode(x=alt.X("end:Q"), y=y, text=alt.Text("log_odds:Q", format="+.2f"))
        for mark in marks
    ]
    return finish(alt.layer(bars, zero, labels, *numbers), describe_waterfall(steps))


def describe_waterfall(steps: Sequence[Step]) -> str:
    """Say in words what the waterfall shows."""
    score = math.fsum(step.log_odds for step in steps)
    up = sum(1 for step in steps if step.signal != "prior" and step.log_odds > 0)
    down = sum(1 for step in steps if step.signal != "prior" and step.log_odds < 0)
    return (
        f"Waterfall of log-odds: {plural(up, 'signal')} for a campaign and {down} against bring "
        f"the score to {score:+.2f}. The table below holds the same numbers."
    )
