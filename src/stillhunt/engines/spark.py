"""The distributed engine: Apache Spark, on this machine's cores or on a cluster.

SQL is the same, carried over by sqlglot. A table is Parquet in a folder that driver and executors
share: a plan never reaches back beyond the tables that it names, nothing is worked out twice, an
executor that is lost takes nothing with it, and dropping a table is deleting its folder.
"""

from __future__ import annotations

import functools
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.engines.base import Engine, Rows
from stillhunt.engines.spark_errors import FOLDER, told
from stillhunt.engines.spark_places import address_of, located
from stillhunt.engines.spark_session import end_session, is_local, open_session
from stillhunt.engines.spark_sql import to_spark
from stillhunt.errors import UsageError

POSITION = "_metadata.row_index"
"""A row's place in its Parquet file, from 0."""

_BATCH = 1 << 16  # rows
_SMALL = 8 << 20
"""Bytes of Arrow up to which rows given to ``load`` stay with the plan and are not written."""


class SparkEngine(Engine):
    """Spark, through a session of its own.

    ``query`` collects no more than ``spark.driver.maxResultSize`` (2 GiB unless set otherwise)
    and says so beyond it; ``scan`` has no bound but the disk.

    Args:
        workdir: an existing folder, for tables where the master is local; the caller removes it.
        memory: heap of the driver where the master is local, as DuckDB writes it. Spark spills
            beyond it. On a cluster ``spark.executor.memory`` and ``spark.driver.memory`` count.
        threads: cores where the master is local; by default all.
        master: for example ``local[*]`` or ``spark://host:7077``; by default what spark-submit
            was given, or this machine. Where this process has a SparkContext already, that is used.
        conf: further settings of Spark; they come before those made here.

    Raises:
        MissingExtraError: pyspark or Java is missing.
        UsageError: no session with these settings, or no folder on a cluster.
    """

    dialect = "spark"

    def __init__(
        self,
        workdir: Path,
        memory: str = "1GB",
        threads: int | None = None,
        master: str | None = None,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._workdir = workdir.absolute()
        self._made: dict[str, str] = {}  # table to its folder
        self._count = 0
        self._session, self._owned = open_session(workdir, memory, threads, master, conf or {})
        try:
            self._root = f"{self._folder(conf or {})}/stillhunt-{uuid.uuid4().hex}"
        except UsageError:
            self.close()
            raise

    @property
    def session(self) -> Any:
        """The SparkSession, for what SQL cannot say."""
        return self._session

    def attach(self, table: str, files: Sequence[Path | str]) -> None:
        """Name Parquet files or folders as one table (a view: nothing is copied)."""
        with told():
            self.read_parquet(files).createOrReplaceTempView(table)

    def read_parquet(self, files: Sequence[Path | str], *, one_schema: bool = True) -> Any:
        """A DataFrame of Parquet files or folders: local paths, or addresses with a scheme.

        Args:
            files: what to read.
            one_schema: they all have the columns of any one; False looks at all of them.
        """
        reader = self._session.read.option("mergeSchema", str(not one_schema).lower())
        return reader.parquet(*map(address_of, files))

    def attach_beside(
        self,
        table: str,
        files: Sequence[Path],
        columns: Sequence[str],
        beside: Sequence[Path],
        others: Sequence[str],
    ) -> None:
        """Name columns of files that correspond row for row as one table (a view, by row numbers).

        Reading it joins all rows of both: where few are wanted, a join with them comes after that.
        """
        sides = []
        for paths, names in ((files, columns), (beside, others)):
            number = {str(path.absolute()): i for i, path in enumerate(paths)}
            frame = self.read_parquet(paths)
            places = [(name, number[located(name)]) for name in self.reported_files(frame)]
            schema = "told string, file_index int"
            which = self._session.createDataFrame(places, schema)
            rows = frame.selectExpr(
                *names, "_metadata.file_path AS told", f"{POSITION} AS position"
            )
            sides.append(rows.join(which.hint("broadcast"), "told").drop("told"))
        joined = sides[0].join(sides[1], ["file_index", "position"])
        joined.select(*columns, *others).createOrReplaceTempView(table)

    def reported_files(self, frame: Any) -> list[str]:
        """Addresses of the files that a DataFrame reads, as its column ``_metadata.file_path`` has them."""
        return [name.replace("file:///", "file:/", 1) for name in frame.inputFiles()]

    def load(self, table: str, rows: pa.Table) -> None:
        """Make a table of rows that the caller holds."""
        rows = _plain(rows)
        if rows.nbytes <= _SMALL:
            self._session.createDataFrame(rows).createOrReplaceTempView(table)
            self._forget(table)
            return
        folder = self._new_folder(table)
        with told(), tempfile.TemporaryDirectory(dir=self._workdir) as here:
            # As a file: given to Spark as rows, they would fill the driver's heap several times over.
            pq.write_table(rows, Path(here, "rows.parquet"))
            path, files = self._hadoop(folder)
            local, _ = self._hadoop(f"file://{here}/rows.parquet")
            files.mkdirs(path)
            files.copyFromLocalFile(local, path)
            self._session.read.parquet(folder).createOrReplaceTempView(table)
        self._keep(table, folder)

    def materialise(self, table: str, frame: Any) -> None:
        """Make a table of a DataFrame's rows."""
        folder = self._new_folder(table)
        with told():
            frame.write.parquet(folder)
            # The schema is known: reading a footer to learn it would be one more job.
            made = self._session.read.schema(frame.schema).parquet(folder)
            made.createOrReplaceTempView(table)
        self._keep(table, folder)

    def map_frames(
        self,
        table: str,
        frames: Sequence[Any],
        function: Callable[[Rows], Rows],
        schema: pa.Schema,
    ) -> None:
        """As ``map``, of the rows of DataFrames, at least one, whose columns may differ."""
        made = [_mapped(frame, function, schema) for frame in frames]
        self.materialise(table, functools.reduce(lambda a, b: a.unionAll(b), made))

    def close(self) -> None:
        """Delete the tables, and end the session if it was begun here."""
        if self._session is None:
            return
        if self._count:
            self._delete(self._root)
        if self._owned:
            end_session(self._session)
        self._session = None

    def _translate(self, sql: str) -> str:
        return to_spark(sql)

    def _create(self, table: str, sql: str) -> None:
        with told():
            frame = self._frame(sql)
        self.materialise(table, frame)

    def _frame(self, sql: str) -> Any:
        """The DataFrame of a statement, to be kept; Parquet has no bare NULL, which becomes an integer."""
        frame = self._session.sql(sql)
        for field in frame.schema:
            if field.dataType.typeName() == "void":
                frame = frame.withColumn(field.name, frame[field.name].cast("int"))
        return frame

    def _query(self, sql: str) -> pa.Table:
        with told():
            rows: pa.Table = self._session.sql(sql).toArrow()
        return rows

    def _scan(self, sql: str) -> Rows:
        # By way of files, whose size nothing bounds: a partition is collected whole or not at all.
        folder = self._new_folder("scan")
        with told():
            self._frame(sql).write.parquet(folder)
        try:
            yield from self._read_here(folder)
        finally:
            self._delete(folder)

    def _read_here(self, folder: str) -> Rows:
        """Rows of a folder of Parquet, file by file, in the order in which they were written."""
        path, files = self._hadoop(folder)
        found = [status.getPath() for status in files.listStatus(path)]
        parts = [part for part in found if part.getName().startswith("part-")]
        for part in sorted(parts, key=lambda part: str(part.getName())):
            with tempfile.TemporaryDirectory(dir=self._workdir) as here:
                local = Path(located(folder), part.getName())
                if not folder.startswith("file:"):
                    local = Path(here, part.getName())
                    files.copyToLocalFile(part, self._hadoop(f"file://{local}")[0])
                with pq.ParquetFile(local) as opened:
                    yield from opened.iter_batches(_BATCH)

    def _map(
        self, table: str, sql: str, function: Callable[[Rows], Rows], schema: pa.Schema
    ) -> None:
        with told():
            frame = self._frame(sql)
        self.map_frames(table, [frame], function, schema)

    def _view(self, table: str, sql: str) -> None:
        self._session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {table} AS {sql}")

    def _drop(self, table: str) -> None:
        self._session.catalog.dropTempView(table)
        self._forget(table)

    def _new_folder(self, table: str) -> str:
        self._count += 1
        return f"{self._root}/{table}-{self._count}"

    def _keep(self, table: str, folder: str) -> None:
        """Remember where a table is kept, and delete what it was kept in before."""
        self._forget(table)
        self._made[table] = folder

    def _forget(self, table: str) -> None:
        folder = self._made.pop(table, None)
        if folder is not None:
            self._delete(folder)

    def _delete(self, folder: str) -> None:
        path, files = self._hadoop(folder)
        files.delete(path, True)

    def _hadoop(self, address: str) -> tuple[Any, Any]:
        """An address, and the file system it is in, as Hadoop has them."""
        context = self._session.sparkContext
        path = context._jvm.org.apache.hadoop.fs.Path(address)
        return path, path.getFileSystem(context._jsc.hadoopConfiguration())

    def _folder(self, conf: Mapping[str, str]) -> str:
        """Where tables are kept, as an address."""
        given = conf.get(FOLDER) or self._session.conf.get(FOLDER, None)
        if given:
            return address_of(given).rstrip("/")
        master = self._session.sparkContext.master
        if not is_local(master):
            raise UsageError(
                f"The executors of {master} have no folder in which they can keep tables.",
                f"Give one that they all reach: --spark-conf {FOLDER}=s3a://BUCKET/FOLDER.",
            )
        return address_of(self._workdir)


def _mapped(frame: Any, function: Callable[[Rows], Rows], schema: pa.Schema) -> Any:
    """The DataFrame of what a function makes of another's batches (see ``Engine.map``)."""
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema  # noqa: PLC0415

    as_spark = from_arrow_schema(schema)
    as_arrow = to_arrow_schema(as_spark, timezone="UTC")
    names = schema.names

    # By value, so that executors need this package only where the function itself does.
    def conforming(batches: Rows) -> Rows:
        for batch in function(batches):
            columns = [
                batch.column(name).cast(field.type)
                for name, field in zip(names, as_arrow, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, names=names)

    return frame.mapInArrow(conforming, as_spark)


def _plain(rows: pa.Table) -> pa.Table:
    """Types that Spark knows and keeps: no dictionaries, no unsigned integers, no nulls of no type."""
    fields = []
    for field in rows.schema:
        kind = field.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_unsigned_integer(kind):
            kind = pa.int64()
        if pa.types.is_null(kind):
            kind = pa.int32()
        fields.append(field.with_type(kind))
    return rows.cast(pa.schema(fields))
