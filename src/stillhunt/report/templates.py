"""What the templates of the page and of the case have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stillhunt.report import wording

ASSETS = Path(__file__).parent / "assets"
"""Templates, style sheet and script."""

NUMBERS: dict[str, Callable[..., str]] = {
    "amount": wording.amount,
    "count": wording.count,
    "day": wording.day,
    "kind_name": wording.kind_name,
    "p_value": wording.p_value,
    "percent": wording.percent,
    "plural": wording.plural,
    "signed": wording.signed,
    "size": wording.size,
    "weight": wording.weight,
}
"""Filters that say numbers, by name."""
