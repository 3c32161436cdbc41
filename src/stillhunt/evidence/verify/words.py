"""What checks bear out, in sentences made from their numbers."""

from __future__ import annotations

from typing import Any


def percent(share: float) -> str:
    """A share as text, such as 1 % or 99.9 %."""
    return f"{share * 100:.6g} %"


def audited(figures: dict[str, Any], depth: str, witnessed: bool) -> list[str]:
    """Sentences on what an audit bears out.

    Args:
        figures: of ``audit_checks``; depth: of the claim; witnessed: drawn from a cosignature.
    """
    places, holders = figures["positions"], figures["accounts"]
    sure = percent(places["confidence"]) + " confidence"
    sure += ", if the witness is honest" if witnessed else ""
    what = {
        "counts": "are different exchanges in the log, each of the account that it is counted for and "
        "within the period",
        "pseudonymous": "are of the account that they are shown under, and their other pseudonyms, too, "
        "stand for what the log holds of them",
    }[depth]
    said = [
        f"At least {places['good_at_least']:,} of the {places['population']:,} claimed exchanges {what} "
        f"({_draws(places)}; {sure}).",
        f"At least {holders['good_at_least']:,} of the {holders['population']:,} claimed accounts are "
        f"different accounts with one such exchange or more ({_draws(holders)}; {sure}).",
    ]
    # With pseudonyms all tokens were counted.
    for name in ("input_tokens", "output_tokens") if depth == "counts" else ():
        row = figures[name]
        if row["population"]:
            said.append(
                f"Of the {row['population']:,} claimed {name.replace('_', ' ')} at most "
                f"{percent(row['error'])} are counted wrongly ({row['sampled']:,} drawn, each as likely "
                f"as any other; {sure})."
            )
    return said


def _draws(row: dict[str, Any]) -> str:
    return f"{row['sampled']:,} drawn, {row['bad'] or 'none'} not answered"


NEVER_SHOWN: tuple[str, ...] = (
    "That the log's entries are true: a log shows what was written into it and when, and that it was not "
    "changed since.",
    "That what happened is what the campaign is called: probability and kinds are the claimant's reading, "
    "by the method that is named.",
    "Who is behind the accounts. Nationality, country, language and name are no part of a claim.",
)
"""True of every claim."""
