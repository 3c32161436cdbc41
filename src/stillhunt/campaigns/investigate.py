"""The hunt proper: entities, templates, links, clusters, and the verdict on each cluster."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.base import Engine
from stillhunt.fingerprints.hashing import hash64
from stillhunt.linking.clusters import homes
from stillhunt.linking.entities import build_entities
from stillhunt.linking.groups import Group, find_groups
from stillhunt.linking.held_out import LinkTest
from stillhunt.linking.indicators import Totals, build_indicators
from stillhunt.linking.links import Links, find_links, mark_telling
from stillhunt.linking.null_model import NullModel
from stillhunt.linking.templates import build_templates
from stillhunt.scoring.adoption import adopt
from stillhunt.scoring.attribution import Attribution, Member, attribute, mark_own_exchanges
from stillhunt.scoring.features import Units, measure_units
from stillhunt.scoring.harvest import (
    MOST_ORDINARY_TAKING,
    VETO,
    HarvestScore,
    score_clusters,
)


@dataclass(frozen=True)
class Verdict:
    """What is concluded of one cluster.

    Attributes:
        campaign: its id; kept whether or not it is named a campaign.
        entities: int64, its members without licensed and allowed ones.
        group: what joined them, and its tests; harvest: the comparison.
        attribution: exchanges and members.
        exempt: why it is no campaign; empty where it is one.
    """

    campaign: str
    entities: np.ndarray
    group: Group
    harvest: HarvestScore
    attribution: Attribution
    exempt: tuple[str, ...]

    @property
    def link(self) -> LinkTest:
        """The tests of whether they are one."""
        return self.group.link

    @property
    def q_value(self) -> float:
        """Of those tests, over all clusters."""
        return self.group.q_value

    @property
    def is_campaign(self) -> bool:
        """Whether the cluster is named."""
        return not self.exempt

    @property
    def named(self) -> tuple[Member, ...]:
        """The members that are named."""
        return tuple(m for m in self.attribution.members if m.named)


@dataclass(frozen=True)
class Investigation:
    """Everything a hunt concluded, before it is put into tables.

    Attributes:
        totals, null: of the incidence; templates: how many there are.
        links: all validated conjunctions; verdicts: one for each cluster, campaigns or not.
        cluster_of_link: int64, row of verdicts a link belongs to, or -1.
        units: features of clusters and ordinary entities.
        set_aside: entities left out because of a licence or the allow list.
    """

    totals: Totals
    null: NullModel
    templates: int
    links: Links
    verdicts: tuple[Verdict, ...]
    cluster_of_link: np.ndarray
    units: Units
    set_aside: np.ndarray

    def linked(self, cluster: int) -> tuple[np.ndarray, np.ndarray]:
        """(link, entity) pairs of a cluster's own links, two int64 arrays."""
        own = self.cluster_of_link[self.links.member_link] == cluster
        return self.links.member_link[own], self.links.member_entity[own]

    @property
    def campaigns(self) -> tuple[tuple[int, Verdict], ...]:
        """Row in ``verdicts`` and verdict of each campaign, surest first."""
        named = [(i, v) for i, v in enumerate(self.verdicts) if v.is_campaign]
        return tuple(sorted(named, key=lambda p: (-p[1].attribution.exchanges, p[1].campaign)))


def investigate(request: HuntRequest, engine: Engine, progress: Progress) -> Investigation:
    """Look for campaigns among ``observations`` and ``accounts``.

    Leaves in the engine what explanations need: link, telling, exchange_template, cluster_of,
    own_template, campaign_exchange.
    """
    progress.stage("Entities and templates")
    build_entities(engine)
    templates = build_templates(engine)
    progress.stage("Indicators")
    totals = build_indicators(engine)
    progress.stage("Links")
    tests = mark_telling(engine, totals)
    null = NullModel(totals)
    links = find_links(engine, null, tests, request.fdr)
    progress.stage("Clusters")
    set_aside = _set_aside(engine, request.allow)
    groups = find_groups(engine, totals, null, links, set_aside, request.fdr)
    clusters = [group.entities for group in groups]
    progress.stage("Harvest scores")
    swept = [g.sweep.templates if g.sweep else np.zeros(0, np.int64) for g in groups]
    mark_own_exchanges(engine, totals, null, clusters, swept, request.fdr)
    adopted = adopt(engine, totals, null, clusters, set_aside, request.fdr)
    if adopted:
        entities = np.array(list(adopted), dtype=np.int64)
        home = np.array([c for c, _ in adopted.values()], dtype=np.int64)
        clusters = [
            np.sort(np.concatenate([cluster, entities[home == i]]))
            for i, cluster in enumerate(clusters)
        ]
        mark_own_exchanges(engine, totals, null, clusters, swept, request.fdr)
    units = measure_units(engine, len(clusters))
    scores = score_clusters(units, np.array([g.link.p_value for g in groups]), request.prior)
    best_q = _best_q(links)
    best_q |= {entity: q for entity, (_, q) in adopted.items()}
    for group in groups:
        best_q |= {e: min(best_q.get(e, 1.0), q) for e, q in group.evidence.items()}
    attributions = attribute(engine, clusters, best_q)
    owner = _owners(links, clusters)
    verdicts = tuple(
        Verdict(
            campaign=_name(links, owner == i, groups[i]),
            entities=cluster,
            group=groups[i],
            harvest=scores[i],
            attribution=attributions[i],
            exempt=exemptions(request.fdr, groups[i].q_value, scores[i], attributions[i]),
        )
        for i, cluster in enumerate(clusters)
    )
    return Investigation(totals, null, templates, links, verdicts, owner, units, set_aside)


