from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.fingerprints.intent import harvest_log_odds
from stillhunt.scoring.features import MIN_USE, MIN_VOLUME, Units, measure_units
from sums import observe, sum_up

Row = dict[str, Any]


def rows_of(rng: np.random.Generator) -> list[Row]:
    """Exchanges of entities 1 to 12; templates in negative numbers, one or two an exchange."""
    rows = []
    for entity in range(1, 13):
        for _ in range(int(rng.integers(5, 90))):
            text = rng.random() < 0.95
            rows.append(
                {
                    "key": len(rows),
                    "entity": entity,
                    "item": int(rng.integers(0, 25)) if text else None,
                    "cues": int(rng.choice([0, 1, 2, 5])) if text else None,
                    "output_tokens": int(rng.integers(0, 900)) if rng.random() < 0.9 else None,
                    "response_bytes": int(rng.integers(0, 4000)),
                    "templates": tuple({int(t) for t in rng.integers(-6, 0, 2)})
                    if text and rng.random() < 0.8
                    else (),
                }
            )
    return rows


def measured(
    folder: Path, rows: list[Row], clusters: list[list[int]], own: set[int], licensed: list[int]
) -> Units:
    def column(name: str, kind: pa.DataType | None = None) -> pa.Array:
        return pa.array([r[name] for r in rows], kind or pa.int64())

    with DuckDBEngine(folder) as engine:
        observe(
            engine,
            pa.table(
                {
                    "key": column("key"),
                    "account": column("entity"),
                    "item": column("item"),
                    "cues": column("cues"),
                    "output_tokens": column("output_tokens", pa.int32()),
                    "response_bytes": column("response_bytes", pa.int32()),
                }
            ),
        )
        engine.create(
            "account_entity", "SELECT DISTINCT account, account AS entity FROM observations"
        )
        uses = [(r["key"], r["entity"], r["item"], t) for r in rows for t in r["templates"]]
        names = ("key", "entity", "item", "template")
        engine.load(
            "exchange_template",
            pa.table({n: pa.array([u[i] for u in uses], pa.int64()) for i, n in enumerate(names)}),
        )
        pairs = [(e, c) for c, members in enumerate(clusters) for e in members]
        engine.load(
            "cluster_of",
            pa.table(
                {
                    "entity": pa.array([e for e, _ in pairs], pa.int64()),
                    "cluster": pa.array([c for _, c in pairs], pa.int64()),
                }
            ),
        )
        home = dict(pairs)
        engine.load(
            "own_exchange",
            pa.table(
                {
                    "key": pa.array(sorted(own), pa.int64()),
                    "cluster": pa.array([home[rows[k]["entity"]] for k in sorted(own)], pa.int64()),
                    "entity": pa.array([rows[k]["entity"] for k in sorted(own)], pa.int64()),
                }
            ),
        )
        engine.load("set_aside", pa.table({"entity": pa.array(licensed, pa.int64())}))
        engine.load("suspect", pa.table({"entity": pa.array([], pa.int64())}))
        engine.load(
            "accounts",
            pa.table(
                {
                    "account": pa.array(range(1, 13), pa.int64()),
                    # Two payers, each of two accounts of the first cluster; the rest alone.
                    "payment": pa.array([7, 7, 8, 8, *range(100, 108)], pa.int64()),
                }
            ),
        )
        sum_up(engine)
        return measure_units(engine, len(clusters))


def brute(unit_rows: list[Row], whole: list[Row]) -> tuple[int, float, float, float]:
    """(exchanges, sweep, length, intent) of a unit, in so many words."""
    used = Counter(t for r in whole for t in r["templates"])
    first: dict[int, int] = {}
    for row in sorted(unit_rows, key=lambda r: r["key"]):
        if row["item"] is not None:
            first.setdefault(row["item"], row["key"])
    fresh = [
        r
        for r in unit_rows
        if r["item"] is not None
        and first[r["item"]] == r["key"]
        and any(used[t] >= MIN_USE for t in r["templates"])
    ]
    held = sum(any(used[t] >= MIN_USE for t in r["templates"]) for r in unit_rows)
    taken = [
        math.log1p(
            r["output_tokens"] if r["output_tokens"] is not None else r["response_bytes"] / 4
        )
        for r in fresh
    ]
    cues = [r["cues"] for r in unit_rows if r["cues"] is not None]
    return (
        len(unit_rows),
        len(fresh) / held if held else 0.0,
        math.expm1(np.mean(taken)) if taken else 0.0,
        float(np.mean(harvest_log_odds(np.array(cues, dtype=np.int64)))),
    )


@pytest.mark.parametrize("seed", range(5))
def test_features_are_what_they_say(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rows_of(rng)
    clusters = [[1, 2, 3, 4], [5, 6]]
    # The first cluster has exchanges of its own, the second does nothing together.
    own = {r["key"] for r in rows if r["entity"] in clusters[0] and -1 in r["templates"]}
    units = measured(tmp_path, rows, clusters, own, licensed=[12])
    by_entity = {e: [r for r in rows if r["entity"] == e] for e in range(1, 13)}
    expected = []
    for i, members in enumerate(clusters):
        whole = [r for e in members for r in by_entity[e]]
        counted = [r for r in whole if r["key"] in own] if i == 0 else whole
        expected.append(brute(counted, whole))
    controls = [by_entity[e] for e in range(7, 12) if len(by_entity[e]) >= MIN_VOLUME]
    expected += [brute(sent, sent) for sent in controls]
    assert units.clusters == 2
    assert len(units.exchanges) == len(expected)
    for i, (exchanges, sweep, length, intent) in enumerate(expected):
        assert units.exchanges[i] == exchanges
        assert units.sweep[i] == pytest.approx(sweep)
        assert units.length[i] == pytest.approx(length, rel=1e-6)
        assert units.intent[i] == pytest.approx(intent, abs=1e-8)
    assert units.payers[0] == 2
    assert units.payers[1] == 2
    assert np.all(units.stands_for == 1)
    assert units.paying[:2].tolist() == [4, 2]
    assert np.all(np.isnan(units.payers[2:]))  # one account each has one payer
    np.testing.assert_array_equal(units.fresh_output, units.sweep * units.length)


def test_without_text_content_is_not_covered(tmp_path: Path) -> None:
    rows = [
        r | {"item": None, "cues": None, "templates": ()} for r in rows_of(np.random.default_rng(9))
    ]
    units = measured(tmp_path, rows, [[1, 2]], set(), licensed=[])
    for values in (units.sweep, units.intent, units.fresh_output):
        assert np.all(np.isnan(values))
    assert np.all(units.exchanges > 0)
