"""The benchmarks' charts as PNG, with the looks of the report and made without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair
import vl_convert

from stillhunt.report.charts.theme import BLUE, GREY, ORANGE, finish

_SIZE = 360
_SCALE = 2.0


def write_reliability(bins: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw stated probabilities beside the share that came true, with two standard errors.

    Args:
        bins: by what is stated (campaigns, memberships): low, high, count, stated, rate, error.
        path: PNG file.
    """
    rows = [
        {
            "of": what,
            "stated": b["stated"],
            "true": b["rate"],
            "low": max(0.0, b["rate"] - 2 * (b["error"] or 0.0)),
            "high": min(1.0, b["rate"] + 2 * (b["error"] or 0.0)),
            "count": b["count"],
        }
        for what, of in bins.items()
        for b in of
    ]
    unit = altair.Scale(domain=[0, 1])
    base = altair.Chart(altair.Data(values=rows)).encode(
        x=altair.X("stated:Q", title="probability stated (mean of the bin)", scale=unit),
        color=altair.Color(
            "of:N", title=None, scale=altair.Scale(domain=list(bins), range=[BLUE, ORANGE])
        ),
    )
    chart = altair.layer(
        _diagonal([{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 1.0}]),
        base.mark_rule().encode(y=altair.Y("low:Q", title="came true", scale=unit), y2="high:Q"),
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
    floor = least / 100
    rows = [
        {**row, "share": max(row["share"], floor), "upper": max(row["upper"], floor)}
        for row in curves
    ]
    log = altair.Scale(type="log", domain=[floor, 1.0])
    x = altair.X("t:Q", title="t", scale=altair.Scale(type="log", domain=[least, 1.0]))
    base = altair.Chart(altair.Data(values=rows)).encode(
        x=x,
        color=altair.Color("what:N", title=None),
    )
    chart = altair.layer(
        _diagonal([{"x": least, "y": least}, {"x": 1.0, "y": 1.0}]),
        base.mark_line(strokeDash=[2, 3]).encode(
            y=altair.Y("upper:Q", title="P(p ≤ t), dotted: its 95 % limit", scale=log)
        ),
        base.mark_line(point=True).encode(y=altair.Y("share:Q", scale=log)),
    ).properties(width=_SIZE, height=_SIZE)
    _write(chart, "P-values under the null beside the diagonal that they must stay below", path)


def _diagonal(ends: list[dict[str, float]]) -> Any:
    return (
        altair.Chart(altair.Data(values=ends))
        .mark_line(color=GREY, strokeWidth=1)
        .encode(x="x:Q", y="y:Q")
    )


def _write(chart: Any, description: str, path: Path) -> None:
    specification = finish(chart, description)
    path.write_bytes(vl_convert.vegalite_to_png(specification, scale=_SCALE, allowed_base_urls=[]))
