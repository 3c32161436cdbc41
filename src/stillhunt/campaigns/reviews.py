"""What reviewers' verdicts say of this hunt's clusters, and what they change where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.identity import hashes
from stillhunt.campaigns.investigate import Investigation, exemptions, unknown_names
from stillhunt.campaigns.verdicts import VERDICTS, ReviewerVerdict
from stillhunt.engines.base import Engine
from stillhunt.scoring.reviewed import (
    CONFIRMED,
    LAWFUL,
    PSEUDO_VERDICTS,
    score_reviewed,
    updated_prior,
)


@dataclass(frozen=True)
class Reviews:
    """Verdicts, put to clusters.

    Attributes:
        given: all of them; now: the last exchange, at which they hold or have expired.
        of_cluster: row of ``Investigation.verdicts`` to those that concern it, latest first.
        judged: row to the verdict that counts for the cluster as a whole.
        elsewhere: verdicts that hold, on campaigns that are no cluster of this hunt.
    """

    given: tuple[ReviewerVerdict, ...]
    now: datetime
    of_cluster: Mapping[int, tuple[ReviewerVerdict, ...]]
    judged: Mapping[int, ReviewerVerdict]
    elsewhere: tuple[ReviewerVerdict, ...]

    def shown(self, cluster: int) -> list[dict[str, Any]]:
        """What details.json says of a cluster's verdicts."""
        return [v.row() | {"holds": v.holds(self.now)} for v in self.of_cluster.get(cluster, ())]

    def record(self, engine: Engine) -> dict[str, Any]:
        """What hunt.json says of them."""
        names = frozenset(v.name for v in self.given if v.subject != "campaign")
        return {
            "given": len(self.given),
            "expired": sum(not v.holds(self.now) for v in self.given),
            **{word: sum(v.verdict == word for v in self.given) for word in VERDICTS},
            "unknown_names": unknown_names(engine, names),
            "no_cluster_now": [v.name for v in self.elsewhere],
        }


def review(
    engine: Engine,
    found: Investigation,
    given: Sequence[ReviewerVerdict],
    merged: Mapping[str, str],
    now: datetime,
) -> Reviews:
    """Put verdicts to clusters.

    A verdict on a campaign counts for the cluster of that id, or the one it merged into. Verdicts on
    accounts or organizations count for a cluster that has none of its own, where those that hold agree
    on half of its entities or more.

    Args:
        engine: after ``investigate``.
        found: with the ids that stay.
        given: all verdicts.
        merged: campaign to the one it went into.
        now: the logs' last exchange.
    """
    row = {v.campaign: i for i, v in enumerate(found.verdicts)}
    of_cluster: dict[int, list[ReviewerVerdict]] = {}
    own: dict[int, list[ReviewerVerdict]] = {}
    elsewhere = []
    for verdict in (v for v in given if v.subject == "campaign"):
        at = row.get(_last(verdict.name, merged))
        if at is not None:
            of_cluster.setdefault(at, []).append(verdict)
            if verdict.holds(now):
                own.setdefault(at, []).append(verdict)
        elif verdict.holds(now):
            elsewhere.append(verdict)
    by_entity = _by_entity(engine, given)
    home = {int(e): i for i, v in enumerate(found.verdicts) for e in v.entities}
    shares: dict[tuple[int, str], list[ReviewerVerdict]] = {}
    for entity, verdicts in by_entity.items():
        if entity not in home:
            continue
        of_cluster.setdefault(home[entity], []).extend(verdicts)
        holding = [v for v in verdicts if v.holds(now)]
        if holding:
            latest = max(holding, key=_order)
            shares.setdefault((home[entity], latest.verdict), []).append(latest)
    judged = {i: max(verdicts, key=_order) for i, verdicts in own.items()}
    for (i, word), verdicts in sorted(shares.items()):
        if (
            i not in own
            and word != "unsure"
            and 2 * len(verdicts) >= len(found.verdicts[i].entities)
        ):
            # Where exactly half say the one and half the other, nothing is agreed.
            if i in judged:
                del judged[i]
                continue
            judged[i] = max(verdicts, key=_order)
    return Reviews(
        given=tuple(given),
        now=now,
        of_cluster={
            i: tuple(sorted(set(v), key=_order, reverse=True)) for i, v in of_cluster.items()
        },
        judged=judged,
        elsewhere=tuple(elsewhere),
    )


