"""Findings as the tables other programs read (``records.findings``)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.investigate import Investigation, Verdict
from stillhunt.engines.base import Engine
from stillhunt.fingerprints.hashing import hash64
from stillhunt.fingerprints.intent import kind_log_odds
from stillhunt.records.findings import ACCOUNTS, CAMPAIGNS, EXCHANGES, KINDS, LINK_MEMBERS, LINKS
from stillhunt.records.pseudonyms import networks
from stillhunt.scoring.calibration import estimative_word
from stillhunt.scoring.harvest import HarvestScore

MIN_KIND_SHARE = 0.1
"""A kind of harvest is named from this share of a campaign's exchanges on."""


_ADOPTED = (
    "no single link; it does what the campaign does, and shares more addresses or payers with it than a "
    "stranger as busy would"
)


@dataclass(frozen=True)
class Names:
    """Text for the hashes that the engine knows.

    Attributes:
        entity: hash to account or organization; account: hash to account.
        value: (family, hash) to how an indicator's value is shown: keyed hash or clear.
    """

    entity: dict[int, str]
    account: dict[int, str]
    value: Callable[[str, int], str]


def name_things(
    engine: Engine, investigation: Investigation, accounts: pa.Table, key: bytes | None
) -> Names:
    """Look up names of clustered entities and linked values.

    Args:
        engine: with ``observations``, ``identity`` and ``account_entity``.
        investigation: what was found.
        accounts: the accounts table (ACCOUNT_SCHEMA).
        key: for keyed hashes of values; None shows them in clear.
    """
    clustered = [verdict.entities for verdict in investigation.verdicts]
    entities = np.unique(np.concatenate([investigation.links.member_entity, *clustered]))
    engine.load("to_name", pa.table({"entity": pa.array(entities, pa.int64())}))
    rows = engine.query(
        """
        SELECT m.entity, m.account, a.name AS account_name, g.name AS organization_name
        FROM account_entity AS m
        JOIN to_name AS t ON t.entity = m.entity
        LEFT JOIN identity AS a ON a.kind = 'account' AND a.value = m.account
        LEFT JOIN identity AS g ON g.kind = 'organization' AND g.value = m.entity
        """
    ).to_pylist()
    declared = _reverse(accounts.column("organization"), "organization")
    entity: dict[int, str] = {}
    for row in rows:
        if row["entity"] == row["account"]:
            entity[row["entity"]] = row["account_name"]
        else:
            entity[row["entity"]] = declared.get(row["entity"]) or row["organization_name"]
    clear = _values(engine, investigation, accounts) if key is None else {}

    def shown(family: str, value: int) -> str:
        if family == "template":
            return template_name(value)
        if key is not None:
            text = f"{family}:{value}".encode()
            return f"{family}-" + hashlib.blake2b(text, key=key, digest_size=8).hexdigest()
        return clear.get((family, value)) or f"{family}-{value & 0xFFFFFFFFFFFFFFFF:016x}"

    return Names(entity, {r["account"]: r["account_name"] for r in rows}, shown)


def template_name(value: int) -> str:
    """How a template is called; says nothing of its text."""
    return f"t-{value & 0xFFFFFFFFFFFFFFFF:016x}"


def _reverse(column: pa.ChunkedArray, domain: str) -> dict[int, str]:
    unique = column.unique().drop_null()
    return dict(zip(np.asarray(hash64(unique, domain)).tolist(), unique.to_pylist(), strict=True))


def _values(
    engine: Engine, investigation: Investigation, accounts: pa.Table
) -> dict[tuple[str, int], str]:
    """Clear text of linked addresses, networks, payments and e-mail domains."""
    links = investigation.links
    wanted = np.unique(np.concatenate([links.x_value, links.y_value]))
    engine.load("value_to_name", pa.table({"value": pa.array(wanted, pa.int64())}))
    found: dict[tuple[str, int], str] = {}
    for family in ("address", "network"):
        rows = engine.query(
            f"""
            SELECT o.{family} AS value, MAX(a.name) AS name
            FROM (
                SELECT DISTINCT o.{family}, o.address
                FROM observations AS o JOIN value_to_name AS v ON v.value = o.{family}
            ) AS o
            JOIN identity AS a ON a.kind = 'address' AND a.value = o.address
            GROUP BY o.{family}
            """  # noqa: S608
        )
        shown = rows.column("name").combine_chunks()
        names = networks(shown) if family == "network" else shown
        values = rows.column("value").to_pylist()
        found |= {(family, v): n for v, n in zip(values, names.to_pylist(), strict=True)}
    for family in ("payment", "email_domain"):
        found |= {
            (family, h): text for h, text in _reverse(accounts.column(family), family).items()
        }
    return found


