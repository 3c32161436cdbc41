"""The canonical Exchange, as Parquet, CSV or JSON lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from stillhunt.errors import InputError
from stillhunt.readers.options import ReadBatch
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import (
    Fields,
    LogFormat,
    Mapper,
    Opened,
    filled,
    read_parquet,
    register,
)
from stillhunt.records.exchange import EXCHANGE_SCHEMA, REQUIRED

_NAMES = frozenset(EXCHANGE_SCHEMA.names)


class _AsItIs(Mapper):
    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Keep the canonical columns; unknown ones are kept out."""
        if not record.keys() <= _NAMES:
            record = {name: value for name, value in record.items() if name in _NAMES}
        return ((row, record),)


@register
class Canonical(LogFormat):
    """Columns named as in the Exchange; the only format read without going row by row."""

    name = "canonical"
    summary = "the canonical columns, as Parquet, CSV or JSON lines"
    columns = filled(carried=" ".join(EXCHANGE_SCHEMA.names))

    def sniff(self, sample: Sample) -> float:
        """All required columns there: certain. JSON lines: by the share of lines that have them."""
        if sample.container != "json lines":
            return 1.0 if set(REQUIRED) <= set(sample.columns) else 0.0
        if not sample.records:
            return 0.0
        complete = sum(set(REQUIRED) <= record.keys() for record in sample.records)
        return complete / len(sample.records)

    def check(self, sample: Sample) -> None:
        """Raise InputError where a table lacks a required column."""
        if sample.container == "json lines" or not sample.columns:
            return
        missing = [name for name in REQUIRED if name not in sample.columns]
        if missing:
            raise InputError(
                f"{sample.path} has no column {', '.join(missing)}.",
                "Rename the column, or describe the file with --source mapping --mapping FILE.",
            )

    def mapper(self, file: Opened) -> Mapper:  # noqa: ARG002 - nothing depends on the file
        """Return the mapper that keeps records as they are."""
        return _AsItIs()

    def read(self, file: Opened) -> Iterator[ReadBatch]:
        """Read Parquet column by column, the rest record by record."""
        if file.sample.container != "parquet":
            yield from super().read(file)
            return
        settler = file.settler
        columns = [n for n in file.sample.columns if n in _NAMES and settler.wanted(n)]
        for part in read_parquet(file, columns):
            arrays = dict(zip(part.batch.schema.names, part.batch.columns, strict=True))
            rows = np.arange(part.first, part.first + part.rows, dtype=np.int64)
            yield from settler.settle(file.name, arrays, rows)
