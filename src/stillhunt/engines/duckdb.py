"""The embedded engine: DuckDB, with a memory limit and a folder to spill to."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from stillhunt.engines.base import Engine, Rows
from stillhunt.engines.counting import TALLY_SCHEMA, FrequentValues
from stillhunt.engines.shares import in_shares
from stillhunt.errors import UsageError

# DuckDB itself takes "-1GB" and "none" to mean no limit at all.
_LIMIT = re.compile(r"(?=.*[1-9])\d{1,12}(\.\d{1,6})?\s?([KMGT]i?)?B", re.IGNORECASE)
_BATCH = 1 << 17  # rows
_MANY = 1 << 23  # values from which on counting cells first is quicker than grouping them all
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


def _parquet(files: Sequence[Path | str]) -> str:
    names = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
    # A folder day=... in a path would otherwise become a column.
    return f"read_parquet([{names}], hive_partitioning = false)"


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
        self._threads = threads or os.cpu_count() or 1
        settings = {
            "memory_limit": memory,
            "threads": str(self._threads),
            "temp_directory": str(workdir / "spill"),
            "preserve_insertion_order": "false",
            "TimeZone": "UTC",
            "enable_progress_bar": "false",
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
        self._view(table, f"SELECT * FROM {_parquet(files)}")  # noqa: S608

    def attach_beside(
        self,
        table: str,
        files: Sequence[Path],
        columns: Sequence[str],
        beside: Sequence[Path],
        others: Sequence[str],
    ) -> None:
        """Name columns of files that correspond row for row as one table (a view, by row numbers)."""
        chosen = ", ".join([*(f"a.{name}" for name in columns), *(f"b.{name}" for name in others)])
        self._view(
            table,
            f"""
            SELECT {chosen} FROM {_parquet(files)} AS a JOIN {_parquet(beside)} AS b
            ON a.file_index = b.file_index AND a.file_row_number = b.file_row_number
            """,  # noqa: S608
        )

    def load(self, table: str, rows: pa.Table) -> None:
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

    def recurring(self, table: str, select: str, at_least: int, each: int = 1) -> None:
        """Make ``table`` (value); what cannot occur so often is passed over before it is counted."""
        most = each * int(self.scalar(f"SELECT COUNT(*) AS n FROM ({select}) AS seen") or 0)  # noqa: S608
        if most < _MANY:
            super().recurring(table, select, at_least, each)
            return
        frequent = FrequentValues(most, at_least)
        for _ in in_shares(frequent.count, self.scan(select), self._threads):
            pass  # it gives nothing but counts
        self.map("_tally", select, frequent.tally, TALLY_SCHEMA)
        self.create(
            table,
            f"SELECT value FROM _tally GROUP BY value HAVING SUM(n) >= {at_least}",  # noqa: S608
        )
        self.drop("_tally")

    def _scan(self, sql: str) -> Rows:
        # A connection of its own, so that other statements can run while rows are still coming.
        with _told():
            connection = self._connection.cursor()
            try:
                yield from connection.sql(sql).to_arrow_reader(_BATCH)
            finally:
                connection.close()

    def _map(
        self, table: str, sql: str, function: Callable[[Rows], Rows], schema: pa.Schema
    ) -> None:
        made = in_shares(function, self._scan(sql), self._threads)
        reader = pa.RecordBatchReader.from_batches(schema, made)
        self._connection.register("_mapped", reader)
        try:
            self._create(table, "SELECT * FROM _mapped")
        finally:
            self._connection.unregister("_mapped")

    def _view(self, table: str, sql: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {table} AS {sql}")

    def _drop(self, table: str) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
