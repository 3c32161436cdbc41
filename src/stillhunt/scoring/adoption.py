"""Entities that no single link reaches, but that do what a cluster does from where it does it.

An account with few addresses may share none of them surprisingly often. It is adopted where two
things that are independent of one another for strangers come together: its exchanges hold the
cluster's own templates as a member's do, and it shares more addresses or payers with the cluster
than a stranger as busy would. The first chooses candidates, the second tests them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.families import ADDRESS, PAYMENT
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import most_telling
from stillhunt.linking.null_model import NullModel, adjust, tail
from stillhunt.scoring.attribution import SURE, log_ratio, template_shares, users_beside

_INFRASTRUCTURE = (ADDRESS, PAYMENT)


def adopt(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    clusters: Sequence[np.ndarray],
    set_aside: np.ndarray,
    level: float,
) -> dict[int, tuple[int, float]]:
    """Entities to add to clusters.

    Args:
        engine: after ``mark_own_exchanges``.
        totals, null: of the whole incidence.
        clusters: entities of each.
        set_aside: entities that are never named.
        level: false discovery rate among candidates.

    Returns:
        Entity to (cluster, q-value), for those adopted.
    """
    users = users_beside(engine)
    keep = ~np.isin(users.entity, set_aside)
    for i, (share, background) in enumerate(template_shares(engine, len(clusters))):
        here = users.cluster == i
        keep[here] &= log_ratio(users.own[here], users.exchanges[here], share, background) >= SURE
    cluster, entity = users.cluster[keep], users.entity[keep]
    if len(cluster) == 0:
        return {}
    engine.load("candidate", pa.table({"cluster": pa.array(cluster), "entity": pa.array(entity)}))
    p_values = np.ones(len(cluster))
    for family in _INFRASTRUCTURE:
        if totals.shareable[family]:
            own = _family_p(engine, totals, null, family, cluster, entity)
            p_values = np.minimum(p_values, len(_INFRASTRUCTURE) * own)
    q_values = adjust(p_values, len(p_values))
    adopted: dict[int, tuple[int, float]] = {}
    for at in np.lexsort((cluster, p_values)):
        if q_values[at] <= level:
            adopted.setdefault(int(entity[at]), (int(cluster[at]), float(q_values[at])))
    return adopted


def _family_p(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    family: str,
    cluster: np.ndarray,
    entity: np.ndarray,
) -> np.ndarray:
    """float (candidates,): chance that a stranger shares so many values with the cluster."""
    engine.create(
        "cluster_value",
        f"""
        SELECT DISTINCT c.cluster, i.value, p.entities
        FROM cluster_of AS c
        JOIN incidence AS i ON i.entity = c.entity
        JOIN popularity AS p ON p.family = i.family AND p.value = i.value
        WHERE i.family = '{family}' AND p.entities <= {most_telling(totals)}
        """,  # noqa: S608
    )
    sizes = engine.query(
        "SELECT cluster, entities, COUNT(*) AS n FROM cluster_value GROUP BY cluster, entities"
    )
    busy = engine.query(
        f"""
        SELECT c.cluster, c.entity, d.n
        FROM candidate AS c JOIN degree AS d ON d.entity = c.entity
        WHERE d.family = '{family}'
        """  # noqa: S608
    )
    shared = engine.query(
        f"""
        SELECT c.cluster, c.entity, COUNT(*) AS n
        FROM candidate AS c
        JOIN incidence AS i ON i.entity = c.entity AND i.family = '{family}'
        JOIN cluster_value AS v ON v.cluster = c.cluster AND v.value = i.value
        GROUP BY c.cluster, c.entity
        """  # noqa: S608
    )
    place = {pair: i for i, pair in enumerate(zip(cluster.tolist(), entity.tolist(), strict=True))}

    def spread(rows: pa.Table) -> np.ndarray:
        out = np.zeros(len(cluster), dtype=np.int64)
        for c, e, n in zip(*(rows.column(i).to_pylist() for i in range(3)), strict=True):
            out[place[c, e]] = n
        return out

    degree, count = spread(busy), spread(shared)
    carrying = null.carrying(family)
    values = np.zeros((int(cluster.max()) + 1, carrying.shape[1]))
    for c, d, n in zip(*(sizes.column(i).to_pylist() for i in range(3)), strict=True):
        if c < len(values):
            values[c, np.searchsorted(totals.popularities[family][0], d)] += n
    row = np.searchsorted(totals.degrees[family][0], np.maximum(degree, 1))
    expected = np.where(degree > 0, np.sum(carrying[row] * values[cluster], axis=1), 0.0)
    return np.where(count > 0, tail(count, np.maximum(expected, 1e-12)), 1.0)
