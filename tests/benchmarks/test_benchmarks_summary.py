"""Summaries and their tables, on measures made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from _cells import HUNT, LEAK
from _estimates import EDGES
from _levels import level_summary
from _simulated import tables
from _summary import f1, summarised


def _measures(
    *, right: int, lawful: int, attributed: int = 100, found: bool = True
) -> dict[str, Any]:
    """One planted campaign of 10 accounts and 100 exchanges; ``lawful`` of 20 campus accounts named."""
    named = right + lawful
    planted = {
        "name": "reasoning", "matched": "c-1" if found else None, "accounts": 10, "named": right,
        "right": right, "exchanges": 100, "attributed": attributed, "attributed_right": attributed,
        "low": 90, "high": 110, "found": found, "covered": found,
    }  # fmt: skip
    return {
        "campaigns": int(named > 0), "merged": 0, "split": 0, "unmatched": 0, "accounts": 10,
        "right": right, "planted_named": right, "lawful_named": lawful, "pairs_named": named,
        "apart": 0, "linked": right, "linked_with": named, "planted": [planted],
        "lawful": {
            "campus": {
                "accounts": 20, "named": lawful, "entities": 5, "entities_named": min(lawful, 5),
                "declared_named": int(lawful > 0),
            }
        },
        "clusters": [
            {"campaign": "c-1", "probability": 0.9, "accounts": named, "right": 2 * right > named}
        ] if named else [],
        "members": [[0, 0.0, 0]] * (len(EDGES) - 2) + [[named, 0.995 * named, right]],
        "refusal": None,
    }  # fmt: skip


def _record(level: str, seed: int, measures: dict[str, Any], task: str = HUNT) -> dict[str, Any]:
    return {
        "level": level, "seed": seed, "exchanges": 1000, "task": task, "seconds": 2.0,
        "seconds_simulating": 1.0, "result": measures,
    }  # fmt: skip


def test_a_level_by_hand() -> None:
    runs = [_measures(right=10, lawful=0), _measures(right=6, lawful=4, attributed=80)]
    summary = level_summary([[run] for run in runs])
    assert summary["recall"]["rate"] == pytest.approx(16 / 20)
    # Residuals of 10 - 8 and 6 - 8: sqrt(2 * 8) / 20.
    assert summary["recall"]["error"] == pytest.approx(4 / 20)
    assert summary["false_accounts"]["rate"] == pytest.approx(4 / 20)
    assert summary["false_clusters"]["part"] == 0
    assert summary["counting"]["absolute_error"]["rate"] == pytest.approx(0.1)
    assert summary["counting"]["worst"] == pytest.approx(-0.2)
    assert summary["counting"]["covered"]["rate"] == 1.0
    campus = summary["lawful"]["campus"]
    assert (campus["accounts"]["part"], campus["accounts"]["whole"]) == (4, 40)
    assert (campus["entities"]["part"], campus["declared_named"]) == (4, 1)
    assert f1(summary) == pytest.approx(2 * 16 / (2 * 16 + 4 + 4))


def test_a_missed_campaign_counts_in_recall_and_not_in_counting() -> None:
    missed = _measures(right=0, lawful=0, attributed=0, found=False)
    summary = level_summary([[missed], [_measures(right=10, lawful=0)]])
    assert summary["found"]["rate"] == 0.5
    assert summary["counting"]["covered"]["whole"] == 1
    assert level_summary([[missed]])["counting"]["worst"] is None


def test_levels_of_one_seed_are_one_cluster_when_pooled() -> None:
    bad, good = _measures(right=5, lawful=5), _measures(right=10, lawful=0)
    by_seed = summarised(
        [
            _record(level, seed, bad if seed == 1 else good)
            for level in ("e0", "e1")
            for seed in (1, 2)
        ]
    )["pooled"]
    assert by_seed["seeds"] == 2
    assert by_seed["false_accounts"]["error"] == pytest.approx(
        level_summary([[bad], [good]])["false_accounts"]["error"]
    )


def test_clean_runs_are_set_beside_the_nominal_rate() -> None:
    clean = [
        _record("clean", seed, {**_measures(right=0, lawful=3 * (seed == 1)), "planted": []})
        for seed in range(1, 41)
    ]
    summary = summarised(clean)
    assert summary["pooled"] is None
    assert (summary["clean"]["runs"], summary["clean"]["with_finding"]) == (40, 1)
    assert summary["clean"]["low"] < 0.01 < summary["clean"]["high"]
    assert summary["clean"]["exceeds"] == pytest.approx(1 - 0.99**40)
    assert "1 of 40 runs name anybody" in "\n".join(tables(summary))


def test_the_tables_say_what_the_summary_says() -> None:
    records = [
        _record("e0", 1, _measures(right=10, lawful=0)),
        _record("e0", 2, _measures(right=6, lawful=4)),
    ]
    leaks = [
        {"name": "reasoning", "exchanges": 100, "leaked": 30, "days": 3.0},
        {"name": "grading", "exchanges": 50, "leaked": 50, "days": None},
    ]
    records.append(_record("e0", 1, {"campaigns": leaks}, LEAK))
    printed = "\n".join(tables(summarised(records)))
    assert "| e0 | 2 | 0.800 ± 0.200 |" in printed
    assert "| e0 | 4 of 20 | 0.200 ± 0.200 |" in printed
    assert "| e0 | reasoning | 1 | 0 | 3.0 | 30 | 30% |" in printed
    assert "| e0 | grading | 1 | 1 | - | 50 | 100% |" in printed
    assert "| campus | 4 of 80 |" not in printed
    assert "| campus | 4 of 40 | 4 of 10 | 1 | e0 4 (0.1000 ± 0.1000) |" in printed
