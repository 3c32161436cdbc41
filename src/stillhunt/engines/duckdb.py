"""The embedded engine: DuckDB, with a memory limit and a folder to spill to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from stillhunt.engines.base import BatchFunction, Engine
from stillhunt.errors import UsageError

# DuckDB itself takes "-1GB" and "none" to mean no limit at all.
_LIMIT = re.compile(r"(?=.*[1-9])\d{1,12}(\.\d{1,6})?\s?([KMGT]i?)?B", re.IGNORECASE)
_BATCH = 65_536
_REMEDY = "Give --memory as a number with a unit, for example --memory 2GB."


@contextmanager
def _told() -> Iterator[None]:
    """Say in plain words what stops a query that is sound: memory, disk, or the user."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise UsageError(
            f"The engine ran out of room: {str(error).splitlines()[0]}",
            "Raise --memory, or free disk space beside the --out folder, where it spills to.",
        ) from error
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        raise KeyboardInterrupt from error


class DuckDBEngine(Engine):
    """DuckDB in this process.

    Args:
        workdir: an existing folder for spilled data; the caller removes it.
        memory: limit as DuckDB writes it, for example ``"2GB"``.
        threads: how many cores to use; by default all.

    Raises:
        UsageError: the memory limit cannot be read.
    """

    def __init__(self, workdir: Path, memory: str = "1GB", threads: int | None = None) -> None:
        super().__init__()
        if not _LIMIT.fullmatch(memory):
            raise UsageError(f"The memory limit {memory!r} cannot be read.", _REMEDY)
        self._connection = duckdb.connect(":memory:")
        settings = {
            "memory_limit": memory,
            "threads": str(threads or os.cpu_count() or 1),
            "temp_directory": str(workdir / "spill"),
            "preserve_insertion_order": "false",
            "TimeZone": "UTC",
            # A log must not be able to make the engine reach out.
            "autoinstall_known_extensions": "false",
        }
        for name, value in settings.items():
            try:
                quoted = value.replace("'", "''")
                self._connection.execute(f"SET {name} = '{quoted}'")
            except duckdb.Error as error:
                raise UsageError(
                    f"The engine refused the setting {name} = {value!r}: {error}.",
                    _REMEDY,
                ) from error

    def attach(self, table: str, files: Sequence[Path | str]) -> None:
        """Name Parquet files as one table (a view: nothing is copied)."""
        names = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
        self._connection.execute(
            f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet([{names}])"  # noqa: S608
        )

    def alias(self, table: str, source: str) -> None:
        """Give a table a second name; nothing is copied."""
        self._connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM {source}")  # noqa: S608

    def load(self, table: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Copy rows that the caller holds into a table."""
        self._connection.register("_incoming", rows)
        try:
            self._create(table, "SELECT * FROM _incoming")
        finally:
            self._connection.unregister("_incoming")

    def close(self) -> None:
        """Close the connection; tables are gone."""
        self._connection.close()

    def _create(self, table: str, sql: str) -> None:
        with _told():
            self._connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql}")

    def _query(self, sql: str) -> pa.Table:
        with _told():
            return self._connection.sql(sql).to_arrow_table()

    def _scan(self, sql: str) -> Iterator[pa.RecordBatch]:
        # A cursor of its own: another statement on the connection would end the stream.
        with _told(), self._connection.cursor() as cursor:
            yield from cursor.execute(sql).to_arrow_reader(_BATCH)

    def _map(self, table: str, sql: str, function: BatchFunction, schema: pa.Schema) -> None:
        made = pa.RecordBatchReader.from_batches(schema, function(self._scan(sql)))
        self.load(table, made)

    def _drop(self, table: str) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