def campaign_rows(
    engine: Engine, investigation: Investigation, *, licences_known: bool
) -> pa.Table:
    """The ``campaigns`` table; where no accounts table was given, summaries carry a caution."""
    facts = {
        row["cluster"]: row
        for row in engine.query(
            """
            SELECT cluster, SUM(CAST(input_tokens AS BIGINT)) AS input_tokens,
                SUM(CAST(output_tokens AS BIGINT)) AS output_tokens,
                MIN(time) AS first_seen, MAX(time) AS last_seen
            FROM named_exchange WHERE own
            GROUP BY cluster
            """
        ).to_pylist()
    }
    rows = []
    for i, verdict in investigation.campaigns:
        kinds = [kind for kind, _, share in kind_shares(engine, i) if share >= MIN_KIND_SHARE]
        fact = facts[i]
        attribution = verdict.attribution
        rows.append(
            {
                "campaign": verdict.campaign,
                "probability": verdict.harvest.probability,
                "link_p": verdict.link.p_value,
                "harvest_p": verdict.harvest.harvest_p,
                "harvest_p_floor": verdict.harvest.floor,
                "q_value": verdict.q_value,
                "accounts": _count_accounts(engine, i),
                "entities": len(verdict.named),
                "exchanges": attribution.exchanges,
                "exchanges_low": attribution.low,
                "exchanges_high": attribution.high,
                "input_tokens": fact["input_tokens"],
                "output_tokens": fact["output_tokens"],
                "first_seen": fact["first_seen"],
                "last_seen": fact["last_seen"],
                "kinds": kinds or ["other"],
                "summary": _summary(verdict, kinds, fact["first_seen"], fact["last_seen"])
                + ("" if licences_known else " Whether they hold a licence could not be checked."),
            }
        )
    return pa.Table.from_pylist(rows, schema=CAMPAIGNS)


def _count_accounts(engine: Engine, cluster: int) -> int:
    return int(
        engine.scalar(
            f"""
            SELECT COUNT(DISTINCT m.account) AS n
            FROM account_entity AS m
            JOIN named_member AS w ON w.entity = m.entity AND w.cluster = {cluster}
            """  # noqa: S608
        )
        or 0
    )


def _summary(verdict: Verdict, kinds: list[str], first: object, last: object) -> str:
    what = ", ".join(kinds).replace("_", " ") if kinds else "material of no clear kind"
    return (
        f"{len(verdict.named)} entities that declared no connection act as one and collect {what}: "
        f"{verdict.attribution.exchanges:,} exchanges from {str(first)[:10]} to {str(last)[:10]}. "
        f"That this is a harvest by one operator is {_how_sure(verdict.harvest)}."
    )


def _how_sure(harvest: HarvestScore) -> str:
    said = f"{estimative_word(harvest.probability)} ({harvest.probability:.0%})"
    if harvest.probability >= 0.5:
        return said
    face = harvest.face_probability
    return (
        f"{said} going by simulated traffic, where lawful groups looked like this more often than "
        f"harvests; beside this provider's own customers it is {estimative_word(face)} ({face:.0%}), for "
        "which it is named: review it before anything is done"
    )


def kind_shares(engine: Engine, cluster: int) -> list[tuple[str, int, float]]:
    """(kind, exchanges, share) of a campaign's exchanges, most first; needs the text to be covered.

    All exchanges of a template ask for the same, whatever fills it: they count for the kind that
    their cues, taken together, make likeliest. A template without cues is "other".

    Args:
        engine: with ``main_use`` and ``named_exchange``.
        cluster: whose.
    """
    rows = engine.query(
        f"""
        SELECT u.template, o.cues, COUNT(*) AS n
        FROM main_use AS u JOIN named_exchange AS o ON o.key = u.key AND o.cluster = u.cluster
        WHERE u.cluster = {cluster} AND o.cues IS NOT NULL
        GROUP BY u.template, o.cues ORDER BY u.template, o.cues
        """  # noqa: S608
    )
    template, cues, count = (np.asarray(column) for column in rows.columns)
    if len(cues) == 0:
        return []
    log_chance = kind_log_odds(cues)[:, : len(KINDS)]
    sums = dict.fromkeys(KINDS, 0)
    for name in np.unique(template):
        here = template == name
        told = here & (cues != 0)
        best = (
            int(np.argmax(count[told] @ log_chance[told])) if told.any() else KINDS.index("other")
        )
        sums[KINDS[best]] += int(count[here].sum())
    total = sum(sums.values())
    counted = ((kind, n, n / total) for kind, n in sums.items() if n)
    return sorted(counted, key=lambda row: -row[1])


