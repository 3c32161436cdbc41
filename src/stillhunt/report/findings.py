"""Reads a findings folder: the tables, hunt.json and details.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.outputs import read_json, read_table
from stillhunt.errors import InputError
from stillhunt.report.details import CampaignDetails, parse_details

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
    details = parse_details(read_json(details_file)) if details_file.exists() else {}
    campaigns = read_table(folder, "campaigns").to_pylist()
    campaigns.sort(key=lambda row: (-row["exchanges"], row["campaign"]))
    return Findings(
        campaigns=campaigns,
        accounts=read_table(folder, "accounts"),
        links=read_table(folder, "links"),
        link_members=read_table(folder, "link_members"),
        coverage=read_table(folder, "coverage").to_pylist(),
        hunt=read_json(folder / "hunt.json"),
        details=details,
    )
