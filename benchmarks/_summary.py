"""Records of many cells, summed up by level: plain numbers that go into JSON and into tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from _cells import BESIDE, HUNT, LEAK, WITHOUT, Record
from _estimates import (
    EDGES,
    Ratio,
    bin_of,
    bootstrap_upper,
    clopper_pearson,
    exceeds,
    mean_and_error,
    pooled,
    reliability,
    upper_limit,
)

CLEAN = "clean"
NOMINAL = 0.01
"""Where nothing is planted every finding is false: the bound on the false discovery rate (the shipped
``--fdr``) then bounds the share of runs with any."""

Measures = dict[str, Any]
Summary = dict[str, Any]


def summarised(records: Sequence[Record]) -> Summary:
    """Everything that is printed, as plain numbers.

    Args:
        records: of ``_cells.run_cell``.
    """
    hunts = [r for r in records if r["task"] == HUNT]
    planted = [r for r in hunts if r["level"] != CLEAN]
    return {
        "levels": {
            level: level_summary(_by_seed(r for r in hunts if r["level"] == level))
            for level in _levels(hunts)
        },
        "pooled": level_summary(_by_seed(planted)) if planted else None,
        "clean": clean_summary([r for r in hunts if r["level"] == CLEAN]),
        "leaks": {
            level: leak_summary([r for r in records if r["task"] == LEAK and r["level"] == level])
            for level in _levels(r for r in records if r["task"] == LEAK)
        },
        "without": {
            f"{level} {task}": level_summary(
                _by_seed(r for r in records if r["task"] == task and r["level"] == level)
            )
            for task in WITHOUT
            for level in _levels(r for r in records if r["task"] == task)
        },
        "peers": {
            level: peer_summary([r for r in records if r["level"] == level])
            for level in _levels(r for r in records if r["task"] in BESIDE)
        },
        "cost": cost_summary(records),
    }


def _levels(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(r["level"] for r in sorted(records, key=lambda r: r["level"])))


def _by_seed(records: Iterable[Record]) -> list[list[Measures]]:
    """Measures of each seed; several where levels are pooled, for a seed is one cluster."""
    seeds: dict[int, list[Measures]] = {}
    for record in records:
        seeds.setdefault(record["seed"], []).append(record["result"])
    return [seeds[seed] for seed in sorted(seeds)]


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
        "bootstrap_upper": _number(bootstrap_upper(parts, wholes)),
    }


def _plain(ratio: Ratio) -> Summary:
    return {
        "part": ratio.part,
        "whole": ratio.whole,
        "rate": _number(ratio.value),
        "error": _number(ratio.error),
    }


def _number(value: float) -> float | None:
    """JSON has no nan."""
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


def clean_summary(records: Sequence[Record]) -> Summary | None:
    """Runs in which nothing is planted: how many name anybody at all."""
    if not records:
        return None
    runs = len(records)
    found = sum(bool(r["result"]["campaigns"]) for r in records)
    low, high = clopper_pearson(found, runs)
    return {
        "runs": runs,
        "with_finding": found,
        "low": low,
        "high": high,
        "nominal": NOMINAL,
        "exceeds": exceeds(found, runs, NOMINAL),
        "accounts_named": sum(r["result"]["lawful_named"] for r in records),
    }


def leak_summary(records: Sequence[Record]) -> dict[str, Summary]:
    """By planted campaign: what leaks before the first daily hunt that finds it."""
    names = sorted({c["name"] for r in records for c in r["result"]["campaigns"]})
    found = {}
    for name in names:
        mine = [c for r in records for c in r["result"]["campaigns"] if c["name"] == name]
        share, error = mean_and_error([c["leaked"] / c["exchanges"] for c in mine])
        leaked, leaked_error = mean_and_error([c["leaked"] for c in mine])
        days = [c["days"] for c in mine if c["days"] is not None]
        found[name] = {
            "seeds": len(mine),
            "never": sum(c["days"] is None for c in mine),
            "leaked": leaked,
            "leaked_error": _number(leaked_error),
            "share": share,
            "share_error": _number(error),
            "days": _number(mean_and_error(days)[0]),
        }
    return found


def peer_summary(records: Sequence[Record]) -> dict[str, Summary]:
    """One level: every peer by its documented default and its best setting, and Stillhunt beside.

    The best is the one with the highest F1 over accounts on these very seeds (of equals, the one that
    names fewest lawful accounts): nobody could have chosen it so well beforehand.
    """
    seeds = {r["seed"] for r in records if r["task"] in BESIDE}
    ours = [r for r in records if r["task"] == HUNT and r["seed"] in seeds]
    found = {"stillhunt": level_summary(_by_seed(ours)) | {"setting": "as shipped"}}
    for task in BESIDE:
        runs = [r for r in records if r["task"] == task]
        if not runs:
            continue
        name = task.removeprefix("peer ")
        failed = sorted({r["result"]["failed"] for r in runs if r["result"]["failed"]})
        if failed:
            found[name] = {"setting": None, "failed": "; ".join(failed)}
            continue
        settings = {
            s["name"]: level_summary(
                [
                    [t["measures"] for t in r["result"]["settings"] if t["name"] == s["name"]]
                    for r in runs
                ]
            )
            | {"setting": s["name"], "documented": s["documented"]}
            for s in runs[0]["result"]["settings"]
        }
        for setting, summary in settings.items():
            if summary["documented"]:
                found[f"{name}, default {setting}"] = summary
        best = max(settings.values(), key=lambda s: (f1(s), -s["false_accounts"]["part"]))
        if not best["documented"]:
            found[f"{name}, best of {len(settings)}"] = best
    return found


def f1(summary: Summary) -> float:
    """Harmonic mean of account recall and precision; 0 where nobody is named rightly."""
    recall = summary["recall"]
    wrong = summary["false_accounts"]["part"]
    whole = recall["whole"] + recall["part"] + wrong
    return 2 * recall["part"] / whole if whole else 0.0


def cost_summary(records: Sequence[Record]) -> dict[str, Summary]:
    """Seconds of one core by task, and of simulating."""
    found = {}
    tasks = sorted({r["task"] for r in records})
    for name, seconds in [
        *((task, [r["seconds"] for r in records if r["task"] == task]) for task in tasks),
        ("simulating", [r["seconds_simulating"] for r in records if r["task"] == HUNT]),
    ]:
        mean, _ = mean_and_error(seconds)
        found[name] = {"runs": len(seconds), "mean": mean, "total": sum(seconds)}
    return found
