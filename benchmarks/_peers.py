"""Runs peers: other methods on the same traffic, judged by the same rules.

A peer is a script in ``peers/`` that is run by an interpreter that has its package. It is given the
exchanges and writes, for each of its settings, groups of accounts. It cannot know licences, so
licensed accounts are taken out of its groups before it is judged: a provider would do as much.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from _measures import measured
from stillhunt.records.findings import TABLES

FOLDER = Path(__file__).with_name("peers")

PEERS: dict[str, str] = {
    "behaviour": "per-account rate and behaviour rules (honeypotllm)",
    "coactivity": "co-activity in time windows (coordination-network-toolkit)",
    "neardup": "near-duplicate prompts (MinHash LSH of datasketch), connected components",
    "windows": "window test (MMD over hashed TF-IDF)",
}
"""File stem in ``peers/`` to what it is."""

MISSING = 3
"""Exit code of a peer whose package is not installed."""

LIMIT = 900.0
"""Seconds after which a peer is stopped."""


def run_peer(name: str, traffic: Path, python: str, limit: float = LIMIT) -> dict[str, Any]:
    """Run one peer on one folder of traffic and judge each of its settings.

    Returns:
        ``failed``: why there is no result, or None; ``settings``: for each setting its ``name``,
        whether it is ``documented`` (a default that its authors document) and its ``measures``.
    """
    with tempfile.TemporaryDirectory(prefix="stillhunt-peer-") as made:
        out = Path(made) / "groups.json"
        command = [python, str(FOLDER / f"{name}.py"), str(traffic), str(out)]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"not done within {limit:.0f} s", "settings": []}
        except OSError as error:
            return {"failed": f"{python} cannot be run: {error.strerror}", "settings": []}
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return {"failed": last[:300], "settings": []}
        settings = [
            {
                "name": setting["name"],
                "documented": setting["documented"],
                "measures": judged(traffic, setting["groups"], Path(made) / f"findings-{i}"),
            }
            for i, setting in enumerate(json.loads(out.read_bytes())["settings"])
        ]
    return {"failed": None, "settings": settings}


def judged(traffic: Path, groups: Mapping[str, Sequence[str]], findings: Path) -> dict[str, Any]:
    """Set groups of accounts beside the truth, as a hunt's findings are.

    All exchanges of a named account count for its group, for that is all that such a method says.
    """
    findings.mkdir()
    write_groups(traffic, groups, findings)
    return measured(traffic, findings)


def write_groups(traffic: Path, groups: Mapping[str, Sequence[str]], findings: Path) -> None:
    """Write groups of accounts as the tables of a hunt; an account belongs to its first group."""
    accounts = pq.read_table(traffic / "accounts.parquet", columns=["account", "licence"])
    licensed = {r["account"] for r in accounts.to_pylist() if r["licence"] is not None}
    group_of: dict[str, str] = {}
    for name, members in groups.items():
        for account in members:
            if account not in licensed:
                group_of.setdefault(account, name)
    rows = pq.read_table(traffic / "exchanges.parquet", columns=["exchange_id", "account"])
    mine = rows.filter(pc.is_in(rows.column("account"), pa.array(list(group_of), pa.string())))
    named = [group_of[account] for account in mine.column("account").to_pylist()]
    pq.write_table(
        mine.append_column("campaign", pa.array(named, pa.string())).cast(TABLES["exchanges"]),
        findings / "exchanges.parquet",
    )
    day = datetime.fromtimestamp(0, UTC)
    sizes = dict.fromkeys(group_of.values(), 0) | Counter(named)
    campaigns = [
        {
            "campaign": name, "probability": 1.0, "link_p": 0.0, "q_value": 0.0, "accounts": 0,
            "entities": 0, "exchanges": n, "exchanges_low": n, "exchanges_high": n,
            "first_seen": day, "last_seen": day, "kinds": [], "summary": "",
        }
        for name, n in sizes.items()
    ]  # fmt: skip
    members = [
        {
            "account": account, "entity": account, "campaign": name, "membership_probability": 1.0,
            "exchanges": 0, "campaign_exchanges": 0, "reasons": [],
        }
        for account, name in group_of.items()
    ]  # fmt: skip
    for table, content in (("campaigns", campaigns), ("accounts", members)):
        pq.write_table(
            pa.Table.from_pylist(content, schema=TABLES[table]), findings / f"{table}.parquet"
        )
