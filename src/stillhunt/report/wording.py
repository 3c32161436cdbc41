"""Numbers as people read them. Never rounder than they are: 0.9999 is not 100 %."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

KIND_NAMES: dict[str, str] = {
    "cot_elicitation": "reasoning traces",
    "rubric_grading": "grades and preferences",
    "synthetic_data": "synthetic data",
    "agentic_tool_use": "tool use",
    "coding": "coding",
    "instruction": "instructions",
    "roleplay": "scripted dialogue",
    "censorship_rewrite": "censorship rewrites",
    "other": "other",
}
"""What people call the kinds of records.findings.KINDS."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(value: int | None) -> str:
    """A whole number with separators, or "not known"."""
    return "not known" if value is None else f"{value:,}"


def percent(share: float | None) -> str:
    """A share of 1 as per cent; what is not quite none or all says so."""
    if share is None:
        return "not known"
    if share > 0.999 and share < 1:
        return "more than 99.9 %"
    if share < 0.001 and share > 0:
        return "less than 0.1 %"
    digits = 0 if share in (0, 1) or 0.1 <= share <= 0.9 else 1
    return f"{100 * share:.{digits}f} %"


def p_value(value: float | None) -> str:
    """A p-value or q-value, small ones as a power of ten."""
    if value is None:
        return "not known"
    if value <= 0:
        return "below 10⁻³⁰⁰"
    if value >= 0.001:
        return f"{value:.3g}"
    exponent = math.floor(math.log10(value))
    mantissa = value / 10**exponent if exponent > -300 else float(f"{value:e}".split("e")[0])
    if round(mantissa, 1) >= 10:
        mantissa, exponent = mantissa / 10, exponent + 1
    return f"{mantissa:.1f} \u00d7 10{str(exponent).translate(_SUPERSCRIPTS)}"


def amount(value: float) -> str:
    """Money without its currency, which the reader knows: whole units from 100 up."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def day(moment: datetime | None) -> str:
    """A date in UTC, or "not known"."""
    return "not known" if moment is None else moment.strftime("%Y-%m-%d")


def size(value: int | None) -> str:
    """Bytes with a decimal unit."""
    if value is None:
        return "not known"
    amount_left = float(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount_left < 1000:
            return f"{amount_left:,.0f} {unit}" if unit == "bytes" else f"{amount_left:,.1f} {unit}"
        amount_left /= 1000
    return f"{amount_left:,.1f} TB"


def weight(log_odds: float) -> str:
    """What a log-odds contribution does to the odds, in words."""
    factor = math.exp(min(abs(log_odds), 30.0))
    if factor < 1.05:
        return "changes nothing to speak of"
    times = (
        "over a million" if factor > 1e6 else f"{factor:,.0f}" if factor >= 10 else f"{factor:.1f}"
    )
    return f"{times} times {'more' if log_odds > 0 else 'less'} likely"


def signed(value: float) -> str:
    """Write a log-odds with its sign: "+4.61", "\u22120.62"."""
    return f"{value:+.2f}".replace("-", "\u2212")


def plural(number: int, noun: str, many: str | None = None) -> str:
    """Count a noun: "1 account", "2 accounts"; ``many`` where an s does not make the plural."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def kind_name(kind: str) -> str:
    """What people call a kind; one this version does not know is "other"."""
    return KIND_NAMES.get(kind, KIND_NAMES["other"])


_STATES = {
    "new": "new",
    "kept": "known, and still at work",
    "returned": "back again",
    "ended": "ended: all its accounts have stopped",
    "no_longer_named": "no campaign any more, though its accounts have not all stopped",
}
_ACCOUNT_CHANGES = (
    ("joined", "joined"),
    ("kept", "stayed"),
    ("returned", "came back"),
    ("left", "left"),
    ("replaced_by", "left and were replaced"),
    ("moved_to", "moved to another campaign"),
    ("no_longer_named", "no longer named"),
)


def campaign_state(state: str, other: str | None) -> str:
    """What became of a campaign, one of records.findings.CAMPAIGN_CHANGES, in words."""
    if state == "split_from":
        return f"split from {other}"
    if state == "merged_into":
        return f"merged into {other}"
    return _STATES.get(state, state)


def account_changes(counts: Mapping[str, object]) -> str:
    """How many accounts did what, by records.findings.ACCOUNT_CHANGES; nothing where none did."""
    return ", ".join(f"{counts[key]:,} {word}" for key, word in _ACCOUNT_CHANGES if counts.get(key))
