from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.templates import MIN_ITEMS, build_templates

Row = tuple[int, int, int, list[int]]
"""key, account, item, grams"""


def templates_of(
    folder: Path, rows: Sequence[Row], files: int = 1, threads: int = 1
) -> tuple[dict[int, set[int]], set[tuple[int, int, int, int]]]:
    """(template -> its grams, rows of exchange_template)."""
    table = pa.table(
        {
            "key": pa.array([r[0] for r in rows], pa.int64()),
            "account": pa.array([r[1] for r in rows], pa.int64()),
            "item": pa.array([r[2] for r in rows], pa.int64()),
            "words": pa.array([9] * len(rows), pa.int32()),
            "grams": pa.array([r[3] for r in rows], pa.list_(pa.int32())),
        }
    )
    paths = []
    for i in range(files):
        paths.append(folder / f"part{files}-{i}.parquet")
        pq.write_table(table.take(pa.array(range(i, len(rows), files), pa.int64())), paths[-1])
    with DuckDBEngine(folder, threads=threads) as engine:
        engine.attach("observations", paths)
        engine.create(
            "account_entity", "SELECT DISTINCT account, account AS entity FROM observations"
        )
        count = build_templates(engine)
        grams = engine.query("SELECT gram, template FROM gram_template").to_pylist()
        uses = engine.query("SELECT key, entity, item, template FROM exchange_template").to_pylist()
    found: dict[int, set[int]] = {}
    for row in grams:
        found.setdefault(row["template"], set()).add(row["gram"])
    assert count == len(found)
    return found, {tuple(u.values()) for u in uses}


def exchanges(
    rng: np.random.Generator, n: int, skeleton: list[int], kept: float = 1.0
) -> list[Row]:
    """Uses of a skeleton, each with an item of its own and grams of its own."""
    rows = []
    for _ in range(n):
        item = int(rng.integers(-(2**62), 2**62))
        own = rng.integers(-(2**31), 2**31 - 1, 6).tolist()
        held = [g for g in skeleton if rng.random() < kept]
        rows.append(
            (int(rng.integers(-(2**63), 2**63 - 1)), int(rng.integers(1, 9)), item, held + own)
        )
    return rows


SKELETONS = {"a": list(range(1000, 1010)), "b": list(range(-2010, -2000)), "c": [5, 6, 7]}


@pytest.fixture
def planted() -> list[Row]:
    rng = np.random.default_rng(3)
    return [
        row
        for n, s in zip((80, 40, 20), SKELETONS.values(), strict=True)
        for row in exchanges(rng, n, s)
    ]


def test_grams_of_a_skeleton_end_in_one_template_and_others_apart(
    tmp_path: Path, planted: list[Row]
) -> None:
    found, uses = templates_of(tmp_path, planted)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, SKELETONS.values()))
    # Every exchange is of the template whose skeleton it holds, with its own item.
    of = {g: t for t, grams in found.items() for g in grams}
    assert uses == {(key, account, item, of[grams[0]]) for key, account, item, grams in planted}


def test_a_sampled_skeleton_stays_one_template(tmp_path: Path) -> None:
    """Each exchange holds most runs of the skeleton, not all: the ends vary with what fills slots."""
    rng = np.random.default_rng(4)
    skeletons = [list(range(100 * s, 100 * s + 12)) for s in range(1, 21)]
    rows = [row for s in skeletons for row in exchanges(rng, 60, s, kept=0.95)]
    found, _ = templates_of(tmp_path, rows)
    for skeleton in skeletons:
        holders = [grams & set(skeleton) for grams in found.values() if grams & set(skeleton)]
        assert max(map(len, holders)) >= 11
        assert all(grams <= set(skeleton) for grams in found.values() if grams & set(skeleton))


def test_a_text_sent_again_and_again_is_no_template(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [(int(rng.integers(0, 2**62)), a % 50, 77, [1, 2, 3]) for a in range(1000)]
    rows += [
        (int(rng.integers(0, 2**62)), 1, i, [9, 10]) for i in range(MIN_ITEMS - 1) for _ in "ab"
    ]
    assert templates_of(tmp_path, rows) == ({}, set())


def test_from_min_items_on_it_is_one(tmp_path: Path) -> None:
    rows: list[Row] = [(i, 1, i, [9, 10]) for i in range(MIN_ITEMS)]
    found, uses = templates_of(tmp_path, rows)
    assert list(found.values()) == [{9, 10}]
    assert len(uses) == MIN_ITEMS


@pytest.mark.parametrize("files", [1, 3, 7])
def test_order_and_partitioning_change_nothing(
    tmp_path: Path, planted: list[Row], files: int
) -> None:
    expected = templates_of(tmp_path, planted)
    order = np.random.default_rng(files).permutation(len(planted))
    shuffled = [planted[i] for i in order]
    assert templates_of(tmp_path, shuffled, files=files, threads=2) == expected


def test_exchanges_without_text_are_passed_over(tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path) as engine:
        engine.load(
            "observations",
            pa.table(
                {
                    "key": pa.array(range(20), pa.int64()),
                    "account": pa.array([1] * 20, pa.int64()),
                    "item": pa.nulls(20, pa.int64()),
                    "words": pa.nulls(20, pa.int32()),
                    "grams": pa.array([[]] * 20, pa.list_(pa.int32())),
                }
            ),
        )
        engine.load("account_entity", pa.table({"account": [1], "entity": [1]}))
        assert build_templates(engine) == 0
        assert engine.scalar("SELECT COUNT(*) AS n FROM exchange_template") == 0
