"""Links: conjunctions of indicators that more entities share than strangers would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.families import PAIRS
from stillhunt.linking.indicators import Totals
from stillhunt.linking.null_model import NullModel, adjust, log_tail
from stillhunt.linking.together import Lists, lists_of, together

_NONE = np.zeros(0)
_NO_NUMBERS = np.zeros(0, dtype=np.int32)

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


def mark_telling(engine: Engine, totals: Totals) -> float:
    """Make ``telling`` (entity, family, value, entities, entity_no, value_no): values worth a test.

    A value that more than half of all entities carry tells less than one bit and is left out, as
    is one that a single entity carries. Both are known before any test. ``telling_value`` (family,
    value, entities, no) numbers the values of each family from 0, in their order.

    Returns:
        The number of conjunctions that could be tested.
    """
    engine.create(
        "telling_value",
        f"""
        SELECT family, value, entities,
            ROW_NUMBER() OVER (PARTITION BY family ORDER BY value) - 1 AS no
        FROM popularity WHERE entities >= 2 AND entities <= {most_telling(totals)}
        """,  # noqa: S608
    )
    engine.create(
        "telling",
        """
        SELECT i.entity, i.family, i.value, v.entities, e.no AS entity_no, v.no AS value_no
        FROM incidence AS i
        JOIN telling_value AS v ON v.family = i.family AND v.value = i.value
        JOIN (
            SELECT entity, ROW_NUMBER() OVER (ORDER BY entity) - 1 AS no
            FROM (SELECT DISTINCT entity FROM degree) AS d
        ) AS e ON e.entity = i.entity
        """,
    )
    return possible_tests(totals)


def possible_tests(totals: Totals) -> float:
    """How many conjunctions could be tested: pairs of values that two or more entities carry."""
    tests = 0.0
    for x, y in PAIRS:
        same = x == y
        tests += totals.shareable[x] * (totals.shareable[y] - same) / (2.0 if same else 1.0)
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
        engine: with ``telling`` and ``telling_value``.
        null: of the whole incidence.
        tests: from ``mark_telling``.
        level: bound on the false discovery rate (Benjamini and Hochberg 1995).
        beside: ``surprising`` of conjunctions that are tested with these and lie elsewhere.
    """
    carried = {family: Carried.read(engine, family) for family in {f for p in PAIRS for f in p}}
    surprising = surprising_conjunctions(null, carried, level)
    log_p = np.concatenate([surprising.log_p, beside])
    q = adjust(np.exp(log_p), max(tests, len(log_p)))[: len(surprising.log_p)]
    few_by_chance = surprising.expected <= MAX_BY_CHANCE * surprising.n
    kept = np.flatnonzero((q <= level) & few_by_chance)
    column = {name: values[kept] for name, values in vars(surprising).items()}
    x_family, y_family = families_of(column["pair"])
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
class Surprising:
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


def families_of(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both families of places in PAIRS, object (n,) each."""
    x, y = (np.array([names[i] for names in PAIRS], dtype=object)[pair] for i in (0, 1))
    return x, y


def surprising_conjunctions(
    null: NullModel, carried: Mapping[str, Carried], level: float
) -> Surprising:
    """Conjunctions of carried values with a p-value of at most the level.

    Args:
        null: of the whole incidence.
        carried: family to who carries what; pairs with a family that is not there are passed over.
        level: of each conjunction by itself.
    """
    found = []
    for x, y in sorted(PAIRS):
        if x not in carried or y not in carried:
            continue
        x_value, y_value, dx, dy, n = conjunctions(
            null, (x, carried[x]), (y, carried[y]), null.least(x, y, level)
        )
        expected = null.pairs(x, y, dx, dy)
        log_p = log_tail(n, expected)
        # No q-value is below its p-value, and those above the level move no other's.
        kept = log_p <= np.log(level)
        columns = (
            np.full(len(n), PAIRS.index((x, y))),
            x_value,
            y_value,
            dx,
            dy,
            n,
            expected,
            log_p,
        )
        found.append([column[kept] for column in columns])
    return Surprising(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def conjunctions(
    null: NullModel, x: tuple[str, Carried], y: tuple[str, Carried], least: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Values of two families, or two of one, that entities carry together.

    Args:
        null: of the whole incidence.
        x, y: families of a pair in PAIRS, and who carries what of them.
        least: int32 (popularity classes of x, of y), how many entities must carry both.

    Returns:
        Both values, how many entities carry each, and how many carry both: int64 (n,) each.
    """
    (x_family, first), (y_family, second) = x, y
    if len(first) == 0 or len(second) == 0:
        return (np.zeros(0, np.int64),) * 5
    at_x, at_y, n = together(
        first.entities,
        second.values,
        (null.kinds(x_family, first.popularity), null.kinds(y_family, second.popularity)),
        least,
        ordered=x_family == y_family,
    )
    return (
        first.names[at_x],
        second.names[at_y],
        first.popularity[at_x],
        second.popularity[at_y],
        n.astype(np.int64),
    )


@dataclass(frozen=True)
class Carried:
    """Who carries what of a family's telling values, both by number.

    Attributes:
        names, popularity: int64 (v,), the values and how many entities carry each.
        entity, value: int32 (m,), who carries what.
        number: of entities, those that carry none of these included.
    """

    names: np.ndarray
    popularity: np.ndarray
    entity: np.ndarray
    value: np.ndarray
    number: int

    # Each is long, and of most families only one is asked for.
    @cached_property
    def entities(self) -> Lists:
        """Of each value."""
        return lists_of(self.value, self.entity, len(self.names))

    @cached_property
    def values(self) -> Lists:
        """Of each entity."""
        return lists_of(self.entity, self.value, self.number)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def read(cls, engine: Engine, family: str) -> Carried:
        """What ``telling`` has of a family.

        Args:
            engine: after ``mark_telling``.
            family: which.
        """
        known = engine.query(
            f"SELECT value, entities FROM telling_value WHERE family = '{family}' ORDER BY no"  # noqa: S608
        )
        names, popularity = (np.asarray(c) for c in known.columns)
        entity, value = [_NO_NUMBERS], [_NO_NUMBERS]
        for batch in engine.scan(
            f"SELECT entity_no, value_no FROM telling WHERE family = '{family}'"  # noqa: S608
        ):
            entity.append(np.asarray(batch.column(0)).astype(np.int32))
            value.append(np.asarray(batch.column(1)).astype(np.int32))
        number = int(engine.scalar("SELECT MAX(entity_no) AS n FROM telling") or 0) + 1
        return cls(names, popularity, np.concatenate(entity), np.concatenate(value), number)


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
