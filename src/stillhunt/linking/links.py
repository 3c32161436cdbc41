"""Links: conjunctions of indicators that more entities share than strangers would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.families import PAIRS
from stillhunt.linking.indicators import Totals
from stillhunt.linking.null_model import NullModel, adjust, log_tail

MAX_BY_CHANCE = 0.1
"""Of the entities of a link at most this share may be there by chance (expected / entities): a
conjunction of popular values can be significant as a whole and yet say little of any one entity."""


@dataclass(frozen=True)
class Links:
    """Conjunctions, n of them, and the m (link, entity) pairs behind them.

    Attributes:
        x_family, y_family: object (n,); x_value, y_value: int64 (n,).
        entities: int64 (n,), that carry both; expected: float (n,), under the null model.
        log_p: float (n,), natural logarithm; q_value: float (n,), over all tests possible.
        member_link: int64 (m,), row of a link; member_entity: int64 (m,).
        tests: how many conjunctions could have been tested.
    """

    x_family: np.ndarray
    y_family: np.ndarray
    x_value: np.ndarray
    y_value: np.ndarray
    entities: np.ndarray
    expected: np.ndarray
    log_p: np.ndarray
    q_value: np.ndarray
    member_link: np.ndarray
    member_entity: np.ndarray
    tests: float

    def __len__(self) -> int:
        return len(self.x_value)

    def among(self, entities: np.ndarray) -> Links:
        """The links all of whose members are among some entities."""
        inside = np.isin(self.member_entity, entities)
        strangers = np.bincount(self.member_link[~inside], minlength=len(self))
        kept = np.flatnonzero(strangers == 0)
        number = np.full(len(self), -1)
        number[kept] = np.arange(len(kept))
        own = number[self.member_link] >= 0
        return Links(
            x_family=self.x_family[kept],
            y_family=self.y_family[kept],
            x_value=self.x_value[kept],
            y_value=self.y_value[kept],
            entities=self.entities[kept],
            expected=self.expected[kept],
            log_p=self.log_p[kept],
            q_value=self.q_value[kept],
            member_link=number[self.member_link[own]],
            member_entity=self.member_entity[own],
            tests=self.tests,
        )


def build_conjunctions(engine: Engine, totals: Totals) -> float:
    """Make ``conjunction``: values of two families that at least two entities carry together.

    A value that more than half of all entities carry tells less than one bit and is left out, as
    is one that a single entity carries. Both are known before any test.

    Returns:
        The number of conjunctions that could have been tested.
    """
    engine.create(
        "telling",
        f"""
        SELECT i.entity, i.family, i.value, p.entities
        FROM incidence AS i
        JOIN popularity AS p ON p.family = i.family AND p.value = i.value
        WHERE p.entities >= 2 AND p.entities <= {most_telling(totals)}
        """,  # noqa: S608
    )
    parts = []
    tests = 0.0
    for x, y in PAIRS:
        same = x == y
        tests += totals.shareable[x] * (totals.shareable[y] - same) / (2.0 if same else 1.0)
        parts.append(
            f"""
            SELECT '{x}' AS x_family, a.value AS x_value, '{y}' AS y_family, b.value AS y_value,
                MAX(a.entities) AS dx, MAX(b.entities) AS dy, COUNT(*) AS n
            FROM telling AS a JOIN telling AS b ON a.entity = b.entity
            WHERE a.family = '{x}' AND b.family = '{y}'{" AND a.value < b.value" if same else ""}
            GROUP BY a.value, b.value
            HAVING COUNT(*) >= 2
            """  # noqa: S608
        )
    engine.create("conjunction", " UNION ALL ".join(parts))
    return tests


def most_telling(totals: Totals) -> int:
    """Entities a value may have to tell at least one bit: half of all."""
    return max(2, totals.entities // 2)


def find_links(engine: Engine, null: NullModel, tests: float, level: float) -> Links:
    """The conjunctions whose q-value is at most ``level``.

    Args:
        engine: with ``conjunction`` and ``telling``.
        null: of the whole incidence.
        tests: from ``build_conjunctions``.
        level: bound on the false discovery rate (Benjamini and Hochberg 1995).
    """
    rows = engine.query(
        """
        SELECT x_family, x_value, y_family, y_value, dx, dy, n FROM conjunction
        ORDER BY x_family, y_family, x_value, y_value
        """
    )
    column = {name: np.asarray(rows.column(name)) for name in rows.column_names}
    expected = np.zeros(rows.num_rows)
    for x, y in PAIRS:
        here = (column["x_family"] == x) & (column["y_family"] == y)
        expected[here] = null.pairs(x, y, column["dx"][here], column["dy"][here])
    log_p = log_tail(column["n"], expected)
    q = adjust(np.exp(log_p), max(tests, rows.num_rows))
    kept = np.flatnonzero((q <= level) & (expected <= MAX_BY_CHANCE * column["n"]))
    engine.load(
        "link",
        pa.table(
            {
                "link": pa.array(np.arange(len(kept)), pa.int64()),
                **{
                    name: rows.column(name).take(kept)
                    for name in ("x_family", "x_value", "y_family", "y_value")
                },
            }
        ),
    )
    members = engine.query(
        """
        SELECT l.link, a.entity
        FROM link AS l
        JOIN telling AS a ON a.family = l.x_family AND a.value = l.x_value
        JOIN telling AS b ON b.family = l.y_family AND b.value = l.y_value AND b.entity = a.entity
        ORDER BY l.link, a.entity
        """
    )
    return Links(
        x_family=column["x_family"][kept],
        y_family=column["y_family"][kept],
        x_value=column["x_value"][kept],
        y_value=column["y_value"][kept],
        entities=column["n"][kept],
        expected=expected[kept],
        log_p=log_p[kept],
        q_value=q[kept],
        member_link=np.asarray(members.column("link")),
        member_entity=np.asarray(members.column("entity")),
        tests=tests,
    )
