"""Are the entities of a sweep one? Tests on the infrastructure they share.

A sweep is formed by content alone, so its addresses and payers fell on its members by their degrees
alone if they are strangers. What is counted is how many values two or more of them share, whichever
they are: a proxy network's accounts meet at many addresses, at each of them few. Under the null model
values are independent of one another, so that the count is a sum of independent indicators, whose
tail the Poisson bounds (Hoeffding 1956). Addresses are counted by network, and one network is taken
off: people in one place share that place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from stillhunt.engines.base import Engine
from stillhunt.linking.families import ADDRESS, PAYMENT
from stillhunt.linking.held_out import HeldOutTest
from stillhunt.linking.indicators import Totals, group_degrees
from stillhunt.linking.links import most_telling
from stillhunt.linking.null_model import NullModel, adjust, tail
from stillhunt.linking.sweeps import Sweep

MEETS = 0.05
"""False discovery rate among a sweep's members who are said to share infrastructure with the others."""

ONE_TEMPLATE = 0.8
"""Where the middle member that meets others has so much of its use of one template, and so much in
common with the rest of these, all do one thing in the same words, and likeness says nothing."""

RARE = 0.1
"""Ranks, among members who share infrastructure, down to which one who shares none does as they do."""


_FREE = {ADDRESS: 1, PAYMENT: 0}
"""How many places members may meet in for nothing: people in one place share that place."""


def build_meetings(engine: Engine, totals: Totals) -> None:
    """Make ``meeting`` (cluster, entity, family, value, place) of the sweeps in ``sweep_member``.

    One row for each member that carries an address or a payer which another member carries too. An
    address's place is its network.

    Args:
        engine: with ``whereabouts`` and the linking tables.
        totals: of the whole incidence.
    """
    engine.create(
        "meeting",
        f"""
        SELECT c.cluster, c.entity, i.family, i.value, COALESCE(a.network, i.value) AS place
        FROM sweep_member AS c
        JOIN incidence AS i ON i.entity = c.entity
        JOIN (
            SELECT c.cluster, i.family, i.value
            FROM sweep_member AS c
            JOIN incidence AS i ON i.entity = c.entity
            JOIN popularity AS p ON p.family = i.family AND p.value = i.value
            WHERE i.family IN ('{ADDRESS}', '{PAYMENT}') AND p.entities <= {most_telling(totals)}
            GROUP BY c.cluster, i.family, i.value HAVING COUNT(*) >= 2
        ) AS s ON s.cluster = c.cluster AND s.family = i.family AND s.value = i.value
        LEFT JOIN (
            SELECT address, MIN(network) AS network FROM whereabouts GROUP BY address
        ) AS a ON i.family = '{ADDRESS}' AND a.address = i.value
        """,  # noqa: S608
    )


def shared_tests(
    engine: Engine, totals: Totals, null: NullModel, sizes: list[int]
) -> list[list[HeldOutTest]]:
    """Tests of each sweep in ``sweep_member``, one for each family that the log carries.

    Args:
        engine: after ``build_meetings``, with the linking tables.
        totals, null: of the whole incidence.
        sizes: entities of each sweep.
    """
    out: list[list[HeldOutTest]] = [[] for _ in sizes]
    for family in (ADDRESS, PAYMENT):
        if totals.shareable[family] == 0:
            continue
        shared = _shared(engine, family)
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
    # Two or more of independent indicators: one less the chances of none and of one, exactly.
    chance = np.minimum(carrying, 1 - 1e-12)
    none = np.exp(members @ np.log1p(-chance))
    two = 1.0 - none * (1.0 + members @ (chance / (1 - chance)))
    return np.asarray(np.maximum(two, 0.0) @ popularities[1])


def _shared(engine: Engine, family: str) -> dict[int, int]:
    """Per sweep, in how many places members meet, less those that count for nothing."""
    rows = engine.query(
        f"""
        SELECT cluster, COUNT(DISTINCT place) AS n FROM meeting WHERE family = '{family}'
        GROUP BY cluster
        """  # noqa: S608
    ).to_pylist()
    return {row["cluster"]: max(row["n"] - _FREE[family], 0) for row in rows}


