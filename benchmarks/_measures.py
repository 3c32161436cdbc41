"""What one hunt (or a peer's run) comes to beside the truth, as plain numbers that can be kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from _estimates import EDGES, bin_of
from _matching import Outcome, judge


def measured(traffic: Path, findings: Path, *, licences_known: bool = True) -> dict[str, Any]:
    """Numbers of one run, ready for JSON.

    Args:
        traffic: a folder with accounts.parquet and truth/.
        findings: what was found there, Parquet.
        licences_known: see ``_matching.judge``.

    Returns:
        The outcome's fields, with totals as properties count them, and beside them

        - ``lawful``: persona to accounts, named, entities, entities_named, declared_named (declared
          organizations named);
        - ``clusters``: for each found campaign its stated probability, its accounts and whether it
          is right, that is, mostly one planted campaign's;
        - ``members``: for each bin of ``_estimates.EDGES`` how many memberships were stated, the sum
          of their probabilities, and how many were of planted accounts.
    """
    outcome = judge(traffic, findings, licences_known=licences_known)
    truth = pq.read_table(traffic / "truth" / "accounts.parquet").to_pylist()
    planted = {row["account"]: row["campaign"] for row in truth if row["campaign"] is not None}
    set_apart = set() if licences_known else _licensed(traffic)
    named = [
        row
        for row in pq.read_table(
            findings / "accounts.parquet", columns=["account", "campaign", "membership_probability"]
        ).to_pylist()
        if row["account"] not in set_apart
    ]
    return {
        **totals(outcome),
        "planted": [asdict(p) | {"found": p.found, "covered": p.covered} for p in outcome.planted],
        "lawful": _lawful(traffic, truth, {row["account"] for row in named}),
        "clusters": _clusters(findings, named, planted),
        "members": _members(named, planted),
    }


def totals(outcome: Outcome) -> dict[str, int]:
    """An outcome's numbers over all campaigns and personas."""
    return {
        "campaigns": outcome.campaigns,
        "merged": outcome.merged,
        "split": outcome.split,
        "unmatched": outcome.unmatched,
        "accounts": outcome.accounts,
        "right": outcome.right,
        "planted_named": outcome.planted_named,
        "lawful_named": outcome.lawful_named,
        "pairs_named": outcome.named,
        "apart": outcome.apart,
        "linked": outcome.linked,
        "linked_with": outcome.linked_with,
    }


def _licensed(traffic: Path) -> set[str]:
    rows = pq.read_table(traffic / "accounts.parquet", columns=["account", "licence"]).to_pylist()
    return {row["account"] for row in rows if row["licence"] is not None}


def _lawful(
    traffic: Path, truth: list[dict[str, Any]], named: set[str]
) -> dict[str, dict[str, int]]:
    """By persona: accounts and entities, and how many of them are named."""
    table = pq.read_table(traffic / "accounts.parquet", columns=["account", "organization"])
    organization = {row["account"]: row["organization"] for row in table.to_pylist()}
    entities: dict[str, set[str]] = {}
    hurt: dict[str, set[str]] = {}
    accounts: Counter[str] = Counter()
    accounts_named: Counter[str] = Counter()
    for row in truth:
        if row["campaign"] is not None:
            continue
        persona, account = row["persona"], row["account"]
        entity = organization.get(account) or account
        accounts[persona] += 1
        entities.setdefault(persona, set()).add(entity)
        if account in named:
            accounts_named[persona] += 1
            hurt.setdefault(persona, set()).add(entity)
    declared = {o for o in organization.values() if o is not None}
    return {
        persona: {
            "accounts": accounts[persona],
            "named": accounts_named[persona],
            "entities": len(entities[persona]),
            "entities_named": len(hurt.get(persona, set())),
            "declared_named": len(hurt.get(persona, set()) & declared),
        }
        for persona in sorted(accounts)
    }


def _clusters(
    findings: Path, named: list[dict[str, Any]], planted: dict[str, str]
) -> list[dict[str, Any]]:
    """Found campaigns; right is one of whose accounts more than half are one planted campaign's."""
    members: dict[str, Counter[str | None]] = {}
    for row in named:
        members.setdefault(row["campaign"], Counter())[planted.get(row["account"])] += 1
    campaigns = pq.read_table(findings / "campaigns.parquet", columns=["campaign", "probability"])
    found = []
    for row in campaigns.to_pylist():
        of = members.get(row["campaign"])
        if of is None:  # it names none but those set apart
            continue
        most = max((n for name, n in of.items() if name is not None), default=0)
        found.append(
            {
                "campaign": row["campaign"],
                "probability": row["probability"],
                "accounts": of.total(),
                "right": 2 * most > of.total(),
            }
        )
    return found


def _members(named: list[dict[str, Any]], planted: dict[str, str]) -> list[list[float]]:
    """Per bin: memberships, sum of their probabilities, how many are planted accounts'."""
    bins = [[0, 0.0, 0] for _ in EDGES[1:]]
    for row in named:
        cell = bins[bin_of(row["membership_probability"])]
        cell[0] += 1
        cell[1] += row["membership_probability"]
        cell[2] += row["account"] in planted
    return bins
