"""The folder that a hunt reads: observations and names by day, identities, accounts, and the truth."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.records.observation import OBSERVATION_VERSION

TRUTH: pa.Schema = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("persona", pa.string(), nullable=False),
        pa.field("campaign", pa.string()),
        pa.field("exchanges", pa.int64(), nullable=False),
    ]
)
"""Who really was behind each account; only benchmarks read it."""

PARTS = ("observations", "names", "identities", "accounts", "manifest")

_ROW_GROUP = 524_288
# A dictionary of values that hardly ever repeat would only cost.
_OBSERVATIONS: dict[str, Any] = {
    "use_dictionary": [
        "account", "organization", "asn", "tls", "agent", "model", "system", "guarantee", "cues",
        "words", "response_bytes", "input_tokens", "output_tokens", "max_tokens", "status", "finish",
        "temperature",
    ],
    "column_encoding": {"time": "DELTA_BINARY_PACKED"},
}  # fmt: skip
_NAMES: dict[str, Any] = {
    "use_dictionary": ["file"],
    "column_encoding": {"exchange_id": "DELTA_BYTE_ARRAY", "row": "DELTA_BINARY_PACKED"},
}


@dataclass(frozen=True, slots=True)
class Part:
    """Observations of one day that were written together.

    Attributes:
        part: name of its files; day: ISO date; rows: how many.
        bytes, names_bytes: of the observations and of the names.
    """

    part: str
    day: str
    rows: int
    bytes: int
    names_bytes: int


def begin(store: Path, start: datetime) -> None:
    """Make an empty store.

    Raises:
        FileExistsError: the folder holds something that is no store.
    """
    if store.exists() and any(store.iterdir()) and not (store / "store.json").exists():
        raise FileExistsError(f"{store} is there and is no store")
    shutil.rmtree(store, ignore_errors=True)
    for part in PARTS:
        (store / part).mkdir(parents=True)
    about = {
        "store": 1,
        "observation": OBSERVATION_VERSION,
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "pseudonymised": None,
        "first_day": f"{start:%Y-%m-%d}",
    }
    (store / "store.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def write_part(
    store: Path, name: str, day: datetime, observed: pa.Table, names: pa.Table, known: pa.Table
) -> Part:
    """Write observations of one day, their names, and what their hashes stand for.

    Args:
        store: the folder.
        name: of the part: number of its transaction, and one that no other has.
        day: of all rows.
        observed, names: row by row (STORED, NAMES).
        known: names of the accounts and whatever else occurs (IDENTITIES).
    """
    date = f"{day:%Y-%m-%d}"
    sizes = []
    for folder, table, encoding in (
        ("observations", observed, _OBSERVATIONS),
        ("names", names, _NAMES),
    ):
        path = store / folder / f"day={date}" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(
            table, path, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP,
            **encoding,
        )  # fmt: skip
        sizes.append(path.stat().st_size)
    pq.write_table(known, store / "identities" / f"{name}.parquet", compression="zstd")
    return Part(name, date, observed.num_rows, *sizes)


def finish(store: Path, accounts: str, parts: Sequence[Part]) -> None:
    """Write the transactions that name everything, as their parts' names say."""
    by_number: dict[int, list[Part]] = {}
    for part in parts:
        by_number.setdefault(int(part.part[:8]), []).append(part)
    for number in range(1, max(by_number) + 1):
        added = by_number.get(number, [])
        rows = sum(part.rows for part in added)
        transaction = {
            "kind": "ingest",
            "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "added": [asdict(part) for part in added],
            "inputs": [{"path": "made in bulk", "rows": rows, "kept": rows, "source": "bulk"}],
        }
        if number == 1:
            transaction["accounts"] = accounts
        text = json.dumps(transaction) + "\n"
        (store / "manifest" / f"{number:08d}.json").write_text(text, "utf-8")
