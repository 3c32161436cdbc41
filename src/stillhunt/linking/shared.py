"""Are the entities of a sweep one? Tests on the infrastructure they share.

A sweep is formed by content alone, so its addresses and payers fell on its members by their degrees
alone if they are strangers. What is counted is how many values two or more of them share, whichever
they are: a proxy network's accounts meet at many addresses, at each of them few. Under the null model
values are independent of one another, so that the count is a sum of independent indicators, whose
tail the Poisson bounds (Hoeffding 1956). Addresses are counted by network, and one network is taken
off: people in one place share that place.
"""

from __future__ import annotations

import numpy as np

from stillhunt.engines.base import Engine
from stillhunt.linking.families import ADDRESS, PAYMENT
from stillhunt.linking.held_out import HeldOutTest
from stillhunt.linking.indicators import Totals, group_degrees
from stillhunt.linking.links import most_telling
from stillhunt.linking.null_model import NullModel, tail


def shared_tests(
    engine: Engine, totals: Totals, null: NullModel, sizes: list[int]
) -> list[list[HeldOutTest]]:
    """Tests of each sweep in ``sweep_member``, one for each family that the log carries.

    Args:
        engine: with ``sweep_member`` and the linking tables.
        totals, null: of the whole incidence.
        sizes: entities of each sweep.
    """
    out: list[list[HeldOutTest]] = [[] for _ in sizes]
    counts = {ADDRESS: _places, PAYMENT: _payers}
    for family, count in counts.items():
        if totals.shareable[family] == 0:
            continue
        shared = count(engine, most_telling(totals))
        expected = expected_shared(
            null.carrying(family),
            totals.degrees[family][0],
            totals.popularities[family],
            group_degrees(engine, "sweep_member", family),
            len(sizes),
        )
        for i, size in enumerate(sizes):
            n = shared.get(i, 0)
            p = float(tail(np.array([n]), np.array([max(expected[i], 1e-12)]))[0])
            out[i].append(HeldOutTest(family, size, n, float(expected[i]), p))
    return out


def expected_shared(
    carrying: np.ndarray,
    classes: np.ndarray,
    popularities: np.ndarray,
    degrees: np.ndarray,
    groups: int,
) -> np.ndarray:
    """How many values two or more of a group's entities would share, were they strangers.

    Args:
        carrying: float (a, b), probability that an entity of a degree carries a value of a popularity.
        classes: int (a,), the degrees.
        popularities: int (2, b), the popularities and how many values have each.
        degrees: int (3, m), as of ``group_degrees``.
        groups: how many there are.

    Returns:
        float (groups,).
    """
    members = np.zeros((groups, len(classes)))
    np.add.at(members, (degrees[0], np.searchsorted(classes, degrees[1])), degrees[2])
    mean = members @ carrying
    # Two or more of a Poisson number: more than of a sum of unequal indicators of the same mean.
    two: np.ndarray = -np.expm1(-mean) - mean * np.exp(-mean)
    return np.asarray(np.maximum(two, 0.0) @ popularities[1])


def _places(engine: Engine, most: int) -> dict[int, int]:
    """Per sweep, in how many networks members share an address, less one."""
    rows = engine.query(
        f"""
        SELECT s.cluster, COUNT(DISTINCT s.network) AS n
        FROM (
            SELECT u.cluster, u.address, MIN(u.network) AS network
            FROM (
                SELECT DISTINCT c.cluster, c.entity, o.address, o.network
                FROM sweep_member AS c
                JOIN account_entity AS m ON m.entity = c.entity
                JOIN observations AS o ON o.account = m.account
                WHERE o.address IS NOT NULL
            ) AS u
            JOIN popularity AS p ON p.family = 'address' AND p.value = u.address
            WHERE p.entities <= {most}
            GROUP BY u.cluster, u.address HAVING COUNT(DISTINCT u.entity) >= 2
        ) AS s
        GROUP BY s.cluster
        """  # noqa: S608
    ).to_pylist()
    return {row["cluster"]: max(row["n"] - 1, 0) for row in rows}


def _payers(engine: Engine, most: int) -> dict[int, int]:
    """Per sweep, how many payment instruments pay for two members or more."""
    rows = engine.query(
        f"""
        SELECT s.cluster, COUNT(*) AS n
        FROM (
            SELECT c.cluster, i.value
            FROM sweep_member AS c
            JOIN incidence AS i ON i.entity = c.entity AND i.family = 'payment'
            JOIN popularity AS p ON p.family = i.family AND p.value = i.value
            WHERE p.entities <= {most}
            GROUP BY c.cluster, i.value HAVING COUNT(*) >= 2
        ) AS s
        GROUP BY s.cluster
        """  # noqa: S608
    ).to_pylist()
    return {row["cluster"]: row["n"] for row in rows}
