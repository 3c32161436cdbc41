"""The canonical columns."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.records.exchange import EXCHANGE_SCHEMA
from written import Rows, Written


def _lines(rows: Rows, folder: Path) -> list[Path]:
    path = folder / "log.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return [path]


def _parquet(rows: Rows, folder: Path) -> list[Path]:
    path = folder / "log.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), schema=EXCHANGE_SCHEMA), path)
    return [path]


def json_lines_bare(path: Path) -> int:
    """Parse every line of a file with orjson."""
    with path.open("rb") as file:
        return sum(1 for line in file if orjson.loads(line) is not None)


def _parquet_bare(path: Path) -> int:
    return int(pq.read_table(path).num_rows)


_ALL = frozenset(EXCHANGE_SCHEMA.names)
FORMATS = (
    Written("canonical (JSON lines)", "canonical", _ALL, _lines, json_lines_bare),
    Written("canonical (Parquet)", "canonical", _ALL, _parquet, _parquet_bare),
)
