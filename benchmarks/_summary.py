"""Records of many cells, summed up by level: plain numbers that go into JSON and into tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from _cells import BESIDE, HUNT, LEAK, WITHOUT, Record
from _estimates import clopper_pearson, exceeds, mean_and_error
from _levels import Measures, Summary, level_summary, number

CLEAN = "clean"
NOMINAL = 0.01
"""Where nothing is planted every finding is false: the bound on the false discovery rate (the shipped
``--fdr``) then bounds the share of runs with any."""


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
            "leaked_error": number(leaked_error),
            "share": share,
            "share_error": number(error),
            "days": number(mean_and_error(days)[0]),
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
    """Processor seconds by task, and of simulating."""
    found = {}
    tasks = sorted({r["task"] for r in records})
    for name, seconds in [
        *((task, [r["seconds"] for r in records if r["task"] == task]) for task in tasks),
        ("simulating", [r["seconds_simulating"] for r in records if r["task"] == HUNT]),
    ]:
        mean, _ = mean_and_error(seconds)
        found[name] = {"runs": len(seconds), "mean": mean, "total": sum(seconds)}
    return found
