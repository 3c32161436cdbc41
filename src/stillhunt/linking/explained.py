"""What explains, innocently, that a sweep's entities do the same: a tool, or a place.

A tool's users share its client; people in one room share its address. Either makes them alike
without making them one operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stillhunt.engines.base import Engine
from stillhunt.linking.families import ADDRESS, CLIENT, NETWORK
from stillhunt.linking.indicators import load_groups
from stillhunt.linking.sweeps import Sweep

MOST = 0.5
"""A client, or an address, explains a sweep if more than this share of its entities use it, or one
of two, and it is twice as common among them as among others."""


@dataclass(frozen=True)
class Common:
    """The two values of a family that most of a sweep's entities carry.

    Attributes:
        share: of the sweep's entities that carry one of them; None where most carry no value.
        elsewhere: of all others.
    """

    share: float | None
    elsewhere: float

    @property
    def explains(self) -> bool:
        """Whether they are common here and not elsewhere."""
        return self.share is not None and self.share > MOST and self.share > 2 * self.elsewhere


def load_sweeps(engine: Engine, sweeps: Sequence[Sweep]) -> None:
    """Make ``sweep_member`` (cluster, entity), which the tests of sweeps read."""
    load_groups(engine, "sweep_member", [s.entities for s in sweeps])


def by_tool(engine: Engine, sweeps: int) -> list[bool]:
    """Whether a tool explains each sweep; where no client is logged it cannot be ruled out."""
    return [c.share is None or c.explains for c in common(engine, CLIENT, sweeps)]


def by_place(engine: Engine, sweeps: int) -> list[bool]:
    """Whether a place explains each sweep: an address, or a network."""
    pairs = zip(common(engine, ADDRESS, sweeps), common(engine, NETWORK, sweeps), strict=True)
    return [address.explains or network.explains for address, network in pairs]


def common(engine: Engine, family: str, sweeps: int) -> list[Common]:
    """The commonest two values of each sweep in ``sweep_member``."""
    engine.create(
        "commonest",
        f"""
        SELECT cluster, value FROM (
            SELECT c.cluster, i.value,
                ROW_NUMBER() OVER (PARTITION BY c.cluster ORDER BY COUNT(*) DESC, i.value) AS place
            FROM sweep_member AS c
            JOIN incidence AS i ON i.entity = c.entity AND i.family = '{family}'
            GROUP BY c.cluster, i.value
        ) AS ranked
        WHERE place <= 2
        """,  # noqa: S608
    )
    using = engine.query(
        f"""
        SELECT s.cluster, COUNT(DISTINCT i.entity) AS everybody, COUNT(DISTINCT c.entity) AS members
        FROM commonest AS s
        JOIN incidence AS i ON i.family = '{family}' AND i.value = s.value
        LEFT JOIN sweep_member AS c ON c.entity = i.entity AND c.cluster = s.cluster
        GROUP BY s.cluster
        """  # noqa: S608
    ).to_pylist()
    carrying = engine.query(
        f"""
        SELECT c.cluster, COUNT(DISTINCT c.entity) AS n
        FROM sweep_member AS c
        JOIN incidence AS i ON i.entity = c.entity AND i.family = '{family}'
        GROUP BY c.cluster
        """  # noqa: S608
    ).to_pylist()
    everybody = int(
        engine.scalar(
            f"SELECT COUNT(DISTINCT entity) AS n FROM incidence WHERE family = '{family}'"  # noqa: S608
        )
        or 0
    )
    size = {row["cluster"]: row["n"] for row in carrying}
    found = {
        row["cluster"]: Common(
            row["members"] / size[row["cluster"]],
            (row["everybody"] - row["members"]) / max(everybody - size[row["cluster"]], 1),
        )
        for row in using
    }
    members = {
        row["cluster"]: row["n"]
        for row in engine.query(
            "SELECT cluster, COUNT(*) AS n FROM sweep_member GROUP BY cluster"
        ).to_pylist()
    }
    unknown = Common(None, 0.0)
    return [
        found[i] if i in found and size[i] > MOST * members[i] else unknown for i in range(sweeps)
    ]
