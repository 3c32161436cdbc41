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


BatchFunction = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""What ``Engine.map`` runs: batches of some rows in, batches of other rows out."""


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
        return rows.cast(narrow(rows.schema))

    def scan(self, select: str) -> Iterator[pa.RecordBatch]:
        """Run a query and give its rows as they come, few at a time: a result may be of any size.

        No table may be made or dropped before the last batch was taken.

        Returns:
            Batches of bounded size, with the types of ``query``; none where there are no rows.
        """
        self.statements.append(select)
        for batch in self._scan(self._translate(select)):
            yield batch.cast(narrow(batch.schema))

    def map(self, table: str, select: str, function: BatchFunction, schema: pa.Schema) -> None:
        """Materialise what a function makes of the rows of a query, replacing a table of that name.

        Args:
            table: to make.
            select: whose rows are given to the function.
            function: batches in, batches out; may be called any number of times, each with some of
                the rows, in another process or on another machine: rows that belong together must be
                one row. What it holds is copied there, so that it should hold 100 MB at most.
            schema: of what it yields.
        """
        self.statements.append(select)
        self._map(table, self._translate(select), function, schema)

    def recurring(self, table: str, select: str, at_least: int) -> None:
        """Make a table (value) of the values, distinct, that a query yields so often or more often.

        Args:
            table: to make.
            select: a query of one BIGINT column ``value``; nulls do not count.
            at_least: how often.
        """
        self.create(
            table,
            f"SELECT value FROM ({select}) AS v WHERE value IS NOT NULL "  # noqa: S608
            f"GROUP BY value HAVING COUNT(*) >= {int(at_least)}",
        )

    def scalar(self, select: str) -> int | float | None:
        """The single value of a query of one row and one column."""
        value: int | float | None = self.query(select).column(0)[0].as_py()
        return value

    def drop(self, *tables: str) -> None:
        """Forget tables, so that their memory and spill space are free for the next stage."""
        for table in tables:
            self._drop(table)

    @abc.abstractmethod
    def attach(self, table: str, files: Sequence[Path | str]) -> None:
        """Name Parquet files as one table: paths, or addresses that the engine itself can read."""

    @abc.abstractmethod
    def alias(self, table: str, source: str) -> None:
        """Give a table a second name; nothing is copied."""

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
    def _scan(self, sql: str) -> Iterator[pa.RecordBatch]: ...

    @abc.abstractmethod
    def _map(self, table: str, sql: str, function: BatchFunction, schema: pa.Schema) -> None: ...

    @abc.abstractmethod
    def _drop(self, table: str) -> None: ...

    def _translate(self, sql: str) -> str:
        if self.dialect == "duckdb":
            return sql
        return translate(sql, self.dialect)


def narrow(schema: pa.Schema) -> pa.Schema:
    """A schema with int64 for decimals without a fraction.

    Sums of integers come back as wide decimals from some engines; counts are int64 here.
    """
    return pa.schema(
        [
            pa.field(f.name, pa.int64()) if pa.types.is_decimal(f.type) and f.type.scale == 0 else f
            for f in schema
        ]
    )


def translate(sql: str, dialect: str) -> str:
    """Carry one statement from DuckDB's dialect to another.

    Raises:
        sqlglot.errors.UnsupportedError: the statement uses something the other engine lacks.
    """
    return sqlglot.transpile(
        sql, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE
    )[0]
