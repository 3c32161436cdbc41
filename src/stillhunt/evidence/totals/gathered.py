"""What a claim's own leaves say of the values that its entities share, by stretch of the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.rows import ClaimRows
from stillhunt.evidence.claim.values import values_of
from stillhunt.evidence.entries import ACCOUNT_LAYOUT
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.merkle import Rows
from stillhunt.records.leaf import LAYOUT, SCALARS

_AT_ONCE = 1 << 17
_BIT = {name: np.uint32(1 << i) for i, (name, _) in enumerate(SCALARS)}
_SPREAD = np.int64(1 << 32)

Carried = tuple[np.ndarray, np.ndarray]
"""Entity and value, int64 (n,) each, distinct pairs."""


@dataclass(frozen=True)
class AccountRows:
    """Rows of the accounts table that a log holds of claimed accounts: of each the last one.

    Attributes:
        positions: int64 (m,), ascending; account: int64 (m,), its place in the claim.
        records: ACCOUNT_LAYOUT (m,); salts: (m, 48).
    """

    positions: np.ndarray
    account: np.ndarray
    records: np.ndarray
    salts: Rows


def account_rows(log: Log, rows: ClaimRows, size: int) -> AccountRows:
    """Look for them among the first ``size`` leaves; batches whose content was deleted have none."""
    positions: list[np.ndarray] = []
    records: list[np.ndarray] = []
    salts: list[Rows] = []
    for batch in log.batches():
        if batch.end > size or not batch.accounts or not log.is_openable(batch):
            continue
        first = batch.first + batch.observations
        for opened in log.open_accounts(np.arange(first, batch.leaf, dtype=np.int64)):
            here = np.ascontiguousarray(opened.rows).reshape(-1).view(ACCOUNT_LAYOUT)
            ours = np.isin(here["account"].astype(np.int64).view(np.uint64), rows.account)
            positions.append(opened.positions[ours])
            records.append(here[ours])
            salts.append(opened.salts[ours])
    if not positions:
        return AccountRows(
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, ACCOUNT_LAYOUT),
            np.zeros((0, 48), np.uint8),
        )
    position, record, salt = (
        np.concatenate(positions),
        np.concatenate(records),
        np.concatenate(salts),
    )
    place = np.searchsorted(rows.account, record["account"].astype(np.int64).view(np.uint64))
    _, last = np.unique(place[::-1], return_index=True)
    kept = np.sort(len(place) - 1 - last)
    return AccountRows(position[kept], place[kept].astype(np.int64), record[kept], salt[kept])


def said(records: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A field of rows of the accounts table: int64 (m,), and bool (m,), whether it is there."""
    nulls, bit = {
        "organization": ("who_nulls", 1),
        "payment": ("bill_nulls", 0),
        "email_domain": ("bill_nulls", 1),
    }[name]
    return records[name].astype(np.int64), (records[nulls] >> bit) & 1 == 0


def records_of(log: Log, rows: ClaimRows) -> np.ndarray:
    """The claimed leaves, LAYOUT (n,), in the order of the claim."""
    out = np.zeros(len(rows.position), dtype=LAYOUT)
    position = rows.position.astype(np.int64)
    order = np.argsort(position)
    leaves = LogLeaves(log)
    for start in range(0, len(order), _AT_ONCE):
        here = order[start : start + _AT_ONCE]
        _, leaf, _ = leaves.open_leaves(position[here])
        out[here] = np.ascontiguousarray(leaf).reshape(-1).view(LAYOUT)
    return out


def entities_of(rows: ClaimRows, records: np.ndarray, accounts: AccountRows) -> np.ndarray:
    """The entity of each claimed account, int64 (m,): as a hunt has it, by the claimed leaves.

    An account's organization is that of the accounts table, else the largest on its exchanges.
    """
    entity = rows.account.view(np.int64).copy()
    owner = np.repeat(np.arange(len(rows.account)), np.diff(rows.starts))
    value, there = values_of(records, "organization")
    declared = np.full(len(entity), np.iinfo(np.int64).min)
    np.maximum.at(declared, owner[there], value[there])
    on_leaf = np.zeros(len(entity), dtype=bool)
    on_leaf[owner[there]] = True
    entity[on_leaf] = declared[on_leaf]
    organization, given = said(accounts.records, "organization")
    entity[accounts.account[given]] = organization[given]
    return entity


def stretch_of(batch: Batch) -> tuple[int, int]:
    """The leaves that a batch's totals count: from one position to before another."""
    totals = batch.totals or {}
    return int(totals.get("first", batch.first)), int(totals.get("end", batch.end))


def client_values(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of the family client as a hunt counts them: int64 (n,), and bool (n,), whether there."""
    nulls = records["nulls"]
    tls, agent = records["tls"].astype(np.int64), records["agent"].astype(np.int64)
    there = (nulls & (_BIT["tls"] | _BIT["agent"])) != _BIT["tls"] | _BIT["agent"]
    return tls * _SPREAD + agent, there


def distinct(entity: np.ndarray, value: np.ndarray) -> Carried:
    """Distinct pairs."""
    pairs = np.unique(np.column_stack([value, entity]), axis=0)
    return pairs[:, 1], pairs[:, 0]


def templates_of(
    grams: np.ndarray, counts: np.ndarray, gram: np.ndarray, template: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which templates leaves hold.

    Args:
        grams: int32 (n, 16); counts: (n,), how many of them are there.
        gram: int32 (g,), distinct; template: int64 (g,), of each.

    Returns:
        Leaf and template, int64 (k,) each, distinct pairs.
    """
    order = np.argsort(gram)
    known, names = gram[order], template[order]
    if len(known) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    held = np.arange(grams.shape[1]) < counts[:, None]
    leaf = np.nonzero(held)[0]
    wanted = grams[held]
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found = known[at] == wanted
    pairs = np.unique(np.column_stack([leaf[found], names[at[found]]]), axis=0)
    return pairs[:, 0], pairs[:, 1]
