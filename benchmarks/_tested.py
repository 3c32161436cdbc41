"""Every cluster that a hunt tested, named or not, beside the truth."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Tested = dict[str, Any]


def clusters_tested(traffic: Path, findings: Path, *, licences_known: bool) -> list[Tested]:
    """One plain record for each cluster, ready for JSON.

    Args:
        traffic: a folder with accounts.parquet and truth/accounts.parquet.
        findings: what was found there, Parquet; details.json is missing where the hunt refused.
        licences_known: whether the hunt was given the accounts table. Without it licensed accounts
            are left out, for nobody could know; clusters of nobody else are left out with them.

    Returns:
        cluster (its id), entities, named (is it a campaign), link_p, q_value, harvest_p, taking_p,
        probability;
        ``terms``, signal to log-odds; ``accounts``, how many are members; ``right``, whether more than
        half of them are one planted campaign's; ``who``, persona or planted campaign to accounts.
    """
    details = findings / "details.json"
    if not details.is_file():
        return []
    truth = pq.read_table(traffic / "truth" / "accounts.parquet").to_pylist()
    planted = {row["account"]: row["campaign"] for row in truth}
    who = {row["account"]: row["campaign"] or row["persona"] for row in truth}
    licences = pq.read_table(traffic / "accounts.parquet", columns=["account", "licence"])
    apart = {row["account"] for row in licences.to_pylist() if row["licence"] is not None}
    members: dict[str, list[str]] = {}
    profiles = pq.read_table(findings / "profiles.parquet", columns=["account", "cluster"])
    for row in profiles.to_pylist():
        if row["cluster"] is not None and (licences_known or row["account"] not in apart):
            members.setdefault(row["cluster"], []).append(row["account"])
    found = []
    for name, cluster in json.loads(details.read_text("utf-8"))["clusters"].items():
        accounts = members.get(name)
        if accounts is None:
            continue
        campaigns = Counter(c for a in accounts if (c := planted[a]) is not None)
        found.append(
            {
                "cluster": name,
                "entities": cluster["entities"],
                "named": cluster["is_campaign"],
                "link_p": cluster["link_p"],
                "q_value": cluster["q_value"],
                "harvest_p": cluster["harvest_p"],
                "taking_p": cluster["taking_p"],
                "probability": cluster["probability"],
                "terms": {t["signal"]: t["log_odds"] for t in cluster["waterfall"]},
                "accounts": len(accounts),
                "right": 2 * max(campaigns.values(), default=0) > len(accounts),
                "who": dict(Counter(who[a] for a in accounts).most_common()),
            }
        )
    return found
