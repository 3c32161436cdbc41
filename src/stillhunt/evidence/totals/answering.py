"""Answers to an audit of the member ``totals``."""

from __future__ import annotations

import numpy as np

from stillhunt.evidence.claim.rows import ClaimRows
from stillhunt.evidence.entries import as_rows
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.pseudonyms import salt
from stillhunt.evidence.totals.audit import (
    ACCOUNT_OPENED,
    MAGIC,
    ORGANIZATION_OPENED,
    VALUE_OPENED,
    TotalsPlan,
)
from stillhunt.evidence.totals.gathered import (
    AccountRows,
    account_rows,
    entities_of,
    records_of,
    said,
)
from stillhunt.evidence.totals.making import claimed_organizations, stretches_of
from stillhunt.evidence.totals.member import ShownTotals


def answer_totals(
    log: Log, rows: ClaimRows, secret: bytes, shown: ShownTotals, plan: TotalsPlan, size: int
) -> bytes:
    """The member ``totals.audit``.

    Args:
        log: as when the claim was made; rows, secret: of the claim; shown: its member ``totals``.
        plan: what was drawn; size: of the head that leaves are proven against.
    """
    records = records_of(log, rows)
    accounts = account_rows(log, rows, size)
    entity = entities_of(rows, records, accounts)
    values = np.zeros(len(plan.values), dtype=VALUE_OPENED)
    first = filled = 0
    made = stretches_of(log, rows, records, accounts, entity, size)
    for stretch, (_, held, sharing) in zip(shown.stretches, made, strict=True):
        place = {}
        for shared in sharing:
            for number, value in zip(shared.number.tolist(), shared.value.tolist(), strict=True):
                place[int(held.row_of_value[number])] = (number, shared.kind, value)
        for i in plan.values[filled:]:
            if i >= first + len(stretch.values):
                break
            number, kind, value = place[int(stretch.values["row"][i - first])]
            opened = salt(secret, kind, value.to_bytes(8, "little", signed=True))
            values[filled] = (opened, value, held.salts[number].tobytes())
            filled += 1
        first += len(stretch.values)
    return (
        MAGIC
        + values.tobytes()
        + _accounts(accounts, secret, plan)
        + _organizations(claimed_organizations(records, accounts), secret, plan)
    )


def _accounts(accounts: AccountRows, secret: bytes, plan: TotalsPlan) -> bytes:
    out = np.zeros(len(plan.accounts), dtype=ACCOUNT_OPENED)
    at = list(plan.accounts)
    out["salts"] = accounts.salts[at, :32]
    out["row"] = as_rows(accounts.records[at]) if at else out["row"]
    for i, record in enumerate(accounts.records[at]):
        out["account"][i] = salt(secret, "account", record["account"].tobytes())
    for name in ("organization", "payment", "email_domain"):
        value, there = said(accounts.records[at], name)
        for i in np.flatnonzero(there).tolist():
            raw = int(value[i]).to_bytes(8, "little", signed=True)
            out[name][i] = salt(secret, name, raw)
    return out.tobytes()


def _organizations(values: np.ndarray, secret: bytes, plan: TotalsPlan) -> bytes:
    out = np.zeros(len(plan.organizations), dtype=ORGANIZATION_OPENED)
    for i, place in enumerate(plan.organizations):
        value = int(values[place])
        raw = value.to_bytes(8, "little", signed=True)
        out[i] = (salt(secret, "organization", raw), value)
    return out.tobytes()
