"""Which exchanges are the campaign's, how many, and which accounts took part.

An exchange of a member is the campaign's if it holds one of the campaign's own templates: those
that more members use than strangers as busy would. A reseller's honest customers on the same
accounts do not use them and are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.families import TEMPLATE
from stillhunt.linking.indicators import Totals, group_degrees, load_groups
from stillhunt.linking.links import most_telling
from stillhunt.linking.null_model import NullModel, adjust, log_tail
from stillhunt.scoring.calibration import probability
from stillhunt.scoring.features import MIN_USE

MIN_MEMBERSHIP = 0.5
"""An entity is named only where it is more likely than not part of the campaign."""

BY_CHANCE = 0.25
"""A template is a cluster's own where strangers' habits explain no more than this share of its use."""

SURE = 12.0
"""Nats; no single signal makes a membership more certain than this."""


@dataclass(frozen=True)
class Member:
    """An entity's part in a cluster.

    Attributes:
        entity: int64 hash.
        exchanges: all of its exchanges; attributed: those that are the campaign's.
        content: log-odds from what it asked; link: log-odds from its best link.
    """

    entity: int
    exchanges: int
    attributed: int
    content: float | None
    link: float

    @property
    def probability(self) -> float:
        """That the entity is part of the campaign."""
        return probability((self.content or 0.0) + self.link)

    @property
    def named(self) -> bool:
        """Whether it is surely enough a member, with exchanges to show for it."""
        return self.probability > MIN_MEMBERSHIP and self.attributed >= MIN_USE


@dataclass(frozen=True)
class Attribution:
    """Exchanges of one cluster that are the campaign's.

    Attributes:
        members: one for each entity of the cluster; only those ``named`` count.
        exchanges, low, high: the count and its interval.
        background: share of other entities' exchanges that hold one of the templates.
        has_templates: False where no text was logged; then every exchange of a member counts.
    """

    members: tuple[Member, ...]
    exchanges: int
    low: int
    high: int
    background: float
    has_templates: bool


def mark_own_exchanges(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    clusters: Sequence[np.ndarray],
    swept: Sequence[np.ndarray],
    level: float,
) -> None:
    """Find what clusters' members do together.

    Makes ``cluster_of`` (entity, cluster), ``stranger`` (entity in no cluster, n exchanges with text),
    ``own_template`` (cluster, template), ``own_holding`` (cluster, entity, k exchanges that hold one
    of them, anybody's) and ``own_exchange`` (key, cluster, entity): members' exchanges that do, or,
    where no text was logged, all of them.

    Args:
        engine: with the linking tables.
        totals, null: of the whole incidence.
        clusters: entities of each; licensed entities must not be among them.
        swept: templates of the sweep that formed each; none where none did.
        level: false discovery rate for a cluster's own templates.
    """
    load_groups(engine, "cluster_of", clusters)
    engine.create(
        "stranger",
        """
        SELECT v.entity, v.written AS n
        FROM volume AS v
        LEFT JOIN cluster_of AS c ON c.entity = v.entity
        LEFT JOIN set_aside AS a ON a.entity = v.entity
        WHERE v.written > 0 AND c.entity IS NULL AND a.entity IS NULL
        """,
    )
    engine.load("own_template", _own_templates(engine, totals, null, swept, level))
    engine.create(
        "own_holder",
        """
        SELECT t.key, w.cluster, MIN(t.entity) AS entity
        FROM exchange_template AS t JOIN own_template AS w ON w.template = t.template
        GROUP BY t.key, w.cluster
        """,
    )
    engine.create(
        "own_holding",
        "SELECT cluster, entity, COUNT(*) AS k FROM own_holder GROUP BY cluster, entity",
    )
    held = """
        SELECT h.key, h.cluster, h.entity
        FROM own_holder AS h
        JOIN cluster_of AS c ON c.entity = h.entity AND c.cluster = h.cluster
        """
    silent = engine.query(
        """
        SELECT c.cluster FROM cluster_of AS c JOIN volume AS v ON v.entity = c.entity
        GROUP BY c.cluster HAVING SUM(v.written) = 0
        """
    ).column("cluster")
    if len(silent):
        engine.load("silent", pa.table({"cluster": silent}))
        held += """
        UNION ALL
        SELECT o.key, c.cluster, m.entity
        FROM observations AS o
        JOIN account_entity AS m ON m.account = o.account
        JOIN cluster_of AS c ON c.entity = m.entity
        JOIN silent AS s ON s.cluster = c.cluster
        """
    engine.create("own_exchange", held)
    engine.drop("own_holder")


def attribute(
    engine: Engine, clusters: Sequence[np.ndarray], best_q: dict[int, float]
) -> list[Attribution]:
    """Attribute exchanges to clusters; makes ``campaign_exchange`` (key, cluster, entity).

    That table holds the own exchanges of named members.

    Args:
        engine: after ``mark_own_exchanges``.
        clusters: entities of each.
        best_q: least q-value of an entity's links.
    """
    rows = engine.query(
        """
        SELECT c.cluster, c.entity, v.exchanges AS n, COALESCE(x.k, 0) AS k, v.written AS text
        FROM cluster_of AS c
        JOIN volume AS v ON v.entity = c.entity
        LEFT JOIN (
            SELECT cluster, entity, COUNT(*) AS k FROM own_exchange GROUP BY cluster, entity
        ) AS x ON x.cluster = c.cluster AND x.entity = c.entity
        ORDER BY c.cluster, c.entity
        """
    )
    cluster, entity, *counts = (np.asarray(column.cast(pa.int64())) for column in rows.columns)
    beside = users_beside(engine)
    shares = template_shares(engine, len(clusters))
    rates = _stranger_rates(engine, len(clusters)).tolist()
    out = []
    for i in range(len(clusters)):
        at = np.flatnonzero(cluster == i)
        mine = _Counts(entity[at], *(column[at] for column in counts))
        out.append(_attribution(mine, shares[i], best_q, beside.of(i), rates[i]))
    named = [(i, m.entity) for i, a in enumerate(out) for m in a.members if m.named]
    engine.load(
        "named_member",
        pa.table(
            {
                "cluster": pa.array([i for i, _ in named], pa.int64()),
                "entity": pa.array([e for _, e in named], pa.int64()),
            }
        ),
    )
    engine.create(
        "campaign_exchange",
        """
        SELECT x.key, x.cluster, x.entity
        FROM own_exchange AS x
        JOIN named_member AS w ON w.cluster = x.cluster AND w.entity = x.entity
        """,
    )
    return out


def _own_templates(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    swept: Sequence[np.ndarray],
    level: float,
) -> pa.Table:
    """(cluster, template) where more members use a template than strangers as busy would.

    Or where two use it and it is one of those that formed the cluster: reworded for each account, a
    template is used by few. Either way no more than BY_CHANCE of members' use may be there at the rate
    of entities in no cluster: what honest traffic on members' accounts holds is not their own.
    """
    rows = engine.query(
        f"""
        SELECT s.cluster, s.template, s.n, s.used, COALESCE(b.users, 0.0) AS users,
            p.entities AS popularity
        FROM (
            SELECT c.cluster, t.template, COUNT(*) AS n, SUM(t.n) AS used
            FROM template_use AS t JOIN cluster_of AS c ON c.entity = t.entity
            GROUP BY c.cluster, t.template
            HAVING COUNT(*) >= 2 AND SUM(t.n) >= {MIN_USE}
        ) AS s
        JOIN popularity AS p ON p.family = 'template' AND p.value = s.template
        LEFT JOIN (
            SELECT u.template, SUM(CAST(u.n AS DOUBLE) / w.n) AS users
            FROM template_use AS u JOIN stranger AS w ON w.entity = u.entity
            GROUP BY u.template
        ) AS b ON b.template = s.template
        WHERE p.entities <= {most_telling(totals)}
        ORDER BY s.cluster, s.template
        """  # noqa: S608
    )
    cluster = np.asarray(rows.column("cluster"))
    expected = null.group(
        TEMPLATE,
        group_degrees(engine, "cluster_of", TEMPLATE),
        cluster,
        np.asarray(rows.column("popularity")),
    )
    log_p = log_tail(np.asarray(rows.column("n")), expected)
    template = np.asarray(rows.column("template"))
    rate = np.asarray(rows.column("users").cast(pa.float64())).round(9) / max(_strangers(engine), 1)
    by_chance = rate * _written(engine, len(swept))[cluster]
    by_chance = by_chance > BY_CHANCE * np.asarray(rows.column("used"))
    keep = np.zeros(rows.num_rows, dtype=bool)
    for i, formed in enumerate(swept):
        here = cluster == i
        keep[here] = adjust(np.exp(log_p[here]), totals.shareable["template"]) <= level
        keep[here] |= np.isin(template[here], formed)
    return rows.filter(pa.array(keep & ~by_chance)).select(["cluster", "template"])


def _written(engine: Engine, clusters: int) -> np.ndarray:
    """Exchanges with text of each cluster's members, int64 (clusters,)."""
    rows = engine.query(
        """
        SELECT c.cluster, SUM(v.written) AS n
        FROM cluster_of AS c JOIN volume AS v ON v.entity = c.entity GROUP BY c.cluster
        """
    ).to_pylist()
    out = np.zeros(clusters, dtype=np.int64)
    for row in rows:
        out[row["cluster"]] = row["n"]
    return out


def _strangers(engine: Engine) -> int:
    return int(engine.scalar("SELECT COUNT(*) AS n FROM stranger") or 0)


def _stranger_rates(engine: Engine, clusters: int) -> np.ndarray:
    """Share of a stranger's exchanges that hold one of each cluster's own templates, float.

    Each stranger counts once, for one busy user of a template is one user. An upper limit: where none
    of n is seen to use any, up to 3 / n of them may (95 %).
    """
    rows = engine.query(
        """
        SELECT u.cluster, SUM(CAST(u.k AS DOUBLE) / w.n) AS users
        FROM own_holding AS u
        JOIN stranger AS w ON w.entity = u.entity
        GROUP BY u.cluster
        """
    ).to_pylist()
    users = np.zeros(clusters)
    for row in rows:
        users[row["cluster"]] = round(row["users"], 9)
    rates: np.ndarray = np.minimum((users + 3) / max(_strangers(engine), 3), 1.0)
    return rates


@dataclass(frozen=True)
class _Counts:
    """Per member of a cluster, int64 (m,).

    Attributes:
        entity; n: its exchanges; k: own ones; text: with text.
    """

    entity: np.ndarray
    n: np.ndarray
    k: np.ndarray
    text: np.ndarray


@dataclass(frozen=True)
class Users:
    """Entities in no cluster that use a cluster's own templates, int64 (r,) each.

    Attributes:
        cluster, entity: who uses whose.
        exchanges: of the entity, with text; own: those that hold an own template.
    """

    cluster: np.ndarray
    entity: np.ndarray
    exchanges: np.ndarray
    own: np.ndarray

    def of(self, cluster: int) -> Users:
        """Those of one cluster."""
        at = self.cluster == cluster
        return Users(self.cluster[at], self.entity[at], self.exchanges[at], self.own[at])


def users_beside(engine: Engine) -> Users:
    """Entities outside all clusters with MIN_USE own exchanges or more; none that is set aside."""
    rows = engine.query(
        f"""
        SELECT u.cluster, u.entity, b.n, u.k
        FROM own_holding AS u JOIN stranger AS b ON b.entity = u.entity
        WHERE u.k >= {MIN_USE}
        ORDER BY u.cluster, u.entity
        """  # noqa: S608
    )
    return Users(*(np.asarray(c) for c in rows.columns))


def template_shares(engine: Engine, clusters: int) -> list[tuple[float, float]]:
    """Shares of exchanges that hold a cluster's own templates: its members', and everybody else's.

    One pair for each of so many clusters. The first is kept above the second, and both between 0
    and 1, so that their ratio is defined.
    """
    rows = engine.query(
        """
        SELECT u.cluster, SUM(CASE WHEN c.entity IS NULL THEN 0 ELSE u.k END) AS own,
            SUM(CASE WHEN c.entity IS NULL THEN u.k ELSE 0 END) AS others
        FROM own_holding AS u
        LEFT JOIN cluster_of AS c ON c.entity = u.entity AND c.cluster = u.cluster
        GROUP BY u.cluster
        """
    ).to_pylist()
    total = int(engine.scalar("SELECT SUM(written) AS n FROM volume") or 0)
    held = {row["cluster"]: (row["own"], row["others"]) for row in rows}
    written = _written(engine, clusters).tolist()
    return [_shares(*held.get(i, (0, 0)), written[i], total) for i in range(clusters)]


def _shares(own: int, others: int, members: int, total: int) -> tuple[float, float]:
    background = min((others + 0.5) / (max(total - members, 1) + 1), 0.5)
    share = min(max((own + 0.5) / (members + 1), background + 1e-9), 1 - 1e-9)
    return share, background


def log_ratio(
    own: np.ndarray, exchanges: np.ndarray, share: float, background: float
) -> np.ndarray:
    """Log-likelihood ratio, float (r,), that own templates are held as a member's exchanges do.

    The alternative is that they are held as anybody's do; both are binomial.
    """
    ratio: np.ndarray = own * np.log(share / background)
    ratio += (exchanges - own) * np.log((1 - share) / (1 - background))
    return ratio


def _attribution(
    own: _Counts,
    shares: tuple[float, float],
    best_q: dict[int, float],
    beside: Users,
    rate: float,
) -> Attribution:
    has_templates = bool(own.text.sum() > 0)
    share, background = shares
    ratio = np.clip(log_ratio(own.k, own.text, share, background), -SURE, SURE)
    members = []
    for i, e in enumerate(own.entity.tolist()):
        q = min(max(best_q.get(e, 1.0), 1e-300), 1 - 1e-9)
        link = float(np.clip(np.log1p(-q) - np.log(q), -SURE, SURE))
        content = float(ratio[i]) if has_templates else None
        members.append(Member(e, int(own.n[i]), int(own.k[i]), content, link))
    named = np.array([m.named for m in members], dtype=bool)
    low, count, high = _interval(own, named, rate)
    alike = log_ratio(beside.own, beside.exchanges, share, background) >= SURE
    # As of named members: of who sends mostly this, all of it, in case a template was missed.
    mostly = 2 * beside.own >= beside.exchanges
    high += int(np.where(mostly, beside.exchanges, beside.own)[alike].sum())
    return Attribution(tuple(members), count, low, high, background, has_templates)


def _interval(own: _Counts, named: np.ndarray, rate: float) -> tuple[int, int, int]:
    """Low end, count and high end of the exchanges of named members.

    Low: without what ordinary use of the same templates would explain (``rate``: share of strangers'
    exchanges that hold one, an upper limit), and two standard errors. High: with all that accounts
    sent which mostly send this, in case a template was missed; and as if every mixed account sent as
    large a share of it as the upper quarter of them do, for where templates are reworded for each
    account some are missed.
    """
    count = int(own.k[named].sum())
    beside = np.maximum(own.text - own.k, 0)
    mostly = named & (2 * own.k >= own.text)
    mixed = named & ~mostly
    by_chance = rate * float(beside[mixed].sum())
    low = count - by_chance - 2 * np.sqrt(by_chance + 1)
    missed = 0.0
    if mixed.any():
        share = own.k[mixed] / own.text[mixed]
        usual = float(np.quantile(share, 0.75))
        missed = float(np.sum(np.maximum(usual - share, 0.0) * own.text[mixed]))
    high = count + int(beside[mostly].sum()) + int(np.ceil(missed))
    return max(0, min(int(np.floor(low)), count)), count, high
