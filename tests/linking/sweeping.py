"""Small worlds of entities that put items through templates, for the tests of sweeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.indicators import Totals, count_indicators
from sums import observe, sum_up


@dataclass
class World:
    """Exchanges as (entity, item, template or 0, words), and the client and address of each entity."""

    rows: list[tuple[int, int, int, int]] = field(default_factory=list)
    client: dict[int, int] = field(default_factory=dict)
    address: dict[int, int] = field(default_factory=dict)
    items: int = 1

    def sweep(
        self,
        entity: int,
        templates: list[int],
        count: int,
        client: int,
        shared: int = 0,
        words: Iterable[float] = (),
    ) -> None:
        """An entity's exchanges, its templates in turn; items its own, or so many everybody's."""
        self.client[entity] = client
        lengths = list(words) or [100.0] * count
        for i in range(count):
            self.items += 1
            item = -(i % shared) - 1 if shared else self.items
            self.rows.append((entity, item, templates[i % len(templates)], int(lengths[i])))

    def chat(self, rng: np.random.Generator, entities: range, clients: int = 40) -> None:
        """Customers at large: volumes and typical lengths by log-normal, no template, a client each."""
        for entity in entities:
            count = int(np.ceil(rng.lognormal(np.log(30), 0.9)))
            words = rng.lognormal(rng.normal(np.log(100), 0.7), 0.7, count)
            self.sweep(entity, [0], count, int(rng.integers(clients)), words=words)

    def renamed(self, name: dict[int, int], order: np.ndarray) -> World:
        """The same with other names of entities and another order of rows."""
        rows = [(name[e], i, t, w) for e, i, t, w in (self.rows[j] for j in order.tolist())]
        return World(rows, {name[e]: c for e, c in self.client.items()})


def load_world(
    folder: Path, world: World, set_aside: tuple[int, ...] = ()
) -> tuple[Engine, Totals]:
    """An engine with what ``find_groups`` reads, the links' tables aside."""
    engine = DuckDBEngine(folder, threads=1)
    entity, item, template, words = (
        np.array(c, dtype=np.int64) for c in zip(*world.rows, strict=True)
    )
    key = np.arange(len(entity))
    observe(
        engine,
        pa.table(
            {
                "key": pa.array(key),
                "account": pa.array(entity),
                "item": pa.array(item),
                "words": pa.array(words),
            }
        ),
    )
    names = np.unique(entity)
    engine.load("account_entity", pa.table({"account": pa.array(names), "entity": pa.array(names)}))
    used = template != 0
    engine.load(
        "exchange_template",
        pa.table(
            {
                "key": pa.array(key[used]),
                "entity": pa.array(entity[used]),
                "item": pa.array(item[used]),
                "words": pa.array(words[used]),
                "template": pa.array(template[used]),
            }
        ),
    )
    pairs = np.unique(np.column_stack([entity[used], template[used]]), axis=0)
    clients = np.array(sorted(world.client.items()), dtype=np.int64).reshape(-1, 2)
    places = np.array(sorted(world.address.items()), dtype=np.int64).reshape(-1, 2)
    both = np.concatenate([pairs, clients, places])
    family = ["template"] * len(pairs) + ["client"] * len(clients) + ["address"] * len(places)
    engine.load(
        "incidence",
        pa.table(
            {
                "entity": pa.array(both[:, 0]),
                "family": pa.array(family, pa.string()),
                "value": pa.array(both[:, 1]),
            }
        ),
    )
    sum_up(engine)
    engine.load("set_aside", pa.table({"entity": pa.array(list(set_aside), pa.int64())}))
    return engine, count_indicators(engine)
