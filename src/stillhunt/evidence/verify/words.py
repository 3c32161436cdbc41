"""What checks bear out, in sentences made from their numbers."""

from __future__ import annotations

from typing import Any


def percent(share: float) -> str:
    """A share as text, such as 1 % or 99.9 %."""
    return f"{share * 100:.6g} %"


def audited(figures: dict[str, Any], counts: dict[str, int], witnessed: bool) -> list[str]:
    """Sentences on what an audit bears out.

    Args:
        figures: of ``audit_checks``; counts: that are claimed; witnessed: drawn from a cosignature.
    """
    places, holders = figures["positions"], figures["accounts"]
    sure = percent(places["confidence"])
    given = ", if the witness is honest" if witnessed else ""
    said = [
        f"At least {places['good_at_least']:,} of the {places['population']:,} claimed exchanges are "
        "different exchanges in the log, each of the account that it is counted for and within the "
        f"period ({places['sampled']:,} drawn, {places['bad']:,} not answered; {sure} confidence{given}).",
        f"At least {holders['good_at_least']:,} of the {holders['population']:,} claimed accounts are "
        f"different accounts with one such exchange or more ({holders['sampled']:,} drawn; {sure} "
        f"confidence{given}).",
    ]
    said.extend(
        f"Of the {counts[name]:,} claimed {name.replace('_', ' ')} at most "
        f"{percent(figures[name]['error'])} are counted wrongly ({figures[name]['sampled']:,} drawn, "
        f"each as likely as any other; {sure} confidence{given})."
        for name in ("input_tokens", "output_tokens")
        if counts[name]
    )
    return said


NEVER_SHOWN: tuple[str, ...] = (
    "That the log's entries are true: a log shows what was written into it and when, and that it was not "
    "changed since.",
    "That what happened is what the campaign is called: probability and kinds are the claimant's reading, "
    "by the method that is named.",
    "Who is behind the accounts. Nationality, country, language and name are no part of a claim.",
)
"""True of every claim."""
