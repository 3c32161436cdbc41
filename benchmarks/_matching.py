"""A hunt's findings beside the truth of the traffic they came from: which found campaign is which
planted one, and who was named rightly.

- Every planted campaign is matched with at most one found campaign and the other way round, so
  that as many named accounts as possible agree.
- *Found*: the match holds more than half of the planted campaign's named accounts.
- *Merged*: a found campaign of which two planted ones make up 10 % each, or more.
- *Split*: a planted campaign of whose named accounts two found ones hold 10 % each, or more.
- A named account is *right* where the campaign that names it is the match of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.optimize import linear_sum_assignment

from stillhunt.records.findings import TABLES

PART = 0.1
"""Share of a campaign from which on a part of it counts, for *merged* and *split*."""


@dataclass(frozen=True, slots=True)
class PlantedCampaign:
    """What became of one planted campaign.

    Attributes:
        name: its name in the truth.
        matched: id of its match, or None.
        accounts: accounts planted; named: of them, those that any campaign names; right: those
            that the match names.
        exchanges: exchanges planted; attributed: those that the match counts; attributed_right: of
            these, those that are this campaign's.
        low, high: the interval that the match states for its exchanges.
    """

    name: str
    matched: str | None
    accounts: int
    named: int
    right: int
    exchanges: int
    attributed: int
    attributed_right: int
    low: int
    high: int

    @property
    def found(self) -> bool:
        """Whether one found campaign holds most of its named accounts."""
        return self.matched is not None and 2 * self.right > self.named

    @property
    def count_error(self) -> float:
        """Signed, as a share of the exchanges planted; -1 where nothing was matched."""
        return self.attributed / self.exchanges - 1

    @property
    def covered(self) -> bool:
        """Whether the stated interval holds the number of exchanges planted."""
        return self.matched is not None and self.low <= self.exchanges <= self.high


@dataclass(frozen=True, slots=True)
class Lawful:
    """Accounts of one lawful persona: how many there are, and how many some campaign names."""

    accounts: int
    named: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all that was planted, and of those who were not.

    Attributes:
        planted: by name.
        campaigns: number found; merged, split: see the module; unmatched: found campaigns that are
            no planted one's match, those set apart left out.
        named: (account, campaign) pairs named, those set apart left out.
        lawful: by persona.
        apart: named pairs of licensed accounts, where the hunt was not given the licences; they are
            neither right nor wrong. campaigns_apart: found campaigns of nobody else.
        linked: planted accounts in the cluster that matches their campaign, whether or not a
            verdict made it one; linked_with: all accounts of those clusters.
    """

    planted: tuple[PlantedCampaign, ...]
    campaigns: int
    merged: int
    split: int
    unmatched: int
    named: int
    lawful: Mapping[str, Lawful]
    apart: int
    campaigns_apart: int
    linked: int
    linked_with: int

    @property
    def accounts(self) -> int:
        """Accounts planted, over all campaigns."""
        return sum(p.accounts for p in self.planted)

    @property
    def right(self) -> int:
        """Accounts named rightly, over all campaigns."""
        return sum(p.right for p in self.planted)

    @property
    def planted_named(self) -> int:
        """Planted accounts that any campaign names."""
        return sum(p.named for p in self.planted)

    @property
    def lawful_named(self) -> int:
        """Lawful accounts named, over all personas."""
        return sum(persona.named for persona in self.lawful.values())


def judge(traffic: Path, findings: Path, *, licences_known: bool) -> Outcome:
    """Set findings (Parquet) beside ``traffic/truth``.

    Args:
        traffic: folder with accounts.parquet and truth/{accounts,exchanges}.parquet.
        findings: a hunt's output folder.
        licences_known: whether the hunt was given the accounts table. Without it nobody can know
            that a licensed customer is entitled to its harvest.
    """
    truth = pq.read_table(traffic / "truth" / "accounts.parquet").to_pylist()
    licensed = set() if licences_known else _licensed(traffic / "accounts.parquet")
    planted_of = {row["account"]: row["campaign"] for row in truth if row["campaign"] is not None}
    persona_of = {row["account"]: row["persona"] for row in truth if row["campaign"] is None}
    campaigns = pq.read_table(findings / "campaigns.parquet").to_pylist()
    pairs = pq.read_table(findings / "accounts.parquet", columns=["account", "campaign"])
    named = [(row["account"], row["campaign"]) for row in pairs.to_pylist()]
    judged = [pair for pair in named if pair[0] not in licensed]

    planted_names = sorted(set(planted_of.values()))
    found_names = [row["campaign"] for row in campaigns]
    overlap = _overlap(planted_names, found_names, planted_of, judged)
    match = _assign(overlap)
    counts = _exchange_counts(traffic, findings)
    sizes = Counter(planted_of.values())
    named_somewhere = Counter(planted_of[a] for a in {a for a, _ in judged} if a in planted_of)
    planted = tuple(
        _planted(
            name,
            accounts=sizes[name],
            named=named_somewhere[name],
            right=int(overlap[row, match[row]]) if row in match else 0,
            matched=campaigns[match[row]] if row in match else None,
            counts=counts,
        )
        for row, name in enumerate(planted_names)
    )
    of_found = Counter(campaign for _, campaign in judged)
    found_sizes = np.array([of_found[name] for name in found_names], dtype=np.int64)
    campaigns_apart = int((found_sizes == 0).sum())
    linked, linked_with = _linked(findings / "profiles.parquet", planted_names, planted_of)
    return Outcome(
        planted=planted,
        campaigns=len(campaigns),
        merged=int((_parts(overlap, found_sizes[None, :]).sum(axis=0) > 1).sum()),
        split=int((_parts(overlap, overlap.sum(axis=1)[:, None]).sum(axis=1) > 1).sum()),
        unmatched=len(campaigns) - len(match) - campaigns_apart,
        named=len(judged),
        lawful=_lawful(persona_of, {account for account, _ in judged}),
        apart=len(named) - len(judged),
        campaigns_apart=campaigns_apart,
        linked=linked,
        linked_with=linked_with,
    )


