"""Degree totals of a stretch of a sealed log: how many entities carried each indicator, how busy they were.

They are what the null model needs to know of everybody, and they name nobody: a stranger who is shown
a campaign's own observations can recompute its links with them. Committed when the stretch is sealed,
they cannot be chosen to suit a claim.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.evidence.entries import ACCOUNT_LAYOUT
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.seam import MakeTotals, Unsealed
from stillhunt.evidence.log.seam import Totals as SealedTotals
from stillhunt.evidence.totals.rows import FAMILY_NUMBER
from stillhunt.evidence.totals.table import TotalsTable
from stillhunt.linking.entities import build_entities
from stillhunt.linking.families import FAMILIES, PAIRS
from stillhunt.linking.indicators import Totals, build_indicators
from stillhunt.linking.templates import build_templates
from stillhunt.records.leaf import LAYOUT
from stillhunt.records.observation import OBSERVATION_SCHEMA, keys_of, observations_of

_KEYED: pa.Schema = OBSERVATION_SCHEMA.append(pa.field("key", pa.int64(), nullable=False))


def degree_totals(
    leaves: Iterable[np.ndarray],
    accounts: np.ndarray,
    work: Path,
    memory: str = "2GB",
    threads: int | None = None,
) -> TotalsTable:
    """Count what a stretch of a log holds.

    Args:
        leaves: canonical observations (dtype ``records.leaf.LAYOUT``), in any order and portions.
        accounts: account rows (dtype ACCOUNT_LAYOUT); of an account the last row counts.
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
    _, last = np.unique(rows["account"][::-1], return_index=True)
    kept = rows[len(rows) - 1 - last]

    def column(name: str, nulls: str, bit: int) -> pa.Array:
        values = np.ascontiguousarray(kept[name])
        return pa.array(values, mask=(kept[nulls] >> bit) & 1 == 1)

    engine.load(
        "accounts",
        pa.table(
            {
                "account": pa.array(np.ascontiguousarray(kept["account"])),
                "organization": column("organization", "who_nulls", 1),
                "payment": column("payment", "bill_nulls", 0),
                "email_domain": column("email_domain", "bill_nulls", 1),
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


def totals_of(header: Mapping[str, Any]) -> Totals:
    """The totals of a header.

    Raises:
        ValueError: this is no header of totals, or its classes do not fit one another.
    """
    try:
        degrees, popularities, joint = (
            {name: np.array(rows, dtype=np.int64).reshape(width, -1) for name, rows in part.items()}
            for part, width in (
                (header["degrees"], 2),
                (header["popularities"], 2),
                (header["joint"], 3),
            )
        )
        entities = header["entities"]
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("this is no header of degree totals") from error
    pairs = {f"{x} {y}": (x, y) for x, y in PAIRS}
    if (
        type(entities) is not int
        or set(degrees) != set(FAMILIES)
        or set(popularities) != set(FAMILIES)
        or set(joint) != set(pairs)
    ):
        raise ValueError("a header of degree totals lacks a family")
    for classes in (*degrees.values(), *popularities.values()):
        if np.any(classes < 1) or np.any(np.diff(classes[0]) <= 0):
            raise ValueError("classes of degree totals are not in order")
    edges = {}
    for family in FAMILIES:
        edges[family] = sum(k * n for k, n in popularities[family].T.tolist())
        if edges[family] != sum(k * n for k, n in degrees[family].T.tolist()):
            raise ValueError("degree totals count other edges by entity than by value")
    for name, (x, y) in pairs.items():
        kx, ky, n = joint[name]
        if not (
            np.isin(kx, degrees[x][0]).all() and np.isin(ky, degrees[y][0]).all() and (n > 0).all()
        ):
            raise ValueError("joint degrees are of classes that are not there")
    return Totals(
        entities=entities,
        edges=edges,
        shareable={f: int(c[1][c[0] >= 2].sum()) for f, c in popularities.items()},
        degrees=degrees,
        popularities=popularities,
        joint={pair: joint[name] for name, pair in pairs.items()},
    )


def totals_maker(
    log: Log, work: Path, days: float = 0.0, memory: str = "2GB", threads: int | None = None
) -> MakeTotals:
    """What counts each batch before it is sealed.

    Args:
        log: that is sealed into; work: an existing folder for what the engine keeps on disk.
        days: earlier batches that reach into so many days before a batch are counted with it.
        memory, threads: of the engine.
    """

    # Rows of batches that no head covers yet are not the log's to tell.
    known = dict(log.account_rows())

    def make(batch: Unsealed) -> SealedTotals | None:
        given = np.ascontiguousarray(batch.accounts).reshape(-1).view(ACCOUNT_LAYOUT)
        known.update(zip(given["account"].tolist(), [row.tobytes() for row in given], strict=True))
        if not len(batch.observations):
            return None
        first, earlier = _earlier(log, batch, days)
        accounts = np.frombuffer(b"".join(known.values()), dtype=ACCOUNT_LAYOUT)
        made = degree_totals(chain(earlier, [batch.observations]), accounts, work, memory, threads)
        end = batch.first + len(batch.observations)
        record = {"root": made.tree.root().hex(), "rows": made.rows, "first": first, "end": end}
        return SealedTotals(record, made.to_bytes())

    return make


def _earlier(log: Log, batch: Unsealed, days: float) -> tuple[int, Iterator[np.ndarray]]:
    """Where the stretch begins, and the leaves in it before the batch, portion by portion."""
    since = int(batch.observations["time"].min()) - int(days * 86_400_000_000)
    taken: list[Batch] = []
    for before in reversed([b for b in log.batches() if b.observations]) if days else ():
        if before.period is None or before.period[1] < since or not log.is_openable(before):
            break
        taken.append(before)

    def leaves() -> Iterator[np.ndarray]:
        for before in taken:
            wanted = np.arange(before.first, before.first + before.observations, dtype=np.int64)
            for opened in log.open_leaves(wanted):
                yield np.ascontiguousarray(opened.rows).reshape(-1).view(LAYOUT)

    return (taken[-1].first if taken else batch.first), leaves()
