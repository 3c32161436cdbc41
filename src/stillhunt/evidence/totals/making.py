"""Makes the member ``totals`` of a claim from the log and the claimant's secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.claim.rows import ClaimRows
from stillhunt.evidence.claim.tree import LARGEST_KEY, separators
from stillhunt.evidence.claim.values import values_of
from stillhunt.evidence.entries import (
    ACCOUNT_BILL,
    ACCOUNT_WHO,
    ACCOUNT_WHO_BYTES,
    as_rows,
    commitments,
)
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.pseudonyms import salt, table
from stillhunt.evidence.totals.gathered import (
    AccountRows,
    Carried,
    account_rows,
    client_values,
    distinct,
    entities_of,
    records_of,
    said,
    stretch_of,
    templates_of,
)
from stillhunt.evidence.totals.member import (
    ACCOUNT_SHOWN,
    NOTHING,
    ORGANIZATION_SHOWN,
    VALUE_SHOWN,
    ShownTemplate,
    ShownTotals,
    Stretch,
)
from stillhunt.evidence.totals.rows import FAMILY_NUMBER
from stillhunt.evidence.totals.table import TotalsTable


@dataclass(frozen=True)
class Shared:
    """Values that two or more claimed entities carry, n of them, as a table of totals has them.

    Attributes:
        number: int64 (n,), place in the table; kind: of the pseudonym; value: int64 (n,), that it
            stands for, which for clients is not the table's.
    """

    number: np.ndarray
    kind: str
    value: np.ndarray


def totals_member(log: Log, rows: ClaimRows, secret: bytes, size: int) -> bytes | None:
    """What a pseudonymous claim shows of degree totals.

    Args:
        log: that is claimed from; rows: that are claimed; secret: key of the claim.
        size: of the head that the claim's leaves are proven against.

    Returns:
        None where no batch that holds a claimed leaf has totals, or those were deleted.
    """
    records = records_of(log, rows)
    accounts = account_rows(log, rows, size)
    entity = entities_of(rows, records, accounts)
    stretches = [
        _stretch(batch, held, sharing, _templates(held, *leaves), secret)
        for batch, held, sharing, leaves in _all_stretches(
            log, rows, records, accounts, entity, size
        )
    ]
    if not stretches:
        return None
    organizations = claimed_organizations(records, accounts)
    shown = ShownTotals(
        tuple(stretches),
        _accounts(accounts, organizations, secret),
        batch_proof(log.tree(size), size, accounts.positions) if len(accounts.positions) else b"",
        _shown_organizations(organizations, secret),
    )
    return shown.encode()


def stretches_of(
    log: Log,
    rows: ClaimRows,
    records: np.ndarray,
    accounts: AccountRows,
    entity: np.ndarray,
    size: int,
) -> Iterator[tuple[Batch, TotalsTable, list[Shared]]]:
    """Batches whose totals count claimed leaves, these totals, and the values to be shown of them."""
    for batch, held, sharing, _ in _all_stretches(log, rows, records, accounts, entity, size):
        yield batch, held, sharing


def _all_stretches(
    log: Log,
    rows: ClaimRows,
    records: np.ndarray,
    accounts: AccountRows,
    entity: np.ndarray,
    size: int,
) -> Iterator[tuple[Batch, TotalsTable, list[Shared], tuple[np.ndarray, np.ndarray]]]:
    position = rows.position.astype(np.int64)
    owner = np.repeat(np.arange(len(rows.account)), np.diff(rows.starts))
    for batch in log.batches():
        if batch.end > size or batch.totals is None:
            continue
        first, end = stretch_of(batch)
        inside = (position >= first) & (position < end)
        # Its record is shown with the leaves that lie in the batch itself.
        own = (position >= batch.first) & (position < batch.first + batch.observations)
        path = log.layout.totals(batch.batch)
        if own.any() and path.exists():
            held = TotalsTable.from_bytes(path.read_bytes())
            here, whose = records[inside], entity[owner[inside]]
            sharing = shared_values(held, here, whose, accounts, entity, owner[inside])
            yield batch, held, sharing, (here, whose)


def _stretch(
    batch: Batch,
    held: TotalsTable,
    sharing: list[Shared],
    templates: list[ShownTemplate],
    secret: bytes,
) -> Stretch:
    values = []
    for shared in sharing:
        shown = np.zeros(len(shared.number), dtype=VALUE_SHOWN)
        shown["row"] = held.row_of_value[shared.number]
        shown["family"] = held.family[shared.number]
        shown["entities"] = held.entities[shared.number]
        shown["commitment"] = held.commitments[shared.number]
        shown["pseudonym"] = table(secret, shared.kind, shared.value)
        values.append(shown)
    # Putting records together makes their numbers the machine's; bytes are big-endian.
    joined = np.concatenate(values).astype(VALUE_SHOWN)
    joined = joined[np.argsort(joined["row"].astype(np.int64))]
    wanted = {0, *joined["row"].tolist()}
    for template in templates:
        wanted |= {template.row, template.grams_row}
    proof = batch_proof(held.tree, held.rows, sorted(wanted))
    return Stretch(batch.batch, *stretch_of(batch), held.header, joined, tuple(templates), proof)


def shared_values(
    held: TotalsTable,
    here: np.ndarray,
    whose: np.ndarray,
    accounts: AccountRows,
    entity: np.ndarray,
    owner: np.ndarray,
) -> list[Shared]:
    """Values of all families but templates that two or more claimed entities carry in a stretch.

    Args:
        held: its totals; here: claimed leaves in it, LAYOUT (n,); whose: int64 (n,), the entity.
        accounts: rows of the accounts table; entity: int64 (m,), of claimed accounts.
        owner: int64 (n,), the account of each leaf.
    """
    found = []
    for kind in ("address", "network"):
        value, there = values_of(here, kind)
        carried = distinct(whose[there], value[there])
        found.append(_known(held, kind, carried, {}))
    counted, there = client_values(here)
    claimed, _ = values_of(here, "client")
    names = dict(zip(counted[there].tolist(), claimed[there].tolist(), strict=True))
    found.append(_known(held, "client", distinct(whose[there], counted[there]), names))
    active = np.isin(accounts.account, owner)
    for kind in ("payment", "email_domain"):
        value, there = said(accounts.records, kind)
        there &= active
        carried = distinct(entity[accounts.account[there]], value[there])
        found.append(_known(held, kind, carried, {}))
    return found


def _known(held: TotalsTable, family: str, carried: Carried, names: dict[int, int]) -> Shared:
    _, value = carried
    shared, count = np.unique(value, return_counts=True)
    shared = shared[count >= 2]
    of_family = np.flatnonzero(held.family == FAMILY_NUMBER[family])
    known = held.value[of_family]
    at = np.searchsorted(known, shared)
    there = at < len(known)
    there[there] = known[at[there]] == shared[there]
    shared, at = shared[there], at[there]
    named = np.array([names.get(v, v) for v in shared.tolist()], dtype=np.int64)
    return Shared(of_family[at], family, named)


def _templates(held: TotalsTable, here: np.ndarray, whose: np.ndarray) -> list[ShownTemplate]:
    leaf, template = templates_of(here["grams"], here["gram_count"], held.gram, held.template)
    _, value = distinct(whose[leaf], template)
    shared, count = np.unique(value, return_counts=True)
    of_family = np.flatnonzero(held.family == FAMILY_NUMBER["template"])
    known = held.value[of_family]
    shown = []
    for name in shared[count >= 2].tolist():
        at = int(np.searchsorted(known, name))
        if at == len(known) or known[at] != name:
            continue
        number = int(of_family[at])
        grams = int(np.searchsorted(held.templates, name))
        shown.append(
            ShownTemplate(
                int(held.row_of_value[number]),
                int(held.entities[number]),
                held.salts[number].tobytes(),
                held.row_of_template(grams),
                held.template_row(grams),
            )
        )
    return shown


def claimed_organizations(records: np.ndarray, accounts: AccountRows) -> np.ndarray:
    """Organizations of claimed accounts, by their unsigned values, int64 (k,)."""
    on_leaf, there = values_of(records, "organization")
    given, said_ = said(accounts.records, "organization")
    values = np.unique(np.concatenate([on_leaf[there], given[said_]]).view(np.uint64))
    return values.view(np.int64)


def _shown_organizations(values: np.ndarray, secret: bytes) -> np.ndarray:
    shown = np.zeros(len(values), dtype=ORGANIZATION_SHOWN)
    if len(values):
        raw = (value.tobytes() for value in values.astype("<i8"))
        random = np.frombuffer(b"".join(salt(secret, "between", v)[:8] for v in raw), dtype="<u8")
        shown["separator"][:-1] = separators(values.view(np.uint64), random)
        shown["separator"][-1] = LARGEST_KEY
        shown["pseudonym"] = table(secret, "organization", values)
    return shown


def _accounts(accounts: AccountRows, organizations: np.ndarray, secret: bytes) -> np.ndarray:
    shown = np.zeros(len(accounts.positions), dtype=ACCOUNT_SHOWN)
    shown["position"], shown["account"] = accounts.positions, accounts.account
    value, there = said(accounts.records, "organization")
    place = np.searchsorted(organizations.view(np.uint64), value.view(np.uint64))
    shown["organization"] = np.where(there, place, NOTHING)
    for name in ("payment", "email_domain"):
        value, there = said(accounts.records, name)
        distinct_values, which = np.unique(value[there], return_inverse=True)
        if len(distinct_values):
            shown[name][there] = table(secret, name, distinct_values)[which.ravel()]
    blocks = as_rows(accounts.records)
    shown["who"] = commitments(ACCOUNT_WHO, accounts.salts[:, :16], blocks[:, :ACCOUNT_WHO_BYTES])
    shown["bill"] = commitments(
        ACCOUNT_BILL, accounts.salts[:, 16:32], blocks[:, ACCOUNT_WHO_BYTES:]
    )
    return shown