def exemptions(
    fdr: float, q_value: float, harvest: HarvestScore, attribution: Attribution
) -> tuple[str, ...]:
    """Why a cluster is no campaign; nothing where it is one."""
    reasons = []
    if q_value > fdr:
        reasons.append(f"it is not sure enough that they act as one (q = {q_value:.2g} > {fdr:g})")
    if harvest.harvest_p is None:
        reasons.append("there is nothing to compare its behaviour with")
    elif harvest.harvest_p > VETO:
        reasons.append(
            f"what it does is within what ordinary customers do (rank {harvest.harvest_p:.2g} > {VETO:g})"
        )
    if harvest.taking_p is not None and harvest.taking_p > MOST_ORDINARY_TAKING:
        reasons.append(
            f"it takes no more new answers than ordinary customers do (rank {harvest.taking_p:.2g} > "
            f"{MOST_ORDINARY_TAKING:g})"
        )
    if harvest.face_probability < 0.5:
        reasons.append(
            "at its face value the evidence is more likely lawful than not (probability "
            f"{harvest.face_probability:.2f})"
        )
    if sum(m.named for m in attribution.members) < 2:
        reasons.append("fewer than two members have exchanges that can be attributed")
    return tuple(reasons)


def unknown_names(engine: Engine, names: frozenset[str]) -> list[str]:
    """Names that are neither an account nor an organization of these logs, sorted."""
    given = pa.array(sorted(names), pa.string())
    engine.load(
        "given_name",
        pa.table(
            {
                "name": given,
                "account": hash64(given, "account"),
                "organization": hash64(given, "organization"),
            }
        ),
    )
    rows = engine.query(
        """
        SELECT g.name FROM given_name AS g
        LEFT JOIN account_entity AS a ON a.account = g.account
        LEFT JOIN (SELECT DISTINCT entity FROM account_entity) AS o ON o.entity = g.organization
        WHERE a.account IS NULL AND o.entity IS NULL ORDER BY g.name
        """
    )
    return [str(name) for name in rows.column("name").to_pylist()]


def _set_aside(engine: Engine, allow: frozenset[str]) -> np.ndarray:
    """Entities with a licence or on the allow list (account or organization), int64 sorted."""
    names = sorted(allow)
    hashes = [
        np.asarray(hash64(pa.array(names, pa.string()), d)) for d in ("account", "organization")
    ]
    engine.load("allowed", pa.table({"value": pa.array(np.concatenate(hashes), pa.int64())}))
    rows = engine.query(
        """
        SELECT entity FROM licensed_entity
        UNION
        SELECT m.entity FROM account_entity AS m JOIN allowed AS a ON a.value = m.account
        UNION
        SELECT m.entity FROM account_entity AS m JOIN allowed AS a ON a.value = m.entity
        """
    )
    entities = np.unique(np.asarray(rows.column("entity")))
    engine.load("set_aside", pa.table({"entity": pa.array(entities, pa.int64())}))
    return entities


def _best_q(links: Links) -> dict[int, float]:
    """Entity to the least q-value of its links."""
    entity, which = np.unique(links.member_entity, return_inverse=True)
    least = np.ones(len(entity))
    np.minimum.at(least, which.ravel(), links.q_value[links.member_link])
    return dict(zip(entity.tolist(), least.tolist(), strict=True))


def _owners(links: Links, clusters: list[np.ndarray]) -> np.ndarray:
    """Cluster with most of a link's entities, int64 (links,); -1 where none has two, or two as many."""
    owner = np.full(len(links), -1, dtype=np.int64)
    member = homes(links.member_entity, clusters)
    known = member >= 0
    if not known.any():
        return owner
    pairs, count = np.unique(
        np.column_stack([links.member_link[known], member[known]]), axis=0, return_counts=True
    )
    most = np.zeros(len(links), dtype=np.int64)
    np.maximum.at(most, pairs[:, 0], count)
    best = count == most[pairs[:, 0]]
    alone = np.bincount(pairs[best, 0], minlength=len(links))[pairs[:, 0]] == 1
    chosen = best & alone & (count >= 2)
    owner[pairs[chosen, 0]] = pairs[chosen, 1]
    return owner


def _name(links: Links, own: np.ndarray, group: Group) -> str:
    """A cluster's id, from the values that join it: accounts may be renamed or come and go.

    A cluster that shares all its links with a larger one has only its entities to be named by.
    """
    values = np.unique(np.concatenate([links.x_value[own], links.y_value[own]])).astype("<i8")
    if len(values) == 0 and group.sweep is not None:
        values = group.sweep.templates.astype("<i8")
    if len(values) == 0:
        values = group.entities.astype("<i8")
    return "c-" + hashlib.blake2b(values.tobytes(), digest_size=6).hexdigest()