def member_tests(
    engine: Engine, totals: Totals, null: NullModel, sweeps: Sequence[Sweep]
) -> list[np.ndarray]:
    """Does a member meet the others of its sweep more often than a stranger as busy would?

    Args:
        engine: after ``build_meetings`` of these sweeps, with the linking tables.
        totals, null: of the whole incidence.
        sweeps: as loaded.

    Returns:
        For each sweep float (entities,): p-value of the networks in which it shares an address with
        others, less one, or of the payer it shares with others, after Bonferroni over both.
    """
    out = [np.ones(len(s.entities)) for s in sweeps]
    families = [f for f in (ADDRESS, PAYMENT) if totals.shareable[f] > 0]
    most = most_telling(totals)
    for family in families:
        # Values of a sweep, by how popular they are with strangers, and one more: how popular they
        # would be if this member were a stranger. The sweep's own use must not excuse it.
        values = engine.query(
            f"""
            SELECT v.cluster, v.outside, COUNT(*) AS n
            FROM (
                SELECT c.cluster, i.value, MAX(p.entities) - COUNT(*) + 1 AS outside
                FROM sweep_member AS c
                JOIN incidence AS i ON i.entity = c.entity AND i.family = '{family}'
                JOIN popularity AS p ON p.family = i.family AND p.value = i.value
                WHERE p.entities <= {most}
                GROUP BY c.cluster, i.value
            ) AS v
            GROUP BY v.cluster, v.outside
            """  # noqa: S608
        )
        carrying = null.carrying(family)
        cluster, popularity, n = (np.asarray(c) for c in values.columns)
        at = np.searchsorted(totals.popularities[family][0], popularity)
        there = np.zeros((len(sweeps), carrying.shape[1]))
        np.add.at(there, (cluster, at), n)
        rows = engine.query(
            f"""
            SELECT u.cluster, u.entity, MAX(d.n) AS degree, COUNT(DISTINCT u.place) AS met
            FROM meeting AS u JOIN degree AS d ON d.entity = u.entity AND d.family = u.family
            WHERE u.family = '{family}'
            GROUP BY u.cluster, u.entity ORDER BY u.cluster, u.entity
            """  # noqa: S608
        )
        cluster, entity, degree, met = (np.asarray(c) for c in rows.columns)
        met = np.maximum(met - _FREE[family], 0)
        row = np.searchsorted(totals.degrees[family][0], degree)
        expected = np.sum(carrying[row] * there[cluster], axis=1)
        p = np.where(met > 0, tail(met, np.maximum(expected, 1e-12)), 1.0)
        for i, sweep in enumerate(sweeps):
            here = cluster == i
            place = np.searchsorted(sweep.entities, entity[here])
            out[i][place] = np.minimum(out[i][place], np.minimum(len(families) * p[here], 1.0))
    return out


def supported(sweep: Sweep, p_values: np.ndarray) -> tuple[Sweep, np.ndarray]:
    """The members who meet others, and those who do as these do although they meet nobody.

    Who shares no infrastructure may be a stranger who copied one of the prompts. He stays if neither
    the likeness of his use of templates, nor how much of it is of one template, is out of what is
    usual among members who do share it (conformal ranks above RARE). Too few of these to rank among,
    or a sweep of one template, which everybody uses alike, tell him from nobody.

    Args:
        sweep: validated on infrastructure.
        p_values: of its members, from ``member_tests``.

    Returns:
        The sweep of those who stay, and bool (entities,) which of these meet others.
    """
    meets = adjust(p_values, len(p_values)) <= MEETS
    stays = meets
    narrow = sweep.concentration
    if meets.sum() >= 1 / RARE:
        alike = likeness(sweep, meets)
        uniform = min(np.median(narrow[meets]), np.median(alike[meets])) >= ONE_TEMPLATE
        if not uniform:
            unusual = np.minimum(_rank(alike, meets), _rank(-narrow, meets))
            stays = meets | (unusual > RARE)
    return sweep.only(stays), meets[stays]


def _rank(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Share of the reference, and of the one ranked, whose value is as low or lower."""
    ordered = np.sort(values[reference])
    ranked: np.ndarray = np.searchsorted(ordered, values, side="right") + 1
    return ranked / (len(ordered) + 1)


def likeness(sweep: Sweep, reference: np.ndarray) -> np.ndarray:
    """Cosine of each member's use of templates with the sum of the reference's, itself left out.

    Args:
        sweep: with n entities.
        reference: bool (n,), whom to compare with.

    Returns:
        float (n,).
    """
    row = np.searchsorted(sweep.entities, sweep.use.entity)
    names, column = np.unique(sweep.use.template, return_inverse=True)
    shape = (len(sweep.entities), len(names))
    length = np.sqrt(np.bincount(row, sweep.use.weight**2, shape[0]))
    use = csr_array((sweep.use.weight / length[row], (row, column.ravel())), shape=shape)
    total = np.asarray(use[reference].sum(axis=0)).ravel()
    own = reference.astype(float)
    product = np.asarray(use @ total).ravel() - own
    squared = float(total @ total) - 2 * own * (product + own) + own
    out: np.ndarray = (product / np.sqrt(np.maximum(squared, 1e-12))).round(9)
    return out
