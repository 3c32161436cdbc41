"""What clusters and ordinary entities did, in the same terms, so that they can be compared.

A *unit* is a cluster or an entity that is in none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.fingerprints.intent import harvest_log_odds
from stillhunt.scoring.controls import panel

MIN_USE = 5
"""A unit sweeps a template from so many exchanges on; fewer may be chance repetition."""

MIN_VOLUME = 20
"""Ordinary entities with fewer exchanges are no controls: their shares are noise."""

_DIGITS = 9


@dataclass(frozen=True)
class Units:
    """Features of u units; clusters come first, in the order given. NaN: not covered, or not measured.

    Attributes:
        clusters: how many of the units are clusters.
        exchanges: int64 (u,).
        sweep: float (u,), share of the exchanges that hold a template in repeated use which put a
            new item through it. Of these only: a cluster is measured by exchanges chosen for holding its
            templates, and customers must be measured likewise.
        length: float (u,), tokens, typical (geometric mean) answer to those; 0 where there are none.
        intent: float (u,), mean log-odds that an exchange asks for training material.
        payers, paying: float (u,), payment instruments that pay for the unit, and for how many
            accounts; known for units with several such accounts.
        stands_for: float (u,), how many of its kind each is, more than 1 where not all are measured.
    """

    clusters: int
    exchanges: np.ndarray
    sweep: np.ndarray
    length: np.ndarray
    intent: np.ndarray
    payers: np.ndarray
    paying: np.ndarray
    stands_for: np.ndarray

    @property
    def fresh_output(self) -> np.ndarray:
        """float (u,), tokens of new answer per templated exchange: sweep times length."""
        fresh: np.ndarray = self.sweep * self.length
        return fresh


def measure_units(engine: Engine, clusters: int) -> Units:
    """Features of clusters and of ordinary customers: entities in none, not suspect, of MIN_VOLUME.

    A cluster is measured by what its members do together (own exchanges), so that a reseller's
    honest customers on the same accounts neither hide nor taint it; where they do nothing together,
    by all they do. Of very many ordinary customers a panel is measured (``scoring.controls``).

    Args:
        engine: with observations, accounts, the linking tables, cluster_of and own_exchange.
        clusters: how many there are in ``cluster_of``.
    """
    exchanges, stands_for = _number_units(engine, clusters)
    rows = _measure(engine)
    unit = np.asarray(rows.column("unit"))
    with_text = np.asarray(rows.column("with_text")) > 0
    # An engine sums in any order; without rounding, its last bits would settle ties between ranks.
    sweep = _floats(rows, "sweep")
    length = np.expm1(_floats(rows, "log_length").round(_DIGITS))
    length = np.where(np.isnan(length) & (sweep == 0), 0.0, length)

    def spread(values: np.ndarray) -> np.ndarray:
        out = np.full(len(exchanges), np.nan)
        out[unit] = values
        return out

    payers, paying = _payers(engine, len(exchanges))
    return Units(
        clusters=clusters,
        exchanges=exchanges,
        sweep=spread(np.where(with_text, sweep, np.nan)),
        length=spread(length),
        intent=spread(np.where(with_text, _floats(rows, "intent").round(_DIGITS), np.nan)),
        payers=payers,
        paying=paying,
        stands_for=stands_for,
    )


def _number_units(engine: Engine, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Make ``unit_of`` (entity, unit); exchanges of each unit, int64, and how many it stands for."""
    _choose_panel(engine)
    engine.create(
        "unit_of",
        f"""
        SELECT v.entity, COALESCE(c.cluster, {clusters} + ROW_NUMBER() OVER (
            PARTITION BY CASE WHEN c.cluster IS NULL THEN 0 ELSE 1 END ORDER BY v.entity) - 1) AS unit
        FROM volume AS v
        LEFT JOIN cluster_of AS c ON c.entity = v.entity
        LEFT JOIN set_aside AS l ON l.entity = v.entity
        LEFT JOIN panel_member AS p ON p.entity = v.entity
        WHERE l.entity IS NULL AND (c.cluster IS NOT NULL OR p.entity IS NOT NULL)
        """,  # noqa: S608
    )
    rows = engine.query(
        """
        SELECT u.unit, MAX(COALESCE(w.n, 0)) AS own, SUM(v.exchanges) AS everything,
            COALESCE(MAX(p.stands_for), 1.0) AS stands_for
        FROM unit_of AS u
        LEFT JOIN panel_member AS p ON p.entity = u.entity
        JOIN volume AS v ON v.entity = u.entity
        LEFT JOIN (
            SELECT cluster, COUNT(*) AS n FROM own_exchange GROUP BY cluster
        ) AS w ON w.cluster = u.unit
        GROUP BY u.unit ORDER BY u.unit
        """
    )
    own, everything = (np.asarray(rows.column(c)) for c in ("own", "everything"))
    return np.where(own > 0, own, everything).astype(np.int64), _floats(rows, "stands_for")


