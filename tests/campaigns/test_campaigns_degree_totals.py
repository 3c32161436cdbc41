from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from stillhunt.campaigns.degree_totals import degree_totals, header_of, totals_of
from stillhunt.campaigns.ingest import ingest
from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.evidence.batch_proof import batch_proof, batch_root
from stillhunt.evidence.merkle import as_hashes, leaf_hash
from stillhunt.evidence.totals.rows import (
    FAMILIES,
    header_row,
    parse_template_row,
    value_commitments,
    value_rows,
)
from stillhunt.evidence.totals.table import TotalsTable
from stillhunt.linking.entities import build_entities
from stillhunt.linking.families import FAMILIES as LINKED
from stillhunt.linking.indicators import Totals, build_indicators
from stillhunt.linking.templates import build_templates
from stillhunt.readers import Quarantine
from stillhunt.records.observation import OBSERVATION_SCHEMA, canonical_bytes
from stillhunt.sealing.rows import account_rows

Made = tuple[TotalsTable, Totals, dict[tuple[str, int], int], dict[int, list[int]]]


@pytest.fixture(scope="module")
def made(small_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The totals of leaves, and what a hunt in the same traffic counts by itself."""
    work = tmp_path_factory.mktemp("totals")
    accounts = small_traffic / "accounts.parquet"
    request = HuntRequest(
        logs=(small_traffic / "exchanges.parquet",), out=work / "out", accounts=accounts
    )
    with DuckDBEngine(work) as engine, Quarantine(work / "q.jsonl") as quarantine:
        ingest(request, engine, work, quarantine, Progress())
        columns = ", ".join(OBSERVATION_SCHEMA.names)
        rows = engine.query(f"SELECT {columns} FROM observations").cast(OBSERVATION_SCHEMA)  # noqa: S608
        leaves = [canonical_bytes(batch) for batch in rows.to_batches(max_chunksize=3000)]
        build_entities(engine)
        build_templates(engine)
        totals = build_indicators(engine)
        popular = engine.query("SELECT family, value, entities FROM popularity WHERE entities >= 2")
        popularity = {(r["family"], r["value"]): r["entities"] for r in popular.to_pylist()}
        grams: dict[int, list[int]] = {}
        held = engine.query("SELECT template, gram FROM gram_template ORDER BY template, gram")
        for row in held.to_pylist():
            grams.setdefault(row["template"], []).append(row["gram"])
    shuffled = [leaves[i] for i in np.random.default_rng(3).permutation(len(leaves))]
    table = degree_totals(shuffled, account_rows(pq.read_table(accounts)), work, threads=1)
    return table, totals, popularity, grams


def test_they_are_what_a_hunt_counts(made: Made) -> None:
    table, totals, popularity, grams = made
    names = [FAMILIES[number] for number in table.family.tolist()]
    counted = zip(names, table.value.tolist(), table.entities.tolist(), strict=True)
    assert {(family, value): n for family, value, n in counted} == popularity
    assert table.header == header_of(totals)
    for number, template in enumerate(table.templates.tolist()):
        assert parse_template_row(table.template_row(number)) == (
            template,
            pytest.approx(grams[template]),
        )
    assert set(table.templates.tolist()) == set(grams)


def test_a_header_is_read_back(made: Made) -> None:
    table, totals, _, _ = made
    again = totals_of(table.header)
    assert again.entities == totals.entities
    assert again.edges == totals.edges
    assert again.shareable == totals.shareable
    for name in ("degrees", "popularities", "joint"):
        for key, classes in getattr(totals, name).items():
            assert np.array_equal(getattr(again, name)[key], classes), (name, key)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.pop("joint"),
        lambda h: h["degrees"].pop("address"),
        lambda h: h.update(entities="7"),
        lambda h: h["popularities"]["address"][1].__setitem__(0, 10**6),
        lambda h: h["popularities"]["address"][0].reverse(),
        lambda h: h["joint"]["address template"][0].__setitem__(0, 10**6),
        lambda h: h["degrees"]["client"][1].__setitem__(0, -1),
        lambda h: h.update(degrees=[1]),
        lambda h: h["degrees"]["client"][1].__setitem__(0, 1 << 70),
    ],
)
def test_a_header_that_does_not_hold_together_is_refused(made: Made, change: object) -> None:
    header = header_of(totals_of(made[0].header))
    change(header)  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"totals|degrees"):
        totals_of(header)


def test_rows_are_shown_without_the_others(made: Made) -> None:
    table = made[0]
    again = TotalsTable.from_bytes(table.to_bytes())
    root = table.tree.root()
    assert again.tree.root() == root
    assert table.rows == table.tree.size
    shown = np.sort(np.random.default_rng(4).choice(len(table.value), 40, replace=False))
    row = table.row_of_value[shown]
    order = np.argsort(row)
    shown, row = shown[order], row[order]
    commitments = value_commitments(table.salts[shown], table.family[shown], table.value[shown])
    rows = value_rows(table.family[shown], table.entities[shown], commitments)
    hashes = [leaf_hash(header_row(table.header)), *(leaf_hash(r.tobytes()) for r in rows)]
    positions = [0, *row.tolist()]
    proof = batch_proof(table.tree, table.rows, positions)
    assert batch_root(table.rows, positions, hashes, proof) == root
    rows["entities"][7] += 1
    hashes[8] = leaf_hash(rows[7].tobytes())
    assert batch_root(table.rows, positions, hashes, proof) != root


def test_places_tell_nothing_of_values(made: Made) -> None:
    table = made[0]
    for family in range(len(FAMILIES)):
        of = table.family == family
        if of.sum() > 100:
            rank = np.corrcoef(np.argsort(np.argsort(table.value[of])), table.row_of_value[of])
            assert abs(rank[0, 1]) < 4 / np.sqrt(of.sum())


def test_families_are_those_that_are_linked() -> None:
    assert set(FAMILIES) == set(LINKED)
    assert len(as_hashes([])) == 0