def _licensed(accounts: Path) -> set[str]:
    rows = pq.read_table(accounts, columns=["account", "licence"]).to_pylist()
    return {row["account"] for row in rows if row["licence"] is not None}


def _overlap(
    planted: list[str], found: list[str], planted_of: dict[str, str], named: list[tuple[str, str]]
) -> np.ndarray:
    """Accounts that a planted and a found campaign have in common, (planted, found) int64."""
    row = {name: i for i, name in enumerate(planted)}
    column = {name: i for i, name in enumerate(found)}
    overlap = np.zeros((len(planted), len(found)), dtype=np.int64)
    for account, campaign in named:
        if account in planted_of:
            overlap[row[planted_of[account]], column[campaign]] += 1
    return overlap


def _assign(overlap: np.ndarray) -> dict[int, int]:
    """Row to column, one to one, with the greatest sum; pairs that share nobody are left out."""
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return {
        int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlap[int(r), int(c)] > 0
    }


def _parts(overlap: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return (overlap > 0) & (overlap >= PART * whole)


def _linked(profiles: Path, planted: list[str], planted_of: dict[str, str]) -> tuple[int, int]:
    """Accounts in the clusters that match planted campaigns: planted ones rightly there, and all."""
    if not profiles.is_file():
        return 0, 0
    rows = pq.read_table(profiles, columns=["account", "cluster"]).to_pylist()
    members = [(row["account"], row["cluster"]) for row in rows if row["cluster"] is not None]
    clusters = sorted({cluster for _, cluster in members})
    overlap = _overlap(planted, clusters, planted_of, members)
    match = _assign(overlap)
    sizes = Counter(cluster for _, cluster in members)
    return (
        sum(int(overlap[pair]) for pair in match.items()),
        sum(sizes[clusters[column]] for column in match.values()),
    )


def _exchange_counts(traffic: Path, findings: Path) -> dict[tuple[str | None, str | None], int]:
    """Exchanges by (planted campaign, found campaign); None: of none."""
    with duckdb.connect(":memory:") as engine:
        rows = engine.execute(
            """
            SELECT t.campaign, f.campaign, COUNT(*)
            FROM read_parquet($truth) AS t
            FULL JOIN read_parquet($found) AS f ON f.exchange_id = t.exchange_id
            GROUP BY ALL
            """,
            {
                "truth": str(traffic / "truth" / "exchanges.parquet"),
                "found": str(findings / "exchanges.parquet"),
            },
        ).fetchall()
    return {(planted, found): n for planted, found, n in rows}


def _planted(
    name: str,
    *,
    accounts: int,
    named: int,
    right: int,
    matched: dict[str, object] | None,
    counts: dict[tuple[str | None, str | None], int],
) -> PlantedCampaign:
    found = str(matched["campaign"]) if matched else None
    return PlantedCampaign(
        name=name,
        matched=found,
        accounts=accounts,
        named=named,
        right=right,
        exchanges=sum(n for (planted, _), n in counts.items() if planted == name),
        attributed=sum(n for (_, f), n in counts.items() if found is not None and f == found),
        attributed_right=counts.get((name, found), 0) if found is not None else 0,
        low=_whole(matched, "exchanges_low"),
        high=_whole(matched, "exchanges_high"),
    )


def _whole(row: dict[str, object] | None, column: str) -> int:
    value = row[column] if row else 0
    if not isinstance(value, int):
        raise TypeError(f"{column} of the campaigns table is {value!r}, not a whole number.")
    return value


def _lawful(persona_of: dict[str, str], named: set[str]) -> dict[str, Lawful]:
    accounts = Counter(persona_of.values())
    hurt = Counter(persona_of[a] for a in named if a in persona_of)
    return {p: Lawful(accounts[p], hurt[p]) for p in sorted(accounts)}


def empty_findings(folder: Path) -> None:
    """Write the tables of a hunt that found nothing; what a hunt that refused amounts to."""
    for name in ("campaigns", "accounts", "exchanges"):
        pq.write_table(pa.Table.from_pylist([], schema=TABLES[name]), folder / f"{name}.parquet")
