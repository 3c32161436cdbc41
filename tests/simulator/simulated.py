"""A simulation read back, each row beside the truth about it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

TRUE = ("persona", "campaign", "operator")


class Simulated:
    """Tables of one simulation; ``exchanges`` and ``accounts`` carry persona, campaign, operator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exchanges = _joined(folder, "exchanges", "exchange_id")
        self.accounts = _joined(folder, "accounts", "account")

    def of(self, persona: str) -> pa.Table:
        """Exchanges of a persona."""
        return self.exchanges.filter(pc.equal(self.exchanges["persona"], persona))

    def campaign(self, name: str) -> pa.Table:
        """Harvest of a campaign."""
        return self.exchanges.filter(pc.equal(self.exchanges["campaign"], name))

    def members(self, campaign: str) -> pa.Table:
        """Accounts of a campaign."""
        return self.accounts.filter(pc.equal(self.accounts["campaign"], campaign))

    def owners(self, persona: str) -> pa.Table:
        """Accounts of a persona."""
        return self.accounts.filter(pc.equal(self.accounts["persona"], persona))


def _joined(folder: Path, name: str, key: str) -> pa.Table:
    table = pq.read_table(folder / f"{name}.parquet")
    truth = pq.read_table(folder / "truth" / f"{name}.parquet")
    assert table[key].equals(truth[key])
    for column in TRUE:
        table = table.append_column(column, truth[column])
    return table


def grouped(table: pa.Table, key: str, value: str) -> dict[Any, set[Any]]:
    """Values of one column by those of another."""
    out: dict[Any, set[Any]] = defaultdict(set)
    for k, v in zip(table[key].to_pylist(), table[value].to_pylist(), strict=True):
        out[k].add(v)
    return out


def sharing(table: pa.Table, column: str) -> float:
    """Of accounts that have a value of a column, the share that has one which another has too."""
    owners = grouped(table, column, "account")
    owners.pop(None, None)
    everybody = set().union(*owners.values())
    together = set().union(set(), *(v for v in owners.values() if len(v) > 1))
    return len(together) / len(everybody)


def days(table: pa.Table, column: str = "time") -> NDArray[np.float64]:
    """Moments, in days since 2026-03-02."""
    seconds = table[column].cast(pa.int64()).to_numpy() / 1e6
    out: NDArray[np.float64] = (seconds - 1_772_409_600) / 86_400
    return out


def median(table: pa.Table, column: str) -> float:
    """Of what is there."""
    return float(np.median(table[column].drop_null().to_numpy()))


def runs(prompts: list[str], words: int) -> set[tuple[str, ...]]:
    """All runs of so many words."""
    out: set[tuple[str, ...]] = set()
    for prompt in prompts:
        split = prompt.split()
        out.update(tuple(split[i : i + words]) for i in range(len(split) - words + 1))
    return out
