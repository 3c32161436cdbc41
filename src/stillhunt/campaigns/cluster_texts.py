"""A few exchanges read once more where only Spark can read them."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from stillhunt.campaigns.cluster_reading import PLACE
from stillhunt.campaigns.request import HuntRequest
from stillhunt.engines.spark import POSITION, SparkEngine
from stillhunt.readers import Quarantine, ReadBatch
from stillhunt.readers.settle import Settler
from stillhunt.records.exchange import EXCHANGE_SCHEMA


def read_rows(
    request: HuntRequest,
    engine: SparkEngine,
    address: str,
    rows: Collection[int],
    columns: frozenset[str],
) -> Iterator[ReadBatch]:
    """Exchanges at some rows of a canonical Parquet file.

    Args:
        request: how logs are read.
        engine: which can read it.
        address: of the file; rows: numbers from 1, few.
        columns: canonical columns that are wanted.
    """
    frame = engine.read_parquet([address])
    there = {name.lower(): name for name in frame.columns}
    chosen = [
        f"`{there[name]}` AS {name}"
        for name in EXCHANGE_SCHEMA.names
        if name in columns and name in there
    ]
    wanted = ", ".join(str(int(row) - 1) for row in sorted(rows))
    found = (
        frame.selectExpr(*chosen, f"{POSITION} AS {PLACE[1]}")
        .where(f"{PLACE[1]} IN ({wanted})")
        .toArrow()
        .combine_chunks()
    )
    options = replace(request.read, columns=columns)
    with Quarantine(Path(os.devnull)) as seen_before:
        settler = Settler(options, seen_before, int(time.time() * 1_000_000))
        for batch in found.to_batches():
            at = np.asarray(batch.column(PLACE[1]), dtype=np.int64) + 1
            values = {name: batch.column(name) for name in batch.schema.names if name != PLACE[1]}
            yield from settler.settle(address, values, at)
