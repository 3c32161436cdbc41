"""The benchmarks' charts as PNG, with the looks of the report and made without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from stillhunt.report.charts.theme import BLUE, GREEN, GREY, ORANGE, PINK, finish

_SIZE = 360
_SCALE = 2.0
_FEW = alt.Axis(tickCount=6, format="~e")


def write_reliability(bins: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw stated probabilities beside the share that came true, with an interval.

    Args:
        bins: by what is stated (campaigns, memberships): stated, rate, lowest, highest, count.
        path: PNG file.
    """
    rows = [
        {
            "of": what,
            "stated": b["stated"],
            "true": b["rate"],
            "low": b["lowest"],
            "high": b["highest"],
            "count": b["count"],
        }
        for what, of in bins.items()
        for b in of
    ]
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("stated:Q", title="probability stated (mean of the bin)", scale=unit),
        color=alt.Color(
            "of:N", title=None, scale=alt.Scale(domain=list(bins), range=[BLUE, ORANGE])
        ),
    )
    chart = alt.layer(
        _diagonal([{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 1.0}]),
        base.mark_rule().encode(y=alt.Y("low:Q", title="came true", scale=unit), y2="high:Q"),
        base.mark_point(filled=True, size=60).encode(y="true:Q"),
    ).properties(width=_SIZE, height=_SIZE)
    _write(chart, "Stated probabilities beside the share that came true", path)


def write_null(curves: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw P(p <= t) beside t, both logarithmic, one panel for each null and family of tests.

    Args:
        curves: what (str), t, share and upper (its bootstrap limit).
        path: PNG file.
    """
    least = min(row["t"] for row in curves)
    log = alt.Scale(type="log", domain=[least / 10, 1.0])
    x = alt.X("t:Q", title="t", scale=alt.Scale(type="log", domain=[least, 1.0]), axis=_FEW)
    colours = alt.Scale(
        domain=list(dict.fromkeys(row["what"] for row in curves)),
        range=[BLUE, ORANGE, GREEN, PINK],
    )
    colour = alt.Color("what:N", title=None, scale=colours, legend=alt.Legend(labelLimit=400))

    def line(what: str, rows: Sequence[dict[str, Any]], **mark: Any) -> Any:
        y = alt.Y(f"{what}:Q", title="P(p ≤ t); dotted: its 95 % limit", scale=log, axis=_FEW)
        return (
            alt.Chart(alt.Data(values=list(rows)))
            .mark_line(clip=True, **mark)
            .encode(x=x, y=y, color=colour)
        )

    chart = alt.layer(
        _diagonal([{"x": least, "y": least}, {"x": 1.0, "y": 1.0}]),
        line("upper", curves, strokeDash=[2, 3]),
        line("share", [row for row in curves if row["share"]], point=True),
    ).properties(width=_SIZE, height=_SIZE)
    _write(chart, "P-values under the null beside the diagonal that they must stay below", path)


def _diagonal(ends: list[dict[str, float]]) -> Any:
    return (
        alt.Chart(alt.Data(values=ends))
        .mark_line(color=GREY, strokeWidth=1)
        .encode(x="x:Q", y="y:Q")
    )


def _write(chart: Any, description: str, path: Path) -> None:
    specification = finish(chart, description)
    path.write_bytes(vl_convert.vegalite_to_png(specification, scale=_SCALE, allowed_base_urls=[]))
