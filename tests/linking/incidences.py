"""Entities that pick indicators independently, and an engine that holds what they picked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.indicators import Totals, count_indicators

Edges = dict[str, np.ndarray]
"""Family to (edges, 2) int64: entity, value; rows distinct."""

SINGLE = ("payment", "email_domain")


def strangers(
    rng: np.random.Generator, entities: int, families: dict[str, int], busy: float = 2.0
) -> Edges:
    """Edges of a bipartite configuration model with skewed activity and popularity.

    Every family has so many values, popular as 1 / rank; how busy an entity is comes from a
    log-normal of its own in each family, but everyone has one payer and one e-mail domain.
    Families are independent of one another, which is the null model.
    """
    edges: Edges = {}
    for family, values in families.items():
        wish = np.maximum(rng.lognormal(np.log(busy), 0.8, entities).astype(int), 1)
        if family in SINGLE:
            wish[:] = 1
        popularity = 1.0 / np.arange(1, values + 1)
        entity = np.repeat(np.arange(entities), wish)
        value = rng.choice(values, size=len(entity), p=popularity / popularity.sum())
        edges[family] = np.unique(np.column_stack([entity, value]), axis=0).astype(np.int64)
    return edges


def plant(edges: Edges, family: str, entities: Iterable[int], value: int) -> None:
    """Let entities carry one more value."""
    more = np.array([(e, value) for e in entities], dtype=np.int64)
    edges[family] = np.unique(np.concatenate([edges[family], more]), axis=0)


def load(folder: Path, edges: Edges) -> tuple[Engine, Totals]:
    """An engine with ``incidence``, ``popularity`` and ``degree``."""
    engine = DuckDBEngine(folder, threads=1)
    rows = np.concatenate(list(edges.values()))
    family = np.repeat(list(edges), [len(e) for e in edges.values()])
    engine.load(
        "incidence",
        pa.table(
            {
                "entity": pa.array(rows[:, 0]),
                "family": pa.array(family.tolist(), pa.string()),
                "value": pa.array(rows[:, 1]),
            }
        ),
    )
    return engine, count_indicators(engine)
