"""How much leaks before a daily hunt names a campaign: hunts of the log up to each midnight."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from _hunts import hunt_into
from _matching import judge


def leaks(traffic: Path) -> list[dict[str, Any]]:
    """For each planted campaign, the first midnight at which a hunt of all before it finds it.

    Found by bisection, hunts shared between campaigns. It rests on a campaign that is found staying
    found as the log grows; where that fails it is one of the midnights at which it begins to be.

    Returns:
        For each campaign: name; exchanges: planted; days: from its first exchange to the midnight,
        and leaked: its exchanges before; days is None and leaked all where it is never found.
    """
    times = _times(traffic)
    midnights = _midnights(traffic)
    found_at: dict[int, frozenset[str]] = {}

    def found(midnight: int) -> frozenset[str]:
        if midnight not in found_at:
            found_at[midnight] = _found(traffic, midnights[midnight])
        return found_at[midnight]

    rows = []
    for name, moments in sorted(times.items()):
        low, high = 0, len(midnights) - 1
        if name not in found(high):
            rows.append(
                {"name": name, "exchanges": len(moments), "leaked": len(moments), "days": None}
            )
            continue
        while low < high:
            middle = (low + high) // 2
            if name in found(middle):
                high = middle
            else:
                low = middle + 1
        midnight = midnights[high]
        rows.append(
            {
                "name": name,
                "exchanges": len(moments),
                "leaked": sum(moment < midnight for moment in moments),
                "days": round((midnight - min(moments)) / timedelta(days=1), 2),
            }
        )
    return rows


def _found(traffic: Path, until: datetime) -> frozenset[str]:
    """Planted campaigns that a hunt of everything before a moment finds."""
    with tempfile.TemporaryDirectory(prefix="stillhunt-leak-") as made:
        findings = Path(made) / "findings"
        hunt_into(traffic, findings, until=until, threads=1)
        outcome = judge(traffic, findings, licences_known=True)
    return frozenset(p.name for p in outcome.planted if p.found)


def _times(traffic: Path) -> dict[str, list[datetime]]:
    """When each planted campaign's exchanges took place."""
    with duckdb.connect(":memory:", config={"threads": "1"}) as engine:
        rows = engine.execute(
            """
            SELECT t.campaign, LIST(epoch_us(e.time))
            FROM read_parquet($truth) AS t
            JOIN read_parquet($exchanges) AS e ON e.exchange_id = t.exchange_id
            WHERE t.campaign IS NOT NULL GROUP BY t.campaign
            """,
            {
                "truth": str(traffic / "truth" / "exchanges.parquet"),
                "exchanges": str(traffic / "exchanges.parquet"),
            },
        ).fetchall()
    return {name: [_moment(us) for us in moments] for name, moments in rows}


def _midnights(traffic: Path) -> list[datetime]:
    """Every midnight (UTC) after the first exchange, the last of them after the last exchange."""
    with duckdb.connect(":memory:", config={"threads": "1"}) as engine:
        first, last = engine.execute(
            "SELECT MIN(epoch_us(time)), MAX(epoch_us(time)) FROM read_parquet(?)",
            [str(traffic / "exchanges.parquet")],
        ).fetchall()[0]
    midnight = _moment(first).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while not found or found[-1] <= _moment(last):
        midnight += timedelta(days=1)
        found.append(midnight)
    return found


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
