"""The sums that linking and scoring read, of observations that tests make of a few columns."""

from __future__ import annotations

import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.templates import count_uses
from stillhunt.linking.usage import build_usage, measure_entities
from stillhunt.records.observation import OBSERVATION_SCHEMA


def observe(engine: Engine, rows: pa.Table) -> None:
    """Make ``observations`` of the columns given (``key`` among them); the others are null."""
    missing = [f for f in OBSERVATION_SCHEMA if f.name not in rows.column_names]
    for field in missing:
        rows = rows.append_column(field.name, pa.nulls(rows.num_rows, field.type))
    engine.load("observations", rows)


def sum_up(engine: Engine) -> None:
    """Make what rests on ``observations``, ``account_entity`` and ``exchange_template``."""
    build_usage(engine)
    measure_entities(engine)
    count_uses(engine)
