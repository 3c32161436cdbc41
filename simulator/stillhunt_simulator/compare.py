"""Found against planted: a hunt's findings beside the truth of the traffic they came from."""

from __future__ import annotations

import errno
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class PlantedCampaign:
    """What became of one planted campaign.

    Attributes:
        name: its name in the truth.
        matched: the found campaign that names most of its accounts; None: missed.
        also: how many further found campaigns name some of its accounts.
        accounts: accounts planted.
        accounts_found: of them, those that the matched campaign names.
        exchanges: exchanges planted.
        exchanges_found: exchanges that the matched campaign attributes, rightly or not.
    """

    name: str
    matched: str | None
    also: int
    accounts: int
    accounts_found: int
    exchanges: int
    exchanges_found: int

    @property
    def recall(self) -> float:
        """Share of its accounts that the matched campaign names."""
        return self.accounts_found / self.accounts


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole of it.

    Attributes:
        planted: one entry per planted campaign, by name.
        campaigns: number of campaigns found.
        unplanted: found campaigns that name no planted account.
        merged: found campaigns that are the match of more than one planted campaign.
        lawful: lawful accounts named, by persona.
        accounts_named: accounts that any campaign names.
        accounts_right: of them, those of planted campaigns.
        accounts_planted: accounts of planted campaigns.
    """

    planted: tuple[PlantedCampaign, ...]
    campaigns: int
    unplanted: int
    merged: int
    lawful: dict[str, int]
    accounts_named: int
    accounts_right: int
    accounts_planted: int

    @property
    def recall(self) -> float | None:
        """Share of the planted accounts that any campaign names; None: nothing was planted."""
        return self.accounts_right / self.accounts_planted if self.accounts_planted else None

    @property
    def precision(self) -> float | None:
        """Share of the named accounts that were planted; None: nobody was named."""
        return self.accounts_right / self.accounts_named if self.accounts_named else None


def compare(findings: Path, traffic: Path) -> Comparison:
    """Set a hunt's findings beside the truth.

    Args:
        findings: folder of a hunt's outputs (accounts, campaigns and exchanges as Parquet).
        traffic: folder that ``simulate`` wrote.

    Raises:
        FileNotFoundError: a table is missing.
        ValueError: a table is not what its name says, or the findings name accounts that are not
            in this traffic.
    """
    behind = {
        row["account"]: (row["persona"], row["campaign"])
        for row in _read(
            traffic / "truth" / "accounts.parquet", ["account", "persona", "campaign"]
        ).to_pylist()
    }
    found = _read(findings / "campaigns.parquet", ["campaign"]).column("campaign").to_pylist()
    named: dict[str, set[str]] = {campaign: set() for campaign in found}
    for row in _read(findings / "accounts.parquet", ["account", "campaign"]).to_pylist():
        named.setdefault(row["campaign"], set()).add(row["account"])
    everyone = set().union(*named.values()) if named else set()
    strangers = everyone - behind.keys()
    if strangers:
        raise ValueError(
            f"{len(strangers)} of the {len(everyone)} accounts that the findings name are not in "
            "this traffic."
        )

    attributed = _count(_read(findings / "exchanges.parquet", ["campaign"]))
    truth = _count(_read(traffic / "truth" / "exchanges.parquet", ["campaign"]))
    members: dict[str, set[str]] = {}
    for account, (_, campaign) in behind.items():
        if campaign is not None:
            members.setdefault(campaign, set()).add(account)
    planted = tuple(
        _planted(name, members[name], named, truth[name], attributed) for name in sorted(members)
    )
    guilty = set().union(*members.values()) if members else set()
    matches = Counter(p.matched for p in planted if p.matched is not None)
    return Comparison(
        planted=planted,
        campaigns=len(named),
        unplanted=sum(1 for accounts in named.values() if not accounts & guilty),
        merged=sum(1 for times in matches.values() if times > 1),
        lawful=dict(Counter(behind[a][0] for a in sorted(everyone - guilty)).most_common()),
        accounts_named=len(everyone),
        accounts_right=len(everyone & guilty),
        accounts_planted=len(guilty),
    )


def _planted(
    name: str,
    members: set[str],
    named: dict[str, set[str]],
    exchanges: int,
    attributed: Counter[str],
) -> PlantedCampaign:
    shared = {campaign: len(members & accounts) for campaign, accounts in named.items()}
    touching = sorted((c for c, n in shared.items() if n), key=lambda c: (-shared[c], c))
    matched = touching[0] if touching else None
    return PlantedCampaign(
        name=name,
        matched=matched,
        also=max(0, len(touching) - 1),
        accounts=len(members),
        accounts_found=shared[matched] if matched is not None else 0,
        exchanges=exchanges,
        exchanges_found=attributed[matched] if matched is not None else 0,
    )


def _read(path: Path, columns: list[str]) -> pa.Table:
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    try:
        missing = set(columns) - set(pq.read_schema(path).names)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file.") from error
    if missing:
        raise ValueError(f"{path} lacks the column {min(missing)}.")
    return pq.read_table(path, columns=columns)


def _count(table: pa.Table) -> Counter[str]:
    """Rows per campaign, those without one left out."""
    counts = pc.value_counts(table.column("campaign").drop_null())
    return Counter({row["values"]: row["counts"] for row in counts.to_pylist()})
