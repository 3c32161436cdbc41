"""Runs small hunts and puts what they found into a form that can be compared."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillhunt import HuntRequest, HuntResult, hunt

Rows = list[dict[str, Any]]


def run(out: Path, logs: Path | list[Path], **settings: Any) -> HuntResult:
    """Hunt; indicator values are clear unless told otherwise."""
    listed = tuple(logs) if isinstance(logs, list) else (logs,)
    return hunt(HuntRequest(logs=listed, out=out, **{"clear": True} | settings))


def hunt_of(traffic: Path, out: Path, **settings: Any) -> HuntResult:
    """Hunt in a simulation."""
    accounts = {"accounts": traffic / "accounts.parquet"}
    return run(out, traffic / "exchanges.parquet", **accounts | settings)


def planted(traffic: Path) -> dict[str, str | None]:
    """Account to the campaign that it was planted for."""
    table = pq.read_table(traffic / "truth" / "accounts.parquet")
    return dict(
        zip(table.column("account").to_pylist(), table.column("campaign").to_pylist(), strict=True)
    )


def read(out: Path, name: str) -> Rows:
    """One table of the findings, whichever format it was written in."""
    parquet = out / f"{name}.parquet"
    if parquet.is_file():
        return list(pq.read_table(parquet).to_pylist())
    return [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]


@dataclass
class Found:
    """Findings without what depends on order or on the moment."""

    campaigns: Rows
    accounts: Rows
    exchanges: set[tuple[str, ...]]
    links: Rows
    coverage: Rows
    clusters: dict[str, Any]
    templates: dict[str, Any]
    profiles: Rows
    counts: dict[str, Any]


def found(out: Path, rename: Callable[[str], str] = lambda name: name) -> Found:
    """Read a findings folder.

    Args:
        out: the folder.
        rename: applied to every account or entity that is named.
    """
    members: dict[int, list[str]] = {}
    for row in read(out, "link_members"):
        members.setdefault(row["link"], []).append(rename(row["entity"]))
    links = [row | {"members": sorted(members[i])} for i, row in enumerate(read(out, "links"))]
    accounts = [
        row | {"account": rename(row["account"]), "entity": rename(row["entity"])}
        for row in read(out, "accounts")
    ]
    profiles = [
        row | {"account": rename(row["account"]), "entity": rename(row["entity"])}
        for row in read(out, "profiles")
    ]
    details = json.loads((out / "details.json").read_text())
    return Found(
        campaigns=sorted(read(out, "campaigns"), key=lambda r: r["campaign"]),
        accounts=sorted(accounts, key=lambda r: (r["campaign"], r["account"])),
        exchanges={
            (r["exchange_id"], rename(r["account"]), r["campaign"]) for r in read(out, "exchanges")
        },
        links=sorted(
            links, key=lambda r: (r["x_family"], r["x_value"], r["y_family"], r["y_value"])
        ),
        coverage=read(out, "coverage"),
        clusters=details["clusters"],
        templates={c: d["templates"] for c, d in details["campaigns"].items()},
        profiles=sorted(profiles, key=lambda r: r["account"]),
        counts=json.loads((out / "hunt.json").read_text())["counts"],
    )


def same(one: Any, other: Any, at: str = "") -> None:
    """Assert equality, floats up to the order of summation."""
    if isinstance(one, Found) and isinstance(other, Found):
        one, other = vars(one), vars(other)
    if isinstance(one, dict):
        assert isinstance(other, dict), at
        assert one.keys() == other.keys(), at
        for key in one:
            same(one[key], other[key], f"{at}.{key}")
    elif isinstance(one, list):
        assert isinstance(other, list), at
        assert len(one) == len(other), at
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{at}[{i}]")
    elif isinstance(one, float):
        assert other == pytest.approx(one, rel=1e-7, abs=1e-300, nan_ok=True), at
    else:
        assert one == other, at


def write_json_lines(path: Path, table: pa.Table) -> None:
    """Write exchanges as gzipped JSON lines."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for row in table.to_pylist():
            row["time"] = row["time"].isoformat()
            file.write(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n")


def all_text(folder: Path) -> str:
    """Everything in a folder as text: names, bytes as they lie there, and Parquet decoded."""
    parts = []
    for path in sorted(folder.rglob("*")):
        parts.append(path.relative_to(folder).as_posix())
        if not path.is_file():
            continue
        parts.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            parts.append(str(table.schema.metadata))
            parts.append(json.dumps(table.to_pylist(), default=str, ensure_ascii=False))
        elif path.suffix in (".json", ".jsonl"):
            # Escaped characters must not hide a word either.
            parts.append(path.read_bytes().decode("unicode_escape", "replace"))
    return "\n".join(parts)
