"""What was asked for: kinds of harvest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from stillhunt.records.findings import KINDS
from stillhunt.report.charts.theme import GREEN, HALF, finish
from stillhunt.report.details import KindShare
from stillhunt.report.wording import kind_name, percent


def gathered(kinds: Sequence[KindShare]) -> list[KindShare]:
    """Known kinds, largest first; unknown ones count as "other"."""
    exchanges: dict[str, int] = {}
    shares: dict[str, float] = {}
    for row in kinds:
        kind = row.kind if row.kind in KINDS else "other"
        exchanges[kind] = exchanges.get(kind, 0) + row.exchanges
        shares[kind] = shares.get(kind, 0.0) + row.share
    rows = [KindShare(kind, exchanges[kind], shares[kind]) for kind in exchanges]
    return sorted(rows, key=lambda row: (-row.exchanges, row.kind))


def kinds_chart(kinds: Sequence[KindShare]) -> dict[str, Any]:
    """Draw exchanges by kind of harvest, with the share of each."""
    rows = [
        {
            "order": order,
            "kind": kind_name(row.kind),
            "exchanges": row.exchanges,
            "share": percent(row.share),
        }
        for order, row in enumerate(gathered(kinds))
    ]
    y = alt.Y(
        "kind:N",
        title=None,
        sort=alt.EncodingSortField("order", op="min"),
        axis=alt.Axis(ticks=False),
    )
    most = max((int(str(row["exchanges"])) for row in rows), default=0)
    scale = alt.Scale(domain=[0, max(1.0, most * 1.25)], nice=False)
    base = alt.Chart(alt.InlineData(values=rows), width=HALF - 140, height=max(150, 30 * len(rows)))
    x = alt.X(
        "exchanges:Q", title="exchanges", scale=scale, axis=alt.Axis(tickCount=4, format="~s")
    )
    bars = base.mark_bar(color=GREEN, size=18).encode(
        x=x, y=y, tooltip=[alt.Tooltip("kind:N"), alt.Tooltip("exchanges:Q", format=",")]
    )
    shares = base.mark_text(align="left", dx=5).encode(x=x, y=y, text="share:N")
    return finish(alt.layer(bars, shares), describe_kinds(kinds))


def describe_kinds(kinds: Sequence[KindShare]) -> str:
    """Say in words what the chart of kinds shows."""
    rows = gathered(kinds)
    if not rows:
        return "No kinds of harvest are recorded."
    parts = "; ".join(f"{kind_name(row.kind)} {percent(row.share)}" for row in rows)
    return f"Share of the campaign's exchanges by kind of harvest: {parts}."