def _choose_panel(engine: Engine) -> None:
    """Make ``panel_member`` (entity, stands_for): the ordinary entities that stand for all."""
    rows = engine.query(
        f"""
        SELECT v.entity, v.exchanges, s.first_seen
        FROM volume AS v
        JOIN (
            SELECT m.entity, MIN(u.first_seen) AS first_seen
            FROM usage AS u JOIN account_entity AS m ON m.account = u.account
            GROUP BY m.entity
        ) AS s ON s.entity = v.entity
        LEFT JOIN cluster_of AS c ON c.entity = v.entity
        LEFT JOIN set_aside AS l ON l.entity = v.entity
        LEFT JOIN suspect AS d ON d.entity = v.entity
        WHERE v.exchanges >= {MIN_VOLUME}
            AND c.entity IS NULL AND l.entity IS NULL AND d.entity IS NULL
        ORDER BY v.entity
        """  # noqa: S608
    )
    first_seen = np.asarray(rows.column("first_seen").cast(pa.int64()).fill_null(0))
    stands_for = panel(np.asarray(rows.column("exchanges")).astype(np.int64), first_seen)
    members = pa.table({"entity": rows.column("entity"), "stands_for": pa.array(stands_for)})
    engine.load("panel_member", members.filter(pa.array(stands_for > 0)))


def _measure(engine: Engine) -> pa.Table:
    """Features of all units, in their order."""
    _score_cues(engine)
    engine.create(
        "templated",
        f"""
        SELECT DISTINCT t.key
        FROM exchange_template AS t
        JOIN unit_of AS u ON u.entity = t.entity
        JOIN (
            SELECT u.unit, t.template
            FROM template_use AS t JOIN unit_of AS u ON u.entity = t.entity
            GROUP BY u.unit, t.template HAVING SUM(t.n) >= {MIN_USE}
        ) AS r ON r.unit = u.unit AND r.template = t.template
        """,  # noqa: S608
    )
    # An item is new to its unit where its first exchange, by key, holds a template in repeated use.
    rows = engine.query(
        """
        SELECT unit,
            COALESCE(CAST(SUM(CASE WHEN first = first_held THEN 1 ELSE 0 END) AS DOUBLE)
                / NULLIF(SUM(held), 0), 0.0) AS sweep,
            AVG(CASE WHEN first = first_held AND taken >= 0 THEN LN(1.0 + taken) END) AS log_length,
            SUM(intent) / NULLIF(SUM(intents), 0) AS intent,
            SUM(CASE WHEN item IS NULL THEN 0 ELSE n END) AS with_text
        FROM (
            SELECT unit, item, COUNT(*) AS n, SUM(held) AS held, SUM(intent) AS intent,
                COUNT(intent) AS intents, MIN(key) AS first,
                MIN(CASE WHEN held = 1 THEN key END) AS first_held, ARG_MIN(taken, key) AS taken
            FROM (
                SELECT u.unit, o.item, o.key, s.harvest AS intent,
                    CASE WHEN t.key IS NULL THEN 0 ELSE 1 END AS held,
                    COALESCE(o.output_tokens, o.response_bytes / 4, -1) AS taken
                FROM observations AS o
                JOIN account_entity AS m ON m.account = o.account
                JOIN unit_of AS u ON u.entity = m.entity
                LEFT JOIN templated AS t ON t.key = o.key
                LEFT JOIN cue_score AS s ON s.cues = o.cues
                LEFT JOIN own_exchange AS w ON w.key = o.key AND w.cluster = u.unit
                LEFT JOIN (SELECT DISTINCT cluster FROM own_exchange) AS a ON a.cluster = u.unit
                WHERE a.cluster IS NULL OR w.key IS NOT NULL
            ) AS e
            GROUP BY unit, item
        ) AS i
        GROUP BY unit ORDER BY unit
        """
    )
    engine.drop("templated")
    return rows


def _payers(engine: Engine, units: int) -> np.ndarray:
    """float (2, units): payers, and accounts that they pay for; NaN below two of these."""
    rows = engine.query(
        """
        SELECT u.unit, COUNT(DISTINCT a.payment) AS payers, COUNT(*) AS paying
        FROM accounts AS a
        JOIN account_entity AS m ON m.account = a.account
        JOIN unit_of AS u ON u.entity = m.entity
        WHERE a.payment IS NOT NULL
        GROUP BY u.unit HAVING COUNT(*) >= 2
        """
    )
    out = np.full((2, units), np.nan)
    out[:, np.asarray(rows.column("unit"))] = [_floats(rows, c) for c in ("payers", "paying")]
    return out


def _floats(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(rows.column(name).cast(pa.float64()).to_numpy(), dtype=float)


def _score_cues(engine: Engine) -> None:
    """Make ``cue_score`` (cues, harvest): log-odds of each cue mask that occurs."""
    seen = engine.query(
        "SELECT DISTINCT cues FROM observations WHERE cues IS NOT NULL ORDER BY cues"
    )
    cues = np.asarray(seen.column("cues"))
    scores = harvest_log_odds(cues)
    engine.load("cue_score", pa.table({"cues": pa.array(cues), "harvest": pa.array(scores)}))
