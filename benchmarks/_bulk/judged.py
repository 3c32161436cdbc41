"""A hunt's findings in a store made in bulk, beside what was planted there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one planted campaign.

    Attributes:
        name: in the truth; matched: id of the found one that shares most accounts with it, or None.
        accounts: planted; named: of these, by any campaign; right: by its match.
        strangers: accounts that its match names and that are not its own.
        exchanges: planted; counted: by its match; low, high: the interval that is stated.
    """

    name: str
    matched: str | None
    accounts: int
    named: int
    right: int
    strangers: int
    exchanges: int
    counted: int
    low: int
    high: int

    @property
    def recall(self) -> float:
        """Share of its accounts that its match names."""
        return self.right / self.accounts

    @property
    def count_error(self) -> float:
        """Of its exchanges, signed; -1 where nothing was matched."""
        return self.counted / self.exchanges - 1.0


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of everything.

    Attributes:
        planted: by name.
        campaigns: found; unmatched: of them, nobody's.
        named: accounts named, however often; lawful: of them, those of no planted campaign.
        lawful_by: the same by persona.
        lawful_accounts: lawful accounts there are.
    """

    planted: tuple[Found, ...]
    campaigns: int
    unmatched: int
    named: int
    lawful: int
    lawful_by: dict[str, int]
    lawful_accounts: int

    @property
    def recall(self) -> float:
        """Share of planted accounts that the right campaign names."""
        return sum(p.right for p in self.planted) / sum(p.accounts for p in self.planted)

    @property
    def false_discovery(self) -> float:
        """Share of named accounts that are lawful."""
        return self.lawful / self.named if self.named else 0.0


def judge(truth: Path, findings: Path) -> Judged:
    """Set findings (Parquet) beside the truth of a store.

    Args:
        truth: ``truth.parquet`` of the store.
        findings: a hunt's output folder.
    """
    accounts = pq.read_table(truth).to_pylist()
    owner = {row["account"]: row["campaign"] for row in accounts}
    persona = {row["account"]: row["persona"] for row in accounts}
    names = sorted({c for c in owner.values() if c is not None})
    found = pq.read_table(findings / "campaigns.parquet").to_pylist()
    pairs = pq.read_table(findings / "accounts.parquet", columns=["account", "campaign"])
    named: dict[str, set[str]] = {row["campaign"]: set() for row in found}
    for row in pairs.to_pylist():
        named[row["campaign"]].add(row["account"])
    overlap = np.array(
        [[sum(owner[a] == name for a in named[f["campaign"]]) for f in found] for name in names]
    ).reshape(len(names), len(found))
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    match = {
        int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlap[int(r), int(c)] > 0
    }
    everybody = set().union(*named.values())
    lawful = sorted(a for a in everybody if owner[a] is None)
    by_persona: dict[str, int] = {}
    for account in lawful:
        by_persona[persona[account]] = by_persona.get(persona[account], 0) + 1
    planted = []
    for number, name in enumerate(names):
        own = [row for row in accounts if row["campaign"] == name]
        one = found[match[number]] if number in match else None
        right = int(overlap[number, match[number]]) if number in match else 0
        planted.append(
            Found(
                name=name,
                matched=one["campaign"] if one else None,
                accounts=len(own),
                named=sum(row["account"] in everybody for row in own),
                right=right,
                strangers=len(named[one["campaign"]]) - right if one else 0,
                exchanges=sum(row["exchanges"] for row in own),
                counted=one["exchanges"] if one else 0,
                low=one["exchanges_low"] if one else 0,
                high=one["exchanges_high"] if one else 0,
            )
        )
    return Judged(
        planted=tuple(planted),
        campaigns=len(found),
        unmatched=len(found) - len(match),
        named=len(everybody),
        lawful=len(lawful),
        lawful_by=by_persona,
        lawful_accounts=sum(c is None for c in owner.values()),
    )
