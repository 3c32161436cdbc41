"""Reads a findings folder: the tables, hunt.json and details.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillhunt.errors import InputError
from stillhunt.records.findings import TABLES
from stillhunt.report.details import CampaignDetails, parse_details
from stillhunt.report.visible import visible

_REMEDY = "Name a folder that `stillhunt hunt --out` has written, or run the hunt again."


@dataclass(frozen=True)
class Findings:
    """What a hunt wrote, as far as the report needs it.

    Attributes:
        campaigns: rows of the campaigns table, largest first.
        accounts: the accounts table.
        links: the links table.
        link_members: the link_members table.
        coverage: rows of the coverage table.
        hunt: hunt.json.
        details: by campaign; a campaign may be missing from it.
    """

    campaigns: list[dict[str, Any]]
    accounts: pa.Table
    links: pa.Table
    link_members: pa.Table
    coverage: list[dict[str, Any]]
    hunt: Mapping[str, Any]
    details: Mapping[str, CampaignDetails]

    def accounts_of(self, campaign: str) -> list[dict[str, Any]]:
        """Rows of the accounts table that belong to a campaign, busiest first."""
        rows = _rows_of(self.accounts, campaign)
        return sorted(rows, key=lambda row: (-row["campaign_exchanges"], row["account"]))

    def links_of(self, campaign: str) -> list[dict[str, Any]]:
        """Rows of the links table that belong to a campaign, strongest first, with ``link``."""
        numbered = self.links.append_column(
            "link", pa.array(range(self.links.num_rows), pa.int64())
        )
        rows = _rows_of(numbered, campaign)
        return sorted(rows, key=lambda row: (row["p_value"], -row["entities"], row["link"]))

    def named_accounts(self) -> int:
        """Accounts named in any campaign, each counted once."""
        return len(self.accounts.column("account").unique())


def _rows_of(table: pa.Table, campaign: str) -> list[dict[str, Any]]:
    wanted = pc.equal(table.column("campaign"), pa.scalar(campaign, pa.string()))
    rows: list[dict[str, Any]] = table.filter(wanted).to_pylist()
    return rows


def read_findings(folder: Path) -> Findings:
    """Read what ``stillhunt hunt --out`` wrote, as Parquet or as JSON Lines.

    Args:
        folder: the findings folder.

    Raises:
        InputError: a file is missing, cannot be read, or is not of this version.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", _REMEDY)
    details_file = folder / "details.json"
    details = parse_details(_json(details_file)) if details_file.exists() else {}
    campaigns = _table(folder, "campaigns").to_pylist()
    campaigns.sort(key=lambda row: (-row["exchanges"], row["campaign"]))
    return Findings(
        campaigns=campaigns,
        accounts=_table(folder, "accounts"),
        links=_table(folder, "links"),
        link_members=_table(folder, "link_members"),
        coverage=_table(folder, "coverage").to_pylist(),
        hunt=_json(folder / "hunt.json"),
        details=details,
    )


def _json(path: Path) -> Mapping[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        value = json.loads(path.read_bytes(), parse_constant=refuse)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.", _REMEDY) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} could not be read: {_said(error)}.", _REMEDY) from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object.", _REMEDY)
    return value


def _said(error: Exception) -> str:
    # A parser's message may quote what it choked on.
    return visible(str(error), 200)


def _table(folder: Path, stem: str) -> pa.Table:
    schema = TABLES[stem]
    parquet, lines = folder / f"{stem}.parquet", folder / f"{stem}.jsonl"
    try:
        if parquet.exists():
            return pq.read_table(parquet, columns=schema.names).cast(schema)
        if lines.exists():
            return _lines(lines, schema)
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise InputError(
            f"The table {stem} in {folder} could not be read: {_said(error)}.", _REMEDY
        ) from error
    raise InputError(f"{parquet} is missing (and so is {lines.name}).", _REMEDY)


def _lines(path: Path, schema: pa.Schema) -> pa.Table:
    times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            row = json.loads(line)
            for name in times:
                row[name] = _moment(row[name])
            rows.append({name: row[name] for name in schema.names})
    return pa.Table.from_pylist(rows, schema=schema)


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
