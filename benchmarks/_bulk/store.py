"""The folder that a hunt reads: observations and names by day, identities, accounts, and the truth."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from _bulk.rows import NAMES, STORED
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
_RANDOM = ("exchange", "key", "item", "time", "grams.list.element", "input_tokens", "output_tokens")


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


def write_day(store: Path, part: str, day: datetime, observed: pa.Table, names: pa.Table) -> int:
    """Write one part of a day's observations and its names; returns bytes of both."""
    written = 0
    for folder, table, schema in (("observations", observed, STORED), ("names", names, NAMES)):
        where = store / folder / f"day={day:%Y-%m-%d}"
        where.mkdir(exist_ok=True)
        repeated = [
            leaf
            for leaf in ("grams.list.element" if n == "grams" else n for n in schema.names)
            if leaf not in (*_RANDOM, "exchange_id", "row")
        ]
        path = where / f"{part}.parquet"
        pq.write_table(
            table.cast(schema),
            path,
            compression="zstd",
            compression_level=1,
            use_dictionary=repeated,
            row_group_size=_ROW_GROUP,
        )
        written += path.stat().st_size
    return written


def day_of(start: datetime, number: int) -> datetime:
    """The day with a number, from 0."""
    return start + timedelta(days=number)
