"""The growth of a hunt's costs as a PNG, with the looks of the report and made without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from stillhunt.report.charts.theme import BLUE, GREY, finish

_SIZE = 260


def write_growth(
    rows: Sequence[dict[str, Any]], fits: Sequence[dict[str, Any]], path: Path
) -> None:
    """Draw costs beside size, both logarithmic, with the fitted lines.

    Args:
        rows: ``cost`` (what and its unit), ``exchanges`` and ``value``, one for each point.
        fits: the same, two or more points on each line.
        path: PNG file.
    """
    names = list(dict.fromkeys(row["cost"] for row in rows))
    panels = []
    for name in names:
        log = alt.Scale(type="log", nice=False, padding=12)
        x = alt.X(
            "exchanges:Q", title="exchanges", scale=log, axis=alt.Axis(tickCount=5, format="~s")
        )
        y = alt.Y("value:Q", title=name, scale=log, axis=alt.Axis(tickCount=6, format="~s"))
        line = alt.Chart(alt.Data(values=[f for f in fits if f["cost"] == name]))
        points = alt.Chart(alt.Data(values=[r for r in rows if r["cost"] == name]))
        panels.append(
            alt.layer(
                line.mark_line(color=GREY, strokeDash=[4, 3]).encode(x=x, y=y),
                points.mark_point(filled=True, size=60, color=BLUE, opacity=1).encode(x=x, y=y),
            ).properties(width=_SIZE, height=_SIZE)
        )
    chart = alt.hconcat(*panels)
    specification = finish(chart, "Costs of a hunt beside the number of exchanges")
    path.write_bytes(vl_convert.vegalite_to_png(specification, scale=2.0, allowed_base_urls=[]))


def write_hours(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw each hour's cost.

    Args:
        rows: ``hour``, ``step`` (ingest or hunt) and ``seconds``.
        path: PNG file.
    """
    chart = (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_bar()
        .encode(
            x=alt.X("hour:O", title="hour"),
            y=alt.Y("seconds:Q", title="seconds", stack=True),
            color=alt.Color("step:N", title=None, scale=alt.Scale(range=[GREY, BLUE])),
        )
        .properties(width=2 * _SIZE, height=_SIZE)
    )
    specification = finish(chart, "Seconds that each hour of a day costs")
    path.write_bytes(vl_convert.vegalite_to_png(specification, scale=2.0, allowed_base_urls=[]))
