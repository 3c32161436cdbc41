"""What a hunt reads, collected."""

from __future__ import annotations

from typing import Any

from stillhunt.engines.base import Engine

_ORDER = {
    "observations": "key",
    "exchange_name": "key",
    "identity": "kind, value",
    "accounts": "account",
}


def hunt_tables(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables that reading, whoever does it, makes for a hunt."""
    return {
        table: engine.query(f"SELECT * FROM {table} ORDER BY {order}").to_pylist()  # noqa: S608
        for table, order in _ORDER.items()
    }
