"""What the hunts of one level (or of several, pooled) come to over all seeds, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from _estimates import (
    EDGES,
    Ratio,
    bin_of,
    bootstrap_upper,
    clopper_pearson,
    pooled,
    reliability,
    upper_limit,
)

Measures = dict[str, Any]
Summary = dict[str, Any]


def level_summary(seeds: Sequence[Sequence[Measures]]) -> Summary:
    """One level (or several, pooled).

    Args:
        seeds: for each seed its runs' measures.
    """

    def rate(part: Callable[[Measures], float], whole: Callable[[Measures], float]) -> Summary:
        return _rate(
            [sum(part(m) for m in of) for of in seeds], [sum(whole(m) for m in of) for of in seeds]
        )

    def named(m: Measures) -> float:
        return m["planted_named"] + m["lawful_named"]

    return {
        "seeds": len(seeds),
        "recall": rate(lambda m: m["planted_named"], lambda m: m["accounts"]),
        "recall_own": rate(lambda m: m["right"], lambda m: m["accounts"]),
        "linked": rate(lambda m: m["linked"], lambda m: m["accounts"]),
        "found": rate(lambda m: sum(p["found"] for p in m["planted"]), lambda m: len(m["planted"])),
        "merged": sum(m["merged"] for of in seeds for m in of),
        "split": sum(m["split"] for of in seeds for m in of),
        "false_accounts": rate(lambda m: m["lawful_named"], named),
        "false_clusters": rate(
            lambda m: sum(not c["right"] for c in m["clusters"]), lambda m: len(m["clusters"])
        ),
        "counting": _counting(seeds),
        "campaigns": _campaigns(seeds),
        "lawful": _lawful(seeds),
        "reliability": {
            "campaigns": _bins([[_cluster_bins(m) for m in of] for of in seeds]),
            "memberships": _bins([[m["members"] for m in of] for of in seeds]),
        },
        "refused": sum(m.get("refusal") is not None for of in seeds for m in of),
        "apart": sum(m["apart"] for of in seeds for m in of),
    }


def _rate(parts: Sequence[float], wholes: Sequence[float]) -> Summary:
    ratio = pooled(parts, wholes)
    part, whole = round(ratio.part), round(ratio.whole)
    return _plain(ratio) | {
        "exact_upper": upper_limit(part, whole),
        "bootstrap_upper": number(bootstrap_upper(parts, wholes)),
    }


def _plain(ratio: Ratio) -> Summary:
    return {
        "part": ratio.part,
        "whole": ratio.whole,
        "rate": number(ratio.value),
        "error": number(ratio.error),
    }


def number(value: float) -> float | None:
    """A number, or None for nan, which JSON does not have."""
    return None if math.isnan(value) else value


def _counting(seeds: Sequence[Sequence[Measures]]) -> Summary:
    """Exchange counts of the campaigns that are found; missed ones are told by the recall."""
    errors = [
        [p["attributed"] / p["exchanges"] - 1 for m in of for p in m["planted"] if p["found"]]
        for of in seeds
    ]
    covered = [[p["covered"] for m in of for p in m["planted"] if p["found"]] for of in seeds]
    every = [e for of in errors for e in of]
    return {
        "absolute_error": _plain(
            pooled([sum(map(abs, e)) for e in errors], [len(e) for e in errors])
        ),
        "worst": max(every, key=abs, default=None),
        "covered": _plain(pooled([sum(c) for c in covered], [len(c) for c in covered])),
    }


def _campaigns(seeds: Sequence[Sequence[Measures]]) -> dict[str, Summary]:
    """By the planted campaign's name, which is the same in all seeds of a level."""
    names = sorted({p["name"] for of in seeds for m in of for p in m["planted"]})
    found = {}
    for name in names:
        mine = [[p for m in of for p in m["planted"] if p["name"] == name] for of in seeds]
        found[name] = {
            "recall": _plain(
                pooled(
                    [sum(p["named"] for p in of) for of in mine],
                    [sum(p["accounts"] for p in of) for of in mine],
                )
            ),
            "found": _plain(
                pooled([sum(p["found"] for p in of) for of in mine], [len(of) for of in mine])
            ),
        }
    return found


def _lawful(seeds: Sequence[Sequence[Measures]]) -> dict[str, Summary]:
    personas = sorted({name for of in seeds for m in of for name in m["lawful"]})

    def total(of: Sequence[Measures], persona: str, what: str) -> int:
        return sum(m["lawful"].get(persona, {}).get(what, 0) for m in of)

    return {
        persona: {
            "accounts": _rate(
                [total(of, persona, "named") for of in seeds],
                [total(of, persona, "accounts") for of in seeds],
            ),
            "entities": _rate(
                [total(of, persona, "entities_named") for of in seeds],
                [total(of, persona, "entities") for of in seeds],
            ),
            "declared_named": sum(total(of, persona, "declared_named") for of in seeds),
        }
        for persona in personas
    }


def _cluster_bins(measures: Measures) -> list[list[float]]:
    """Found campaigns as ``measures['members']`` has memberships."""
    bins: list[list[float]] = [[0, 0.0, 0] for _ in EDGES[1:]]
    for cluster in measures["clusters"]:
        cell = bins[bin_of(cluster["probability"])]
        cell[0] += 1
        cell[1] += cluster["probability"]
        cell[2] += cluster["right"]
    return bins


def _bins(seeds: Sequence[Sequence[Any]]) -> list[Summary]:
    cells = [
        [
            (int(sum(r[i][0] for r in of)), sum(r[i][1] for r in of), int(sum(r[i][2] for r in of)))
            for i in range(len(EDGES) - 1)
        ]
        for of in seeds
    ]
    found = []
    for b in reliability(cells):
        part, whole = round(b.true.part), round(b.true.whole)
        lowest, highest = clopper_pearson(part, whole)
        if 0 < part < whole and not math.isnan(b.true.error):
            # The wider of the exact interval and two standard errors between seeds.
            lowest = max(0.0, min(lowest, b.true.value - 2 * b.true.error))
            highest = min(1.0, max(highest, b.true.value + 2 * b.true.error))
        found.append(
            {
                "low": b.low, "high": b.high, "count": b.count, "stated": b.stated,
                "lowest": lowest, "highest": highest, **_plain(b.true),
            }
        )  # fmt: skip
    return found
