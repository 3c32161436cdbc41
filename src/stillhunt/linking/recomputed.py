"""Links recomputed from a group's own incidence and everybody's degree totals.

What a hunt tests with all of the traffic at hand can be tested again with much less: who of the group
carries which values, how many entities carry each of these values, and the classes of degrees and
popularities. Tests of conjunctions that are not shown count as made and as p = 1, and carriers outside
the group are not counted, so that both errors are on the safe side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stillhunt.linking.families import PAIRS
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import (
    MAX_BY_CHANCE,
    Carried,
    conjunctions,
    most_telling,
    possible_tests,
)
from stillhunt.linking.null_model import NullModel, adjust, log_tail


@dataclass(frozen=True)
class Recomputed:
    """Links among the entities of a group, n of them.

    Attributes:
        x_family, y_family: object (n,); x_value, y_value: int64 (n,), numbers of values.
        entities: int64 (n,), of the group that carry both; expected: float (n,), of all entities.
        log_p: float (n,); q_value: float (n,).
        member_link, member_entity: int64 (m,), who carries both values of which link.
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

    def components(self, entities: int) -> np.ndarray:
        """int64 (entities,): which entities links join with one another; -1 for those without any."""
        n = entities + len(self)
        graph = coo_matrix(
            (
                np.ones(len(self.member_link), dtype=np.int8),
                (self.member_entity, entities + self.member_link),
            ),
            shape=(n, n),
        )
        label: np.ndarray = connected_components(graph, directed=False)[1][:entities]
        label = label.astype(np.int64)
        alone = np.ones(entities, dtype=bool)
        alone[self.member_entity] = False
        label[alone] = -1
        return label


def recompute_links(
    totals: Totals, carried: Mapping[str, Carried], level: float, stretches: int = 1
) -> Recomputed:
    """The conjunctions within a group whose q-value is at most ``level``.

    Args:
        totals: of everybody.
        carried: family to who of the group carries what; popularity counts all entities.
        level: bound on the false discovery rate.
        stretches: how many stretches of traffic are tested in this way; q-values are multiplied by it
            (Bonferroni), since any of them may bear a link out.

    Raises:
        ValueError: a value is as popular as none is according to the totals.
    """
    null = NullModel(totals)
    tests = possible_tests(totals)
    telling = {f: _telling(c, totals, f) for f, c in carried.items()}
    parts = []
    for x, y in sorted(PAIRS):
        if x not in telling or y not in telling:
            continue
        first, second = telling[x], telling[y]
        # Values by their numbers, so that the carriers of a link are found again.
        x_value, y_value, dx, dy, n = conjunctions(
            null, (x, first), (y, second), null.least(x, y, level / stretches)
        )
        expected = null.pairs(x, y, dx, dy)
        parts.append(
            (
                np.full(len(n), PAIRS.index((x, y))),
                x_value,
                y_value,
                n,
                expected,
                log_tail(n, expected),
            )
        )
    pair, x_value, y_value, n, expected, log_p = (
        np.concatenate([part[i] for part in parts]) if parts else np.zeros(0) for i in range(6)
    )
    q = np.minimum(adjust(np.exp(log_p), max(tests, len(log_p))) * stretches, 1.0)
    kept = np.flatnonzero((q <= level) & (expected <= MAX_BY_CHANCE * n))
    pair = pair[kept].astype(np.int64)
    x_family, y_family = (np.array([p[i] for p in PAIRS], dtype=object)[pair] for i in (0, 1))
    x_value, y_value = x_value[kept].astype(np.int64), y_value[kept].astype(np.int64)
    link, entity = _members(telling, x_family, x_value, y_family, y_value)
    return Recomputed(
        x_family, y_family, x_value, y_value, n[kept].astype(np.int64), expected[kept],
        log_p[kept], q[kept], link, entity, tests,
    )  # fmt: skip


def _telling(carried: Carried, totals: Totals, family: str) -> Carried:
    """Without values that tell less than one bit, as the hunt leaves them out."""
    known = np.isin(carried.popularity, totals.popularities[family][0])
    if not known.all():
        raise ValueError(f"a {family} is as popular as none is")
    keep = carried.popularity <= most_telling(totals)
    number = np.cumsum(keep) - 1
    rows = keep[carried.value]
    return Carried(
        carried.names[keep],
        carried.popularity[keep],
        carried.entity[rows],
        number[carried.value[rows]].astype(np.int32),
        carried.number,
    )


def _members(
    telling: Mapping[str, Carried],
    x_family: np.ndarray,
    x_value: np.ndarray,
    y_family: np.ndarray,
    y_value: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    links, entities = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for i in range(len(x_value)):
        of_x = _carriers(telling[x_family[i]], int(x_value[i]))
        of_y = _carriers(telling[y_family[i]], int(y_value[i]))
        both = np.intersect1d(of_x, of_y).astype(np.int64)
        links.append(np.full(len(both), i, dtype=np.int64))
        entities.append(both)
    return np.concatenate(links), np.concatenate(entities)


def _carriers(carried: Carried, name: int) -> np.ndarray:
    """Entities that carry a value, by its name; names rise."""
    at = int(np.searchsorted(carried.names, name))
    lists = carried.entities
    return lists.values[lists.offsets[at] : lists.offsets[at + 1]]
