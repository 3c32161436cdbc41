"""What the report and the case folder show beyond the tables: ``details.json``, schema 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stillhunt.campaigns.exemplars import Template
from stillhunt.campaigns.investigate import Investigation, Verdict
from stillhunt.campaigns.network import network_of
from stillhunt.campaigns.redaction import capped
from stillhunt.campaigns.skeleton import mark_slots
from stillhunt.campaigns.tables import Names, kind_shares, template_name
from stillhunt.engines.base import Engine
from stillhunt.linking.evenness import ASPECTS
from stillhunt.scoring.calibration import estimative_word
from stillhunt.scoring.features import MIN_USE

DETAILS_VERSION = 1


def details_document(
    engine: Engine,
    investigation: Investigation,
    names: Names,
    templates: dict[int, tuple[Template, ...]],
    account_names: dict[int, str],
    creation: dict[str, Any],
) -> dict[str, Any]:
    """The document, ready for JSON.

    Args:
        engine: after ``investigate``.
        investigation: what was concluded.
        names: text for hashes.
        templates: own templates by cluster.
        account_names: names of accounts beside campaigns, which ``names`` may lack.
        creation: account name to when it was made.
    """
    return {
        "schema": DETAILS_VERSION,
        "campaigns": {
            verdict.campaign: _campaign(
                engine, investigation, i, verdict, names, templates.get(i, ()), account_names, creation
            )
            for i, verdict in investigation.campaigns
        },
        "clusters": {
            verdict.campaign: {
                "entities": len(verdict.entities),
                "is_campaign": verdict.is_campaign,
                "why_not": list(verdict.exempt),
                "link_p": verdict.link.p_value,
                "q_value": verdict.q_value,
                "harvest_p": verdict.harvest.harvest_p,
                "taking_p": verdict.harvest.taking_p,
                "probability": verdict.harvest.probability,
                "waterfall": waterfall(verdict),
                "link_tests": [
                    {
                        "family": t.family, "entities": t.entities, "shared": t.shared,
                        "expected": t.expected, "p_value": t.p_value,
                    }
                    for t in verdict.link.tests
                ],
            }
            for verdict in investigation.verdicts
        },
    }  # fmt: skip


def waterfall(verdict: Verdict) -> list[dict[str, Any]]:
    """Terms that are covered; they add up to the score."""
    return [
        {"signal": t.signal, "label": t.label, "evidence": t.evidence, "log_odds": t.log_odds}
        for t in verdict.harvest.terms
        if t.log_odds is not None
    ]


def _campaign(
    engine: Engine,
    investigation: Investigation,
    cluster: int,
    verdict: Verdict,
    names: Names,
    templates: Sequence[Template],
    account_names: dict[int, str],
    creation: dict[str, Any],
) -> dict[str, Any]:
    return {
        "score": math.fsum(t["log_odds"] for t in waterfall(verdict)),
        "waterfall": waterfall(verdict),
        "missing": [
            {"signal": t.signal, "label": t.label, "evidence": t.evidence}
            for t in verdict.harvest.terms
            if t.log_odds is None
        ],
        "word": estimative_word(verdict.harvest.probability),
        "controls": verdict.harvest.controls,
        **_activity(engine, cluster),
        "kinds": [
            {"kind": kind, "exchanges": n, "share": share}
            for kind, n, share in kind_shares(engine, cluster)
        ],
        "templates": [
            {
                "template": template_name(t.template),
                "entities": t.entities,
                "exchanges": t.exchanges,
                "items": t.items,
                "parts": mark_slots(t.texts),
                "exemplars": [capped(text) for text in t.texts],
                "exemplars_gone": t.gone,
            }
            for t in templates
        ],
        "network": network_of(engine, investigation, cluster, verdict, names),
        "accounts": _accounts(engine, cluster, names, creation),
        "innocent_if": _innocent_if(verdict),
        "do_not_act": _do_not_act(engine, cluster, account_names),
    }


def _activity(engine: Engine, cluster: int) -> dict[str, Any]:
    days = engine.query(
        f"""
        SELECT CAST(CAST(time AS DATE) AS VARCHAR) AS day, COUNT(*) AS exchanges,
            COUNT(DISTINCT account) AS accounts
        FROM named_exchange
        WHERE own AND cluster = {cluster} GROUP BY CAST(time AS DATE) ORDER BY day
        """  # noqa: S608
    ).to_pylist()
    hours = [0] * 24
    for row in engine.query(
        f"""
        SELECT EXTRACT(hour FROM time) AS hour, COUNT(*) AS n
        FROM named_exchange
        WHERE own AND cluster = {cluster} GROUP BY EXTRACT(hour FROM time)
        """  # noqa: S608
    ).to_pylist():
        hours[int(row["hour"])] = row["n"]
    return {"activity": days, "hours": hours}


def _accounts(
    engine: Engine, cluster: int, names: Names, creation: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = engine.query(
        f"""
        SELECT account, MIN(time) AS first_seen, MAX(time) AS last_seen,
            COUNT(*) AS exchanges, SUM(CASE WHEN own THEN 1 ELSE 0 END) AS campaign_exchanges
        FROM named_exchange WHERE cluster = {cluster}
        GROUP BY account
        """  # noqa: S608
    ).to_pylist()
    for row in rows:
        row["account"] = names.account[row["account"]]
        row["created_at"] = creation.get(row["account"])
    return sorted(rows, key=lambda r: (r["first_seen"], r["account"]))


def _innocent_if(verdict: Verdict) -> list[str]:
    accounts = len(verdict.named)
    out = [
        f"The {accounts} entities belong to one customer that has not declared it, and that customer "
        "may use the answers as it does: ask for the connection to be declared.",
    ]
    if any(t.signal == "fresh_output" and t.log_odds is not None for t in verdict.harvest.terms):
        out.append(
            "The answers serve the customer's own product and train no model: ask what becomes of them, "
            "and why the same work is spread over so many accounts."
        )
    if (verdict.harvest.payers or 0) > 1:
        out.append(
            "The many payers are clients of one agency or reseller that sends their requests: ask for the "
            "contract."
        )
    if verdict.link.tests and verdict.link.tests[0].family in ASPECTS:
        out.append(
            "The accounts are strangers who use one program that their clients do not show, and that gives "
            "each the same amount of work, cuts texts into pieces of one length, or stops at a quota: ask "
            "what software sends the requests."
        )
    out.append(
        "The accounts are used by people who do not know of it (stolen keys): then the account holders "
        "are victims, and their other traffic will look unlike this."
    )
    floor = verdict.harvest.floor
    if floor is not None:
        out.append(
            f"Chance: a lawful customer would rank as extreme as this among {verdict.harvest.controls} "
            f"others about once in {1 / max(verdict.harvest.harvest_p or floor, floor):.0f}."
        )
    return out


def _do_not_act(
    engine: Engine, cluster: int, account_names: dict[int, str]
) -> list[dict[str, str]]:
    """Accounts that use the campaign's addresses, networks or payers and do otherwise.

    Not of any campaign, and not users of this one's templates: of those nothing is known either way.
    """
    rows = engine.query(
        f"""
        SELECT m.account, COUNT(*) AS shared, MIN(i.family) AS family,
            MAX(CASE WHEN s.entity IS NULL THEN 0 ELSE 1 END) AS licensed
        FROM (
            SELECT DISTINCT i.family, i.value
            FROM named_member AS w JOIN incidence AS i ON i.entity = w.entity
            WHERE w.cluster = {cluster} AND i.family IN ('address', 'network', 'payment')
        ) AS v
        JOIN incidence AS i ON i.family = v.family AND i.value = v.value
        JOIN account_entity AS m ON m.entity = i.entity
        LEFT JOIN (SELECT DISTINCT entity FROM named_member) AS w ON w.entity = i.entity
        LEFT JOIN set_aside AS s ON s.entity = i.entity
        LEFT JOIN (
            SELECT t.entity FROM own_template AS w
            JOIN exchange_template AS t ON t.template = w.template
            WHERE w.cluster = {cluster}
            GROUP BY t.entity HAVING COUNT(DISTINCT t.key) >= {MIN_USE}
        ) AS u ON u.entity = i.entity
        WHERE w.entity IS NULL AND (u.entity IS NULL OR s.entity IS NOT NULL)
        GROUP BY m.account ORDER BY shared DESC, m.account LIMIT 200
        """  # noqa: S608
    ).to_pylist()
    out = [
        {
            "account": account_names.get(row["account"], ""),
            "why": "holds a licence or is on the allow list; the campaign's addresses or payers serve it too"
            if row["licensed"]
            else f"shares {row['shared']} of the campaign's addresses, networks or payers, but does not do "
            "what it does",
        }
        for row in rows
    ]
    return [entry for entry in out if entry["account"]]


def names_beside(engine: Engine) -> dict[int, str]:
    """Names of all accounts that share an address, network or payer with a named member."""
    rows = engine.query(
        """
        SELECT DISTINCT m.account, a.name
        FROM account_entity AS m
        JOIN identity AS a ON a.kind = 'account' AND a.value = m.account
        JOIN incidence AS j ON j.entity = m.entity
        JOIN (
            SELECT DISTINCT i.family, i.value
            FROM named_member AS w JOIN incidence AS i ON i.entity = w.entity
            WHERE i.family IN ('address', 'network', 'payment')
        ) AS v ON v.family = j.family AND v.value = j.value
        """
    )
    accounts = np.asarray(rows.column("account")).tolist()
    return dict(zip(accounts, rows.column("name").to_pylist(), strict=True))
