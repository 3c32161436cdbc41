"""Who shares what: accounts and the indicators they were seen with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt
import numpy as np

from stillhunt.report.charts.layout import force_layout
from stillhunt.report.charts.theme import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    RULE,
    SKY,
    finish,
)
from stillhunt.report.details import Network
from stillhunt.report.visible import short
from stillhunt.report.wording import plural

MOST_NODES = 150
MOST_EDGES = 1200
_NAMED = 8

# Kind, its name in the key, colour, shape. Shape says again what colour says.
_LOOKS: dict[str, tuple[str, str, str]] = {
    "account": ("account", GREY, "circle"),
    "template": ("template", ORANGE, "square"),
    "address": ("address", BLUE, "triangle-up"),
    "network": ("network", SKY, "triangle-down"),
    "payment": ("payment", GREEN, "diamond"),
    "email_domain": ("e-mail domain", PINK, "cross"),
    "client": ("client program", INK, "triangle-left"),
    "other": ("other", AMBER, "triangle-right"),
}


_CLIENTS = frozenset({"agent", "client", "tls", "tls_fingerprint", "user_agent"})


def _kind(kind: str) -> str:
    if kind in _CLIENTS:
        return "client"
    return kind if kind in _LOOKS else "other"


def network_chart(network: Network) -> dict[str, Any]:
    """Draw accounts and indicators as points, and which account was seen with which as lines.

    At most MOST_NODES nodes and MOST_EDGES lines; the best-joined indicators carry their names.
    """
    nodes = network.nodes[:MOST_NODES]
    number = {node.id: index for index, node in enumerate(nodes)}
    edges = np.array(
        [
            (number[source], number[target])
            for source, target in network.edges
            if source in number and target in number
        ][:MOST_EDGES],
        dtype=np.int64,
    ).reshape(-1, 2)
    at = np.round(force_layout(len(nodes), edges) * 1000).astype(int)
    degree = np.bincount(edges.ravel(), minlength=len(nodes))
    lines = [
        {"x": int(at[a, 0]), "y": int(at[a, 1]), "x2": int(at[b, 0]), "y2": int(at[b, 1])}
        for a, b in edges
    ]
    points = []
    for index, node in enumerate(nodes):
        kind = _kind(node.kind)
        points.append(
            {
                "x": int(at[index, 0]),
                "y": int(at[index, 1]),
                "kind": _LOOKS[kind][0],
                "label": short(node.label, 48),
                "exchanges": node.exchanges,
                "joined": int(degree[index]),
                "size": 62 if kind == "account" else 210,
            }
        )
    best = sorted((p for p in points if p["size"] != 62), key=lambda p: -int(str(p["joined"])))[
        :_NAMED
    ]
    names = [{"x": p["x"], "y": p["y"], "name": short(str(p["label"]), 26)} for p in best]
    present = {str(point["kind"]) for point in points}
    looks = [look for look in _LOOKS.values() if look[0] in present]
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-60, 1060]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-40, 1040]))
    key = [look[0] for look in looks]
    rules = (
        alt.Chart(alt.InlineData(values=lines))
        .mark_rule(color="#9AA5B1", opacity=0.45, strokeWidth=0.8)
        .encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    )
    dots = (
        alt.Chart(alt.InlineData(values=points))
        .mark_point(filled=True, opacity=0.95, stroke="#ffffff", strokeWidth=0.8)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=key, range=[look[1] for look in looks]),
                legend=alt.Legend(title=None, orient="top", symbolSize=110),
            ),
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=key, range=[look[2] for look in looks]),
                legend=alt.Legend(title=None, orient="top", symbolSize=110),
            ),
            size=alt.Size("size:Q", scale=None),
            tooltip=[
                alt.Tooltip("kind:N"),
                alt.Tooltip("label:N"),
                alt.Tooltip("exchanges:Q"),
                alt.Tooltip("joined:Q", title="lines"),
            ],
        )
    )
    halo, ink = (
        alt.Chart(alt.InlineData(values=names))
        .mark_text(dy=-14, fontSize=12, fontWeight="bold", **look)
        .encode(x=x, y=y, text="name:N")
        for look in ({"stroke": "#ffffff", "strokeWidth": 4, "strokeJoin": "round"}, {"color": INK})
    )
    picture = alt.layer(rules, dots, halo, ink).properties(
        width=870, height=520, view=alt.ViewConfig(stroke=RULE)
    )
    return finish(picture, describe_network(network))


def describe_network(network: Network) -> str:
    """Say in words what the picture of the network shows."""
    kinds = Counter(_kind(node.kind) for node in network.nodes[:MOST_NODES])
    accounts = kinds.pop("account", 0)
    shared = ", ".join(f"{_LOOKS[kind][0]}: {number}" for kind, number in kinds.most_common())
    return (
        f"Picture of the network: {plural(accounts, 'account')} joined by lines to the indicators "
        f"they were seen with ({shared or 'none'})."
    )
