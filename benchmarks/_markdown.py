"""Summaries as tables in Markdown, so that what is printed can be put into a document as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Summary = dict[str, Any]
NONE = "-"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table under its title; the first column is text, the others are numbers."""
    lines = [
        f"**{title}**",
        "",
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def rate(of: Summary, digits: int = 3) -> str:
    """A rate and its standard error."""
    if of["rate"] is None:
        return NONE
    error = "" if of["error"] is None else f" ± {of['error']:.{digits}f}"
    return f"{of['rate']:.{digits}f}{error}"


def count(of: Summary) -> str:
    """Part of whole."""
    return f"{of['part']:,.0f} of {of['whole']:,.0f}"


def _limit(value: float | None) -> str:
    return NONE if value is None else f"{value:.4f}"


def found_table(levels: dict[str, Summary], title: str) -> str:
    """How much of what was planted is found."""
    return table(
        title,
        (
            "", "seeds", "account recall ± SE", "in its own campaign ± SE", "linked ± SE",
            "campaigns found", "merged", "split",
        ),
        (
            (
                name, str(s["seeds"]), rate(s["recall"]), rate(s["recall_own"]), rate(s["linked"]),
                count(s["found"]), str(s["merged"]), str(s["split"]),
            )
            for name, s in levels.items()
            if s["recall"]["whole"]
        ),
    )  # fmt: skip


def wrong_table(levels: dict[str, Summary]) -> str:
    """Who is named wrongly: accounts and clusters, with both limits."""
    head = (
        "", "lawful of named accounts", "FDP ± SE", "95 % limit, exact", "by seeds",
        "wrong of named campaigns", "FDP ± SE", "95 % limit, exact", "by seeds",
    )  # fmt: skip

    def cells(of: Summary) -> tuple[str, ...]:
        return count(of), rate(of), _limit(of["exact_upper"]), _limit(of["bootstrap_upper"])

    rows = (
        (name, *cells(s["false_accounts"]), *cells(s["false_clusters"]))
        for name, s in levels.items()
    )
    return table("Named wrongly", head, rows)


def counting_table(levels: dict[str, Summary]) -> str:
    """How well the found campaigns' exchanges are counted."""
    rows = []
    for name, s in levels.items():
        of = s["counting"]
        if of["covered"]["whole"]:
            rows.append(
                (
                    name, f"{of['covered']['whole']:,.0f}", rate(of["absolute_error"], 4),
                    f"{of['worst']:+.1%}", count(of["covered"]), rate(of["covered"]),
                )
            )  # fmt: skip
    head = ("", "campaigns found", "mean absolute error ± SE", "worst", "interval covers", "± SE")
    return table("Exchange counts of found campaigns", head, rows)


def campaign_table(levels: dict[str, Summary]) -> str:
    """By planted campaign."""
    rows = (
        (level, name, rate(of["recall"]), count(of["found"]))
        for level, s in levels.items()
        for name, of in s["campaigns"].items()
    )
    return table(
        "Planted campaigns", ("level", "campaign", "account recall ± SE", "found in seeds"), rows
    )


def lawful_table(levels: dict[str, Summary]) -> str:
    """Lawful personas, all levels together and the levels where anybody is named."""
    personas = sorted({p for s in levels.values() for p in s["lawful"]})
    rows = []
    for persona in personas:
        of = {level: s["lawful"][persona] for level, s in levels.items() if persona in s["lawful"]}
        accounts = [sum(s["accounts"][k] for s in of.values()) for k in ("part", "whole")]
        entities = [sum(s["entities"][k] for s in of.values()) for k in ("part", "whole")]
        where = [
            f"{level} {s['accounts']['part']:.0f} ({rate(s['accounts'], 4)})"
            for level, s in of.items()
            if s["accounts"]["part"]
        ]
        rows.append(
            (
                persona, f"{accounts[0]:,.0f} of {accounts[1]:,.0f}",
                f"{entities[0]:,.0f} of {entities[1]:,.0f}",
                str(sum(s["declared_named"] for s in of.values())), ", ".join(where) or NONE,
            )
        )  # fmt: skip
    head = (
        "persona", "accounts named", "entities named", "declared organizations named",
        "where: accounts (rate ± SE)",
    )  # fmt: skip
    return table("Lawful personas, all levels", head, rows)


def reliability_table(of: dict[str, list[Summary]]) -> str:
    """Stated probabilities beside what came true."""
    rows = (
        (
            what, f"{b['low']:g} to {b['high']:g}", f"{b['count']:,}", f"{b['stated']:.3f}", rate(b),
            f"{b['lowest']:.3f} to {b['highest']:.3f}",
        )
        for what, bins in of.items()
        for b in bins
    )  # fmt: skip
    return table(
        "Reliability of probabilities, all levels with campaigns",
        ("of", "stated", "how many", "mean stated", "came true ± SE", "95 % interval"),
        rows,
    )


def clean_line(of: Summary) -> str:
    """Runs in which nothing is planted."""
    return (
        f"Clean traffic: {of['with_finding']} of {of['runs']} runs name anybody "
        f"(95 % interval {of['low']:.3f} to {of['high']:.3f}; nominal {of['nominal']:g}; "
        f"P(so many or more at nominal) {of['exceeds']:.3g}); {of['accounts_named']} accounts named.\n"
    )


def leak_table(levels: dict[str, dict[str, Summary]]) -> str:
    """What leaks before a daily hunt names a campaign."""
    rows = []
    for level, campaigns in levels.items():
        for name, s in campaigns.items():
            error = "" if s["leaked_error"] is None else f" ± {s['leaked_error']:,.0f}"
            days = NONE if s["days"] is None else f"{s['days']:.1f}"
            rows.append(
                (
                    level, name, str(s["seeds"]), str(s["never"]), days, f"{s['leaked']:,.0f}{error}",
                    f"{s['share']:.0%}",
                )
            )  # fmt: skip
    head = (
        "level", "campaign", "seeds", "never named", "days until named", "exchanges leaked ± SE",
        "of its exchanges",
    )  # fmt: skip
    return table("Leaked before the first daily hunt that finds the campaign", head, rows)


def peer_table(levels: dict[str, dict[str, Summary]]) -> str:
    """Stillhunt and its peers on the same traffic."""
    rows = []
    for level, peers in levels.items():
        for name, s in peers.items():
            if s.get("failed"):
                rows.append((level, name, f"did not run: {s['failed']}", *[NONE] * 7))
                continue
            error, wrong = s["counting"]["absolute_error"], s["false_accounts"]
            rows.append(
                (
                    level, name.split(",")[0], s["setting"], rate(s["recall"]), count(wrong),
                    _limit(wrong["rate"]), count(s["found"]), str(s["merged"]), str(s["split"]),
                    rate(error),
                )
            )  # fmt: skip
    head = (
        "level", "method", "setting", "account recall ± SE", "lawful of named accounts", "FDP",
        "campaigns found", "merged", "split", "count error",
    )  # fmt: skip
    return table("Peers", head, rows)


def cost_table(of: dict[str, Summary]) -> str:
    """Processor seconds."""
    rows = (
        (name, f"{s['runs']:,}", f"{s['mean']:.1f}", f"{s['total']:,.0f}") for name, s in of.items()
    )
    return table("Cost, processor seconds", ("task", "runs", "mean", "all"), rows)
