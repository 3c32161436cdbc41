"""How every chart looks: one font, thin lines, colours that the colour-blind tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stillhunt.report.visible import visible

# Okabe and Ito's palette (2008).
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
AMBER = "#E69F00"
PINK = "#CC79A7"
GREY = "#6B7280"
INK = "#1F2933"
RULE = "#D5DAE1"

WIDTH = 820
HALF = 380

MOST_CHARACTERS = 400

_LETTER = 6.6

CONFIG: dict[str, Any] = {
    "background": "#ffffff",
    "font": "Arial, Helvetica, Liberation Sans, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": RULE,
        "domainColor": GREY,
        "tickColor": GREY,
        "labelLimit": 300,
        "labelOverlap": "greedy",
        "labelSeparation": 14,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12},
    "text": {"color": INK, "fontSize": 12},
    "customFormatTypes": False,
}


def label_room(labels: Iterable[str], most: int) -> int:
    """Pixels to leave for row labels of 12 pixels' height, ``most`` at most."""
    return min(most, round(_LETTER * max((len(label) for label in labels), default=0)) + 10)


def finish(chart: Any, description: str) -> dict[str, Any]:
    """Turn an Altair chart into a Vega-Lite specification with the common looks.

    Args:
        chart: an Altair chart of any kind.
        description: what the chart shows, in words, for who cannot see it.

    Returns:
        The specification; every text in it is visible and at most MOST_CHARACTERS long (but for
        the mark that says how much was cut).
    """
    specification: dict[str, Any] = chart.to_dict(validate=False)
    specification["config"] = CONFIG
    specification["description"] = description
    clean: dict[str, Any] = _visible(specification)
    return clean


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value, MOST_CHARACTERS)
    if isinstance(value, dict):
        return {key: _visible(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_visible(inner) for inner in value]
    return value
