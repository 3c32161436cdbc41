"""Degree totals of a stretch of a sealed log: how many entities carried each indicator, how busy they were.

They are what the null model needs to know of everybody, and they name nobody: a stranger who is shown
a campaign's own observations can recompute its links with them. Committed when the stretch is sealed,
they cannot be chosen to suit a claim.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.evidence.totals.table import FAMILY_NUMBER, TotalsTable
from stillhunt.linking.entities import build_entities
from stillhunt.linking.families import FAMILIES, PAIRS
from stillhunt.linking.indicators import Totals, build_indicators
from stillhunt.linking.templates import build_templates
from stillhunt.records.observation import OBSERVATION_SCHEMA, keys_of, observations_of
from stillhunt.records.sealed_account import SEALED_ACCOUNT

_KEYED: pa.Schema = OBSERVATION_SCHEMA.append(pa.field("key", pa.int64(), nullable=False))


def degree_totals(
    leaves: Iterable[np.ndarray],
    accounts: np.ndarray,
    work: Path,
    memory: str | None = None,
    threads: int | None = None,
) -> TotalsTable:
    """Count what a stretch of a log holds.

    Args:
        leaves: canonical observations (dtype ``records.leaf.LAYOUT``), in any order and portions.
        accounts: account rows (dtype SEALED_ACCOUNT); of an account the last row counts.
        work: an existing folder for what the engine keeps on disk.
        memory, threads: of the engine.

    Returns:
        The totals, with a row for each value that two or more entities carry and for each template.
    """
    with (
        tempfile.TemporaryDirectory(dir=work) as folder,
        DuckDBEngine(Path(folder), memory, threads) as engine,
    ):
        file = Path(folder) / "observations.parquet"
        with pq.ParquetWriter(file, _KEYED, compression="zstd") as writer:
            for portion in leaves:
                rows = observations_of(portion)
                writer.write_batch(
                    pa.RecordBatch.from_arrays([*rows.columns, keys_of(rows)], schema=_KEYED)
                )
        engine.attach("observations", [file])
        load_sealed_accounts(engine, accounts)
        return count_degrees(engine)


def load_sealed_accounts(engine: Engine, rows: np.ndarray) -> None:
    """Make ``accounts`` (account, organization, payment, email_domain, licensed) of account rows."""
    last = {int(account): i for i, account in enumerate(rows["account"])}
    kept = rows[sorted(last.values())]

    def column(name: str, bit: int) -> pa.Array:
        return pa.array(kept[name].astype(np.int64), mask=(kept["nulls"] >> bit) & 1 == 1)

    engine.load(
        "accounts",
        pa.table(
            {
                "account": pa.array(kept["account"].astype(np.int64)),
                "organization": column("organization", 0),
                "payment": column("payment", 1),
                "email_domain": column("email_domain", 2),
                "licensed": pa.array(kept["licensed"] != 0),
            }
        ),
    )


def count_degrees(engine: Engine) -> TotalsTable:
    """The totals of ``observations`` and ``accounts``."""
    build_entities(engine)
    build_templates(engine)
    totals = build_indicators(engine)
    shared = engine.query(
        "SELECT family, value, entities FROM popularity WHERE entities >= 2 ORDER BY family, value"
    )
    grams = engine.query("SELECT template, gram FROM gram_template ORDER BY template, gram")
    family = shared.column("family").to_pylist()
    return TotalsTable(
        header=header_of(totals),
        family=np.array([FAMILY_NUMBER[f] for f in family], dtype=np.uint8),
        value=np.asarray(shared.column("value")).astype(np.int64),
        entities=np.asarray(shared.column("entities")).astype(np.int64),
        template=np.asarray(grams.column("template")).astype(np.int64),
        gram=np.asarray(grams.column("gram")).astype(np.int32),
    )


def header_of(totals: Totals) -> dict[str, object]:
    """The totals as JSON; ``totals_of`` reads it back."""
    return {
        "totals": 1,
        "entities": totals.entities,
        "degrees": {f: totals.degrees[f].tolist() for f in FAMILIES},
        "popularities": {f: totals.popularities[f].tolist() for f in FAMILIES},
        "joint": {f"{x} {y}": totals.joint[x, y].tolist() for x, y in PAIRS},
    }