def calibrate(
    found: Investigation, reviews: Reviews, fdr: float, stated: float
) -> tuple[Investigation, dict[str, Any]]:
    """Score again with what reviewers concluded, and say what that changed.

    Clusters judged lawful are ordinary units to the others and are no campaigns; the prior is the mean
    of a Beta distribution (``scoring.reviewed``). Links and q-values stay as they are.

    Returns:
        The investigation, and what ``hunt.json`` says under ``calibration``.
    """
    words = [
        reviews.judged[i].verdict if i in reviews.judged else None
        for i in range(len(found.verdicts))
    ]
    confirmed_elsewhere = sum(v.verdict == CONFIRMED for v in reviews.elsewhere)
    lawful_elsewhere = sum(v.verdict == LAWFUL for v in reviews.elsewhere)
    link_p = np.array([v.link.p_value for v in found.verdicts])
    scores = score_reviewed(
        found.units, link_p, stated, words, confirmed_elsewhere, lawful_elsewhere
    )
    verdicts = []
    for i, (verdict, score) in enumerate(zip(found.verdicts, scores, strict=True)):
        exempt = exemptions(fdr, verdict.q_value, score, verdict.attribution)
        if words[i] == LAWFUL:
            day = reviews.judged[i].time.date().isoformat()
            exempt = (f"a reviewer judged it lawful on {day}", *exempt)
        verdicts.append(replace(verdict, harvest=score, exempt=exempt))
    confirmed = words.count(CONFIRMED) + confirmed_elsewhere
    lawful = words.count(LAWFUL) + lawful_elsewhere
    after = replace(found, verdicts=tuple(verdicts))
    rows = [
        {
            "campaign": old.campaign,
            "verdict": words[i],
            "before": old.harvest.probability,
            "after": new.harvest.probability,
            "was_campaign": old.is_campaign,
            "is_campaign": new.is_campaign,
        }
        for i, (old, new) in enumerate(zip(found.verdicts, verdicts, strict=True))
        if old.is_campaign or new.is_campaign
    ]
    return after, {
        "prior_stated": stated,
        "prior_after": updated_prior(stated, confirmed, lawful).mean,
        "pseudo_verdicts": PSEUDO_VERDICTS,
        "confirmed": confirmed,
        "lawful": lawful,
        "controls_added": words.count(LAWFUL),
        "campaigns": sorted(rows, key=lambda r: str(r["campaign"])),
    }


def with_verdicts(campaigns: pa.Table, found: Investigation, reviews: Reviews) -> pa.Table:
    """The ``campaigns`` table, summaries saying what reviewers concluded."""
    said = {}
    for i, verdict in found.campaigns:
        concluded = reviews.judged.get(i)
        if concluded is not None:
            said[verdict.campaign] = (
                f" A reviewer judged it {concluded.verdict} on {concluded.time.date().isoformat()}."
            )
    at = campaigns.column_names.index("summary")
    ids = campaigns.column("campaign").to_pylist()
    texts = campaigns.column("summary").to_pylist()
    told = [text + said.get(i, "") for i, text in zip(ids, texts, strict=True)]
    return campaigns.set_column(at, campaigns.field(at), pa.array(told, pa.string()))


def _last(campaign: str, merged: Mapping[str, str]) -> str:
    """Where a campaign is in the end, if it merged into others."""
    passed = {campaign}
    while campaign in merged and merged[campaign] not in passed:
        campaign = merged[campaign]
        passed.add(campaign)
    return campaign


def _order(verdict: ReviewerVerdict) -> tuple[datetime, str, str]:
    return verdict.time, verdict.subject, verdict.name


def _by_entity(
    engine: Engine, given: Sequence[ReviewerVerdict]
) -> dict[int, list[ReviewerVerdict]]:
    """Entity to the verdicts on its accounts and on itself."""
    accounts = hashes((v.name for v in given if v.subject == "account"), "account")
    owners = hashes((v.name for v in given if v.subject == "organization"), "organization")
    engine.load(
        "judged_account", pa.table({"account": pa.array(sorted(accounts.values()), pa.int64())})
    )
    rows = engine.query(
        """
        SELECT j.account, m.entity
        FROM judged_account AS j JOIN account_entity AS m ON m.account = j.account
        """
    )
    entity_of = dict(zip(*(c.to_pylist() for c in rows.columns), strict=True))
    out: dict[int, list[ReviewerVerdict]] = {}
    for verdict in given:
        entity = None
        if verdict.subject == "account":
            entity = entity_of.get(accounts[verdict.name])
        elif verdict.subject == "organization":
            entity = owners[verdict.name]
        if entity is not None:
            out.setdefault(entity, []).append(verdict)
    return out
