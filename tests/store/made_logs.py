"""Small logs, and what a store made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from stillhunt.readers import ReadOptions
from stillhunt.store.ingest import Ingest, Outcome
from stillhunt.store.store import Store, open_store, store_to_write

START = datetime(2026, 1, 5, tzinfo=UTC)


def exchange(i: int, **more: Any) -> dict[str, Any]:
    """An exchange, of the i-th hour."""
    return {
        "exchange_id": f"x{i}",
        "time": (START + timedelta(hours=i)).isoformat(),
        "account": f"acct_{i % 7}",
        "organization": f"org_{i % 3}" if i % 2 else None,
        "client_address": f"203.0.113.{i % 50}",
        "user_agent": "curl/8",
        "prompt": f"Tell me about the number {i}, please, in a few words.",
        **more,
    }


def write_log(path: Path, rows: Iterable[Any]) -> Path:
    """JSON lines; what is a string is written as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))
    return path


def take(root: Path, files: Sequence[Path], **settings: Any) -> Outcome:
    """Take files into a store, made where there is none."""
    with store_to_write(root, None) as store:
        return Ingest(store, ReadOptions(), **{"threads": 1} | settings).take(files)


@dataclass
class Held:
    """What a store has.

    Attributes:
        ids: exchange ids, sorted; rows: all columns of observations and names by exchange id.
    """

    ids: list[str]
    rows: dict[str, dict[str, Any]]


def held(root: Path) -> Held:
    """Everything in a store, with its files held to what the manifest says of them."""
    store = open_store(root)
    rows: dict[str, dict[str, Any]] = {}
    ids: list[str] = []
    for part in store.state.parts.values():
        observations, names, identities = (
            pq.ParquetFile(path).read() for path in store.layout.part_files(part.part, part.day)
        )
        assert observations.num_rows == names.num_rows == part.rows
        kinds = {(row["kind"], row["value"]): row["name"] for row in identities.to_pylist()}
        for seen, named in zip(observations.to_pylist(), names.to_pylist(), strict=True):
            assert seen["time"].date().isoformat() == part.day
            clear = {kind: kinds.get((kind, seen[kind])) for kind in ("account", "organization")}
            ids.append(named["exchange_id"])
            rows[named["exchange_id"]] = seen | named | {f"{k}_name": v for k, v in clear.items()}
    assert len(ids) == len(set(ids))
    _check_index(store)
    return Held(sorted(ids), rows)


def _check_index(store: Store) -> None:
    """Every exchange is in the key index, if there is one."""
    if store.state.keys_through < store.state.rows_through:
        return
    runs = [np.fromfile(store.layout.keys(name), dtype="<i8") for name in store.state.keys]
    for run in runs:
        assert np.all(run[1:] > run[:-1])
    known = np.concatenate([np.zeros(0, np.int64), *runs])
    for part in store.state.parts.values():
        keys = pq.ParquetFile(store.layout.observations(part.part, part.day)).read(["key"])
        assert np.isin(np.asarray(keys.column(0)), known).all()


def files_of(root: Path) -> set[str]:
    """All files in a store but locks, as paths in it."""
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
