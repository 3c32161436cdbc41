"""What peers are given: exchanges in order of time; and how they answer. Needs pyarrow alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

MISSING = 3


@dataclass(frozen=True)
class Setting:
    """One setting of a peer, and the groups of accounts it comes to.

    Attributes:
        name: what it is set to; documented: whether its authors document it as the default.
        groups: group to accounts.
    """

    name: str
    documented: bool
    groups: Mapping[str, Sequence[str]]


def read_exchanges(traffic: Path) -> list[dict[str, Any]]:
    """Rows with exchange_id, seconds (since 1970), account and text (system and prompt)."""
    table = pq.read_table(
        traffic / "exchanges.parquet",
        columns=["exchange_id", "time", "account", "system", "prompt"],
    )
    micros = table.column("time").cast("int64").to_pylist()
    names = ("exchange_id", "account", "system", "prompt")
    columns = (table.column(name).to_pylist() for name in names)
    rows = [
        {
            "exchange_id": exchange,
            "seconds": us / 1e6,
            "account": account,
            "prompt": prompt or "",
            "text": " ".join(part for part in (system, prompt) if part),
        }
        for us, exchange, account, system, prompt in zip(micros, *columns, strict=True)
    ]
    return sorted(rows, key=lambda row: (row["seconds"], row["exchange_id"]))


def answer(peer: Callable[[Path], Sequence[Setting]]) -> None:
    """Run a peer as a script: ``PEER.py TRAFFIC OUT.json``."""
    traffic, out = Path(sys.argv[1]), Path(sys.argv[2])
    settings = [
        {
            "name": s.name,
            "documented": s.documented,
            "groups": {name: sorted(set(members)) for name, members in s.groups.items()},
        }
        for s in peer(traffic)
    ]
    out.write_text(json.dumps({"settings": settings}), "utf-8")