def account_rows(engine: Engine, investigation: Investigation, names: Names) -> pa.Table:
    """The ``accounts`` table: every named account of every campaign, with its reasons."""
    rows = []
    for i, verdict in investigation.campaigns:
        per_account = engine.query(
            f"""
            SELECT entity, account, COUNT(*) AS n, SUM(CASE WHEN own THEN 1 ELSE 0 END) AS k
            FROM named_exchange WHERE cluster = {i}
            GROUP BY entity, account
            """  # noqa: S608
        ).to_pylist()
        members = {m.entity: m for m in verdict.named}
        evidence = _link_evidence(investigation, i)
        for row in per_account:
            member = members[row["entity"]]
            reasons = [
                {
                    "signal": "link",
                    "evidence": evidence.get(member.entity) or _joined_by(verdict, member.entity),
                    "log_odds": member.link,
                },
                {
                    "signal": "content",
                    "evidence": (
                        f"{member.attributed:,} of {member.exchanges:,} exchanges hold a template of the "
                        f"campaign; of everybody else's, {verdict.attribution.background:.1%} do"
                        if member.content is not None
                        else "not covered: the log carries no text"
                    ),
                    "log_odds": member.content,
                },
            ]
            rows.append(
                {
                    "account": names.account[row["account"]],
                    "entity": names.entity[row["entity"]],
                    "campaign": verdict.campaign,
                    "membership_probability": member.probability,
                    "exchanges": row["n"],
                    "campaign_exchanges": row["k"],
                    "reasons": reasons,
                }
            )
    rows.sort(key=lambda r: (r["campaign"], r["account"]))
    return pa.Table.from_pylist(rows, schema=ACCOUNTS)


def _link_evidence(investigation: Investigation, cluster: int) -> dict[int, str]:
    """Per entity, its links in this cluster in words: how many, of what, and the surest."""
    links = investigation.links
    own, members = investigation.linked(cluster)
    order = np.lexsort((own, links.log_p[own], members))
    entities, first, count = np.unique(members[order], return_index=True, return_counts=True)
    surest = own[order][first]
    return {
        entity: (
            f"{n} links; surest: one {links.x_family[best]} and one {links.y_family[best]} shared by "
            f"{links.entities[best]} entities where {links.expected[best]:.2g} were to be expected "
            f"(q = {links.q_value[best]:.2g})"
        )
        for entity, n, best in zip(entities.tolist(), count.tolist(), surest.tolist(), strict=True)
    }


def _joined_by(verdict: Verdict, entity: int) -> str:
    """How an entity without links of its own came into its cluster."""
    group = verdict.group
    if group.sweep is None or entity not in group.swept:
        return _ADOPTED
    at = int(np.searchsorted(group.sweep.entities, entity))
    if group.tested is not None and not group.tested[at]:
        return (
            f"no link, and it shares nothing with the {len(group.swept)} entities that sweep the same "
            "templates; what it does is what those do who share addresses or payers"
        )
    return (
        f"no single link; it puts {int(group.sweep.items[at]):,} items that no one else sends through "
        f"templates that {len(group.swept)} entities sweep together (q = {group.sweep_q:.2g})"
    )


def exchange_rows(engine: Engine, investigation: Investigation) -> pa.RecordBatchReader:
    """The ``exchanges`` table, as it streams: every exchange of a named account that is a campaign's."""
    engine.load(
        "campaign_name",
        pa.table(
            {
                "cluster": pa.array([i for i, _ in investigation.campaigns], pa.int64()),
                "campaign": pa.array([v.campaign for _, v in investigation.campaigns], pa.string()),
            }
        ),
    )
    rows = engine.scan(
        """
        SELECT n.exchange_id, a.name AS account, w.campaign
        FROM named_exchange AS o
        JOIN campaign_name AS w ON w.cluster = o.cluster
        JOIN exchange_name AS n ON n.key = o.key
        JOIN identity AS a ON a.kind = 'account' AND a.value = o.account
        WHERE o.own
        ORDER BY w.campaign, o.time, n.exchange_id
        """
    )
    return pa.RecordBatchReader.from_batches(EXCHANGES, (batch.cast(EXCHANGES) for batch in rows))


def link_rows(investigation: Investigation, names: Names) -> tuple[pa.Table, pa.Table]:
    """The ``links`` and ``link_members`` tables."""
    links = investigation.links
    campaign = [
        investigation.verdicts[i].campaign
        if i >= 0 and investigation.verdicts[i].is_campaign
        else None
        for i in investigation.cluster_of_link.tolist()
    ]
    table = pa.table(
        {
            "campaign": pa.array(campaign, pa.string()),
            "x_family": pa.array(links.x_family.tolist(), pa.string()),
            "x_value": _shown(names, links.x_family, links.x_value),
            "y_family": pa.array(links.y_family.tolist(), pa.string()),
            "y_value": _shown(names, links.y_family, links.y_value),
            "entities": pa.array(links.entities),
            "expected": pa.array(links.expected),
            "p_value": pa.array(np.exp(links.log_p)),
            "q_value": pa.array(links.q_value),
        }
    )
    entity, which = np.unique(links.member_entity, return_inverse=True)
    called = pa.array([names.entity[e] for e in entity.tolist()], pa.string())
    members = pa.table(
        {"link": pa.array(links.member_link), "entity": called.take(pa.array(which.ravel()))}
    )
    return table.cast(LINKS), members.cast(LINK_MEMBERS)


def _shown(names: Names, family: np.ndarray, value: np.ndarray) -> pa.Array:
    """How values are shown, each of them worked out once."""
    known: dict[tuple[str, int], int] = {}
    which = [
        known.setdefault(pair, len(known))
        for pair in zip(family.tolist(), value.tolist(), strict=True)
    ]
    return pa.array([names.value(*pair) for pair in known], pa.string()).take(
        pa.array(which, pa.int64())
    )
