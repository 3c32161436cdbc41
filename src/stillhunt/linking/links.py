"""Links: conjunctions of indicators that more entities share than strangers would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.families import PAIRS
from stillhunt.linking.indicators import Totals
from stillhunt.linking.null_model import NullModel, adjust, log_tail

_NONE = np.zeros(0)

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
        surprising: float, log p-values of all conjunctions, links or not, down to which the level goes.
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
    surprising: np.ndarray

    def __len__(self) -> int:
        return len(self.x_value)


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
    for pair, (x, y) in enumerate(PAIRS):
        same = x == y
        tests += totals.shareable[x] * (totals.shareable[y] - same) / (2.0 if same else 1.0)
        parts.append(
            f"""
            SELECT {pair} AS pair, a.value AS x_value, b.value AS y_value,
                MAX(a.entities) AS dx, MAX(b.entities) AS dy, COUNT(*) AS n
            FROM telling AS a JOIN telling AS b ON a.entity = b.entity
            WHERE a.family = '{x}' AND b.family = '{y}'{" AND a.value < b.value" if same else ""}
            GROUP BY a.value, b.value
            HAVING COUNT(*) >= 2
            """  # noqa: S608
        )
    engine.create("conjunction", " UNION ALL ".join(parts))
    x_family, y_family = (pa.array([pair[i] for pair in PAIRS], pa.string()) for i in (0, 1))
    engine.load(
        "pair_family",
        pa.table(
            {
                "pair": pa.array(range(len(PAIRS)), pa.int32()),
                "x_family": x_family,
                "y_family": y_family,
            }
        ),
    )
    return tests


def most_telling(totals: Totals) -> int:
    """Entities a value may have to tell at least one bit: half of all."""
    return max(2, totals.entities // 2)


def find_links(
    engine: Engine,
    null: NullModel,
    tests: float,
    level: float,
    beside: np.ndarray = _NONE,
) -> Links:
    """The conjunctions whose q-value is at most ``level``.

    Args:
        engine: with ``conjunction`` and ``telling``.
        null: of the whole incidence.
        tests: from ``build_conjunctions``.
        level: bound on the false discovery rate (Benjamini and Hochberg 1995).
        beside: ``surprising`` of conjunctions that are tested with these and lie elsewhere.
    """
    surprising, number = _surprising(engine, null, level)
    log_p = np.concatenate([surprising.log_p, beside])
    q = adjust(np.exp(log_p), max(tests, number))[: len(surprising.log_p)]
    few_by_chance = surprising.expected <= MAX_BY_CHANCE * surprising.n
    kept = np.flatnonzero((q <= level) & few_by_chance)
    column = {name: values[kept] for name, values in vars(surprising).items()}
    x_family, y_family = (
        np.array([pair[i] for pair in PAIRS], dtype=object)[column["pair"]] for i in (0, 1)
    )
    _load_links(engine, column, x_family, y_family)
    members = engine.query("SELECT link, entity FROM link_entity ORDER BY link, entity")
    return Links(
        x_family=x_family,
        y_family=y_family,
        x_value=column["x_value"],
        y_value=column["y_value"],
        entities=column["n"],
        expected=column["expected"],
        log_p=column["log_p"],
        q_value=q[kept],
        member_link=np.asarray(members.column("link")),
        member_entity=np.asarray(members.column("entity")),
        tests=tests,
        surprising=surprising.log_p,
    )


@dataclass(frozen=True)
class _Surprising:
    """Conjunctions with a p-value of at most the level, in the order of their families and values.

    Attributes:
        pair: int64 (n,), place in PAIRS; x_value, y_value, n: int64 (n,); expected, log_p: float (n,).
        dx, dy: int64 (n,), entities that carry each value.
    """

    pair: np.ndarray
    x_value: np.ndarray
    y_value: np.ndarray
    dx: np.ndarray
    dy: np.ndarray
    n: np.ndarray
    expected: np.ndarray
    log_p: np.ndarray


def _surprising(engine: Engine, null: NullModel, level: float) -> tuple[_Surprising, int]:
    """Those conjunctions, and how many there are of any kind: most are chance, and are streamed by."""
    names = ("pair", "x_value", "y_value", "dx", "dy", "n")
    found: list[list[np.ndarray]] = []
    number = 0
    for batch in engine.scan(f"SELECT {', '.join(names)} FROM conjunction"):  # noqa: S608
        number += batch.num_rows
        column = [np.asarray(batch.column(name)).astype(np.int64) for name in names]
        pair, _, _, dx, dy, n = column
        expected = np.zeros(batch.num_rows)
        for i in np.unique(pair).tolist():
            here = pair == i
            x, y = PAIRS[i]
            expected[here] = null.pairs(x, y, dx[here], dy[here])
        log_p = log_tail(n, expected)
        # No q-value is below its p-value, and those above the level move no other's.
        kept = log_p <= np.log(level)
        found.append([values[kept] for values in (*column, expected, log_p)])
    whole = [np.concatenate(parts) for parts in zip(*found, strict=True)] or _nothing()
    order = np.lexsort((whole[2], whole[1], _BY_NAME[whole[0]]))
    return _Surprising(*(values[order] for values in whole)), number


_BY_NAME = np.argsort(sorted(range(len(PAIRS)), key=lambda i: PAIRS[i]))
"""Rank of each pair by the names of its families."""


def _nothing() -> list[np.ndarray]:
    return [np.zeros(0, np.int64)] * 6 + [np.zeros(0)] * 2


def _load_links(
    engine: Engine, column: dict[str, np.ndarray], x_family: np.ndarray, y_family: np.ndarray
) -> None:
    """Make ``link`` and ``link_entity`` (link, entity).

    Entities are sought among the carriers of the rarer value, for the other's may be very many.
    """
    swap = column["dx"] > column["dy"]
    engine.load(
        "link",
        pa.table(
            {
                "link": pa.array(np.arange(len(swap)), pa.int64()),
                "x_family": pa.array(x_family, pa.string()),
                "x_value": pa.array(column["x_value"]),
                "y_family": pa.array(y_family, pa.string()),
                "y_value": pa.array(column["y_value"]),
                "rare_family": pa.array(np.where(swap, y_family, x_family), pa.string()),
                "rare_value": pa.array(np.where(swap, column["y_value"], column["x_value"])),
                "other_family": pa.array(np.where(swap, x_family, y_family), pa.string()),
                "other_value": pa.array(np.where(swap, column["x_value"], column["y_value"])),
            }
        ),
    )
    engine.create(
        "link_carrier",
        """
        SELECT l.link, a.entity, l.other_family, l.other_value
        FROM link AS l JOIN telling AS a ON a.family = l.rare_family AND a.value = l.rare_value
        """,
    )
    engine.create(
        "link_entity",
        """
        SELECT c.link, c.entity
        FROM link_carrier AS c
        JOIN telling AS b
            ON b.entity = c.entity AND b.family = c.other_family AND b.value = c.other_value
        """,
    )
    engine.drop("link_carrier")
