"""What the hunt asks of an engine: few primitives, so that another engine is one file.

SQL is written in DuckDB's dialect and kept to what sqlglot can carry to Spark; a test translates
every statement that a hunt runs.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import sqlglot

Rows = Iterator[pa.RecordBatch]
"""Rows as they stream by, in batches of no particular size and in no particular order."""


class Engine(abc.ABC):
    """Runs SQL over named tables. Tables live until the engine is closed."""

    dialect = "duckdb"

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def create(self, table: str, select: str) -> None:
        """Materialise a query as a table, replacing one of the same name."""
        self.statements.append(select)
        self._create(table, self._translate(select))

    def query(self, select: str) -> pa.Table:
        """Run a query and collect its rows. Only for what is small by construction."""
        self.statements.append(select)
        rows = self._query(self._translate(select))
        # Sums of integers come back as wide decimals from some engines; counts are int64 here.
        narrow = [
            pa.field(f.name, pa.int64()) if pa.types.is_decimal(f.type) and f.type.scale == 0 else f
            for f in rows.schema
        ]
        return rows.cast(pa.schema(narrow))

    def scalar(self, select: str) -> int | float | None:
        """The single value of a query of one row and one column."""
        value: int | float | None = self.query(select).column(0)[0].as_py()
        return value

    def scan(self, select: str) -> Rows:
        """Run a query and stream its rows, however many."""
        self.statements.append(select)
        return self._scan(self._translate(select))

    def map(
        self, table: str, select: str, function: Callable[[Rows], Rows], schema: pa.Schema
    ) -> None:
        """Materialise what a function makes of a query's rows as a table.

        Args:
            table: its name; one of the same name is replaced.
            select: the query.
            function: from rows to rows of ``schema``. It is called once for each share of the rows, at
                the same time and maybe on other machines, so it may rest on nothing but what it is
                given and holds. Who shares what with whom is not known: its results must not hang on it.
            schema: of the table.
        """
        self.statements.append(select)
        self._map(table, self._translate(select), function, schema)

    def recurring(self, table: str, select: str, at_least: int, each: int = 1) -> None:
        """Make ``table`` (value): the values that occur so often in a query's column ``value``.

        Args:
            table: its name.
            select: a query of one integer column, ``value``; nulls are passed over.
            at_least: how often.
            each: how many values a row holds at most; where more than one, ``value`` is a list of them.
        """
        if each > 1:
            select = f"SELECT UNNEST(value) AS value FROM ({select}) AS listed"  # noqa: S608
        self.create(
            table,
            f"""
            SELECT value FROM ({select}) AS seen
            WHERE value IS NOT NULL GROUP BY value HAVING COUNT(*) >= {at_least}
            """,  # noqa: S608
        )

    def view(self, table: str, select: str) -> None:
        """Name a query; it runs whenever the table is read."""
        self.statements.append(select)
        self._view(table, self._translate(select))

    def drop(self, *tables: str) -> None:
        """Forget tables, so that their memory and spill space are free for the next stage."""
        for table in tables:
            self._drop(table)

    @abc.abstractmethod
    def attach(self, table: str, files: Sequence[Path | str]) -> None:
        """Name Parquet files as one table: paths, or addresses that the engine itself can read."""

    @abc.abstractmethod
    def attach_beside(
        self,
        table: str,
        files: Sequence[Path],
        columns: Sequence[str],
        beside: Sequence[Path],
        others: Sequence[str],
    ) -> None:
        """Name as one table columns of Parquet files and, row for row, columns of those beside them.

        Args:
            table: its name.
            files, columns: the files, and which of their columns.
            beside, others: as many files, with as many rows each, and which of their columns.
        """

    @abc.abstractmethod
    def load(self, table: str, rows: pa.Table) -> None:
        """Make a table of rows that the caller holds."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give everything back."""

    @abc.abstractmethod
    def _create(self, table: str, sql: str) -> None: ...

    @abc.abstractmethod
    def _query(self, sql: str) -> pa.Table: ...

    @abc.abstractmethod
    def _scan(self, sql: str) -> Rows: ...

    @abc.abstractmethod
    def _map(
        self, table: str, sql: str, function: Callable[[Rows], Rows], schema: pa.Schema
    ) -> None: ...

    @abc.abstractmethod
    def _view(self, table: str, sql: str) -> None: ...

    @abc.abstractmethod
    def _drop(self, table: str) -> None: ...

    def _translate(self, sql: str) -> str:
        if self.dialect == "duckdb":
            return sql
        return translate(sql, self.dialect)


def translate(sql: str, dialect: str) -> str:
    """Carry one statement from DuckDB's dialect to another.

    Raises:
        sqlglot.errors.UnsupportedError: the statement uses something the other engine lacks.
    """
    return sqlglot.transpile(
        sql, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE
    )[0]
