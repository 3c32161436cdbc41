"""Links recomputed from a group's own incidence and everybody's degree totals.

What a hunt tests with all of the traffic at hand can be tested again with much less: who of the group
carries which values, how many entities carry each of these values, and the classes of degrees and
popularities. Tests of conjunctions that are not shown count as made and as p = 1, and carriers outside
the group are not counted, so that both errors are on the safe side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import (
    MAX_BY_CHANCE,
    Carried,
    Links,
    families_of,
    most_telling,
    possible_tests,
    surprising_conjunctions,
)
from stillhunt.linking.null_model import NullModel, adjust


def recompute_links(
    totals: Totals, carried: Mapping[str, Carried], level: float, stretches: int = 1
) -> Links:
    """The conjunctions within a group whose q-value is at most ``level``.

    Args:
        totals: of everybody.
        carried: family to who of the group carries what; popularity counts all entities.
        level: bound on the false discovery rate.
        stretches: how many stretches of traffic are tested in this way; q-values are multiplied by it
            (Bonferroni), since any of them may bear a link out.

    Returns:
        Links whose values are the names that ``carried`` has, and whose entities are its numbers.

    Raises:
        ValueError: a value is as popular as none is according to the totals.
    """
    tests = possible_tests(totals)
    telling = {f: _telling(c, totals, f) for f, c in carried.items()}
    found = surprising_conjunctions(NullModel(totals), telling, level / stretches)
    q = np.minimum(adjust(np.exp(found.log_p), max(tests, len(found.log_p))) * stretches, 1.0)
    kept = np.flatnonzero((q <= level) & (found.expected <= MAX_BY_CHANCE * found.n))
    x_family, y_family = families_of(found.pair[kept])
    x_value, y_value = found.x_value[kept], found.y_value[kept]
    link, entity = _members(telling, x_family, x_value, y_family, y_value)
    return Links(
        x_family=x_family,
        y_family=y_family,
        x_value=x_value,
        y_value=y_value,
        entities=found.n[kept],
        expected=found.expected[kept],
        log_p=found.log_p[kept],
        q_value=q[kept],
        member_link=link,
        member_entity=entity,
        tests=tests,
        surprising=found.log_p,
    )


def components(found: Sequence[Links], entities: int) -> np.ndarray:
    """Which entities links join with one another, all of them taken together.

    Args:
        found: links whose entities are numbers; entities: how many there are.

    Returns:
        int64 (entities,): label of each one's component, -1 for those without any link.
    """
    links, members, first = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], entities
    for some in found:
        links.append(first + some.member_link)
        members.append(some.member_entity)
        first += len(some)
    link, member = np.concatenate(links), np.concatenate(members)
    graph = coo_matrix((np.ones(len(link), dtype=np.int8), (member, link)), shape=(first, first))
    label = np.full(entities, -1, dtype=np.int64)
    linked = np.unique(member)
    label[linked] = connected_components(graph, directed=False)[1][linked]
    return label


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
