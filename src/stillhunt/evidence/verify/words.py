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
    sure = percent(figures["confidence"])
    by = "the witness is honest and " if witnessed else ""
    accounts = counts["accounts"] - figures["accounts"]["most_wrong"]
    exchanges = counts["exchanges"] - figures["exchanges"]["most_wrong"]
    error = figures["token_error"]
    said = [
        f"At least {exchanges:,} of the {counts['exchanges']:,} claimed exchanges are different leaves of "
        "the log, by the account they are counted for and within the period "
        f"({figures['exchanges']['drawn']:,} drawn; if {by}it were fewer, the audit would have shown it "
        f"with {sure} confidence).",
        f"At least {accounts:,} of the {counts['accounts']:,} claimed accounts are different accounts, each "
        f"with one such exchange or more ({figures['accounts']['drawn']:,} drawn; {sure} confidence).",
    ]
    said.extend(
        f"Of the {counts[name]:,} claimed {name.replace('_', ' ')} at most {percent(error)} are "
        f"counted wrongly ({figures[name]['drawn']:,} drawn; {sure} confidence)."
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
