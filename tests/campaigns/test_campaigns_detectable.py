"""What a run says that it could have found, against what it found of what was injected."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stillhunt.campaigns import detectable
from stillhunt.campaigns.detectable import REPEATS, SIZES, smallest_detectable
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.indicators import Totals, count_indicators
from stillhunt.linking.links import find_links, mark_telling
from stillhunt.linking.null_model import NullModel

_FAMILIES = {
    "address": 600,
    "network": 200,
    "client": 40,
    "payment": 900,
    "email_domain": 60,
    "template": 80,
}
"""Values of each."""


def log_of(
    folder: Path, families: Iterable[str], entities: int = 400, seed: int = 1
) -> tuple[Engine, Totals]:
    """Strangers who pick values, popular as 1 / rank, of some families."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, str, int]] = []
    for family in families:
        popularity = 1.0 / np.arange(5, 5 + _FAMILIES[family])
        for entity in range(entities):
            few = int(rng.integers(1, 5))
            values = rng.choice(len(popularity), few, p=popularity / popularity.sum())
            rows += [(entity, family, int(v)) for v in np.unique(values)]
    engine = DuckDBEngine(folder, threads=1)
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    engine.load(
        "incidence",
        pa.table(
            {
                "entity": pa.array(columns[0], pa.int64()),
                "family": pa.array(columns[1], pa.string()),
                "value": pa.array(columns[2], pa.int64()),
            }
        ),
    )
    return engine, count_indicators(engine)


def result_of(folder: Path, families: Iterable[str], **settings: int) -> dict[str, Any]:
    engine, totals = log_of(folder, families, **settings)
    with engine:
        links = find_links(engine, NullModel(totals), mark_telling(engine, totals), 0.01)
        return dict(smallest_detectable(engine, totals, links, 0.01))


def agrees(result: dict[str, Any]) -> None:
    """Assert that sentence, sizes and counts say the same."""
    found = {int(size): n for size, n in result["found_by_size"].items()}
    assert list(found) == list(SIZES)
    assert result["found_of"] == REPEATS
    assert all(0 <= n <= REPEATS for n in found.values())
    whole = [size for size, n in found.items() if n == REPEATS]
    assert result["accounts"] == (min(whole) if whole else None)
    assert result["missed_sizes"] == [size for size, n in found.items() if n < REPEATS]
    injected = result["assumed"].split("families: ")[1].split(", ")
    shared = {"address": "addresses", "payment": "payers", "template": "a template"}
    for family, name in shared.items():
        assert (name in result["sentence"]) == (family in injected)
    told = [int(n) for n in re.findall(r"\d+", result["sentence"])]
    if not whole:
        assert "were not found whole" in result["sentence"]
        assert told == [min(SIZES), max(SIZES)]
    elif result["missed_sizes"]:
        assert told == [min(whole), *result["missed_sizes"]]
        assert "not every one" in result["sentence"]
    else:
        assert told == [min(SIZES), max(SIZES)]
        assert "not" not in result["sentence"]


def test_in_a_full_log_campaigns_are_linked(tmp_path: Path) -> None:
    result = result_of(tmp_path, _FAMILIES)
    agrees(result)
    assert result["accounts"] is not None
    assert result["accounts"] <= 8


@pytest.mark.parametrize(
    "families",
    [("template",), ("client",), ("template", "client"), ("email_domain",), ()],
    ids=lambda f: "+".join(f) or "nothing",
)
def test_without_addresses_and_payers_nothing_is_linked(
    tmp_path: Path, families: tuple[str, ...]
) -> None:
    """Content alone never links; and what is not covered is not injected."""
    result = result_of(tmp_path, families)
    agrees(result)
    assert result["accounts"] is None
    assert result["missed_sizes"] == list(SIZES)
    injected = sorted(set(families) - {"email_domain"})
    assert result["assumed"].endswith(f"injected families: {', '.join(injected)}")


def test_fewer_signals_find_no_more(tmp_path: Path) -> None:
    full = result_of(tmp_path / "full", _FAMILIES)
    poor = result_of(tmp_path / "poor", ("address", "template"))
    agrees(poor)
    assert "payment" not in poor["assumed"].split("families:")[1]
    count = [sum(r["found_by_size"].values()) for r in (full, poor)]
    assert count[1] <= count[0]


def watched(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The campaigns that are in the log at the moment, as a list that keeps up."""
    planted: list[np.ndarray] = []
    inject = detectable._inject

    def spy(
        totals: Totals, size: int, rng: np.random.Generator
    ) -> tuple[pa.Table, list[np.ndarray]]:
        rows, campaigns = inject(totals, size, rng)
        planted[:] = campaigns
        return rows, campaigns

    monkeypatch.setattr(detectable, "_inject", spy)
    return planted


@pytest.mark.parametrize("lost", [{2}, {3, 16}, {8, 16, 32}, set(SIZES)])
def test_sizes_that_were_missed_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: set[int]
) -> None:
    """Their members are found, but nobody is sure enough of them."""
    planted = watched(monkeypatch)

    class Test:
        def __init__(self, sure: bool) -> None:
            self.p_value = 1e-9 if sure else 1.0

    def tests(*args: object) -> list[Test]:
        return [Test(len(c) not in lost) for c in planted]

    monkeypatch.setattr(detectable, "find_clusters", lambda _: list(planted))
    monkeypatch.setattr(detectable, "held_out_tests", tests)
    result = result_of(tmp_path, _FAMILIES, entities=60)
    agrees(result)
    assert result["missed_sizes"] == sorted(lost)
    assert result["accounts"] == min(set(SIZES) - lost, default=None)


@pytest.mark.parametrize(("kept", "found"), [(0.75, False), (0.85, True)])
def test_a_campaign_counts_from_four_fifths_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: float, found: bool
) -> None:
    """Of the largest size, a part is a cluster; and a cluster of which it is a part likewise."""
    planted = watched(monkeypatch)

    def clusters(_: object) -> list[np.ndarray]:
        part, other = planted
        strangers = np.arange(round(len(other) / kept) - len(other))
        return [part[: round(kept * len(part))], np.concatenate([other, strangers])]

    class Sure:
        p_value = 1e-9

    monkeypatch.setattr(detectable, "find_clusters", clusters)
    monkeypatch.setattr(detectable, "held_out_tests", lambda *_: [Sure(), Sure()])
    result = result_of(tmp_path, _FAMILIES, entities=60)
    agrees(result)
    assert result["found_by_size"][str(max(SIZES))] == (REPEATS if found else 0)


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    one, other = (result_of(tmp_path / n, _FAMILIES, entities=150) for n in ("one", "other"))
    assert one == other
