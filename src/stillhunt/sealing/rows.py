"""Tables of observations and accounts as the bytes that are sealed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.evidence.entries import ACCOUNT_LAYOUT
from stillhunt.fingerprints.hashing import hash64
from stillhunt.records.observation import OBSERVATION_SCHEMA, canonical_bytes

_PAYER, _DOMAIN = 1, 2
_ORGANIZATION = 2


def leaves_of(table: pa.Table) -> np.ndarray:
    """Observations as canonical bytes, by time.

    By time and then by digest, whatever the order of rows was: in a store they lie account by account,
    and neighbouring positions would tell whoever sees a claim how much lies between two accounts.

    Args:
        table: n rows with the columns of OBSERVATION_SCHEMA, and others.

    Returns:
        records of LAYOUT (n,).
    """
    batches = table.select(OBSERVATION_SCHEMA.names).cast(OBSERVATION_SCHEMA).to_batches()
    rows = [canonical_bytes(batch) for batch in batches]
    if not rows:
        return canonical_bytes(pa.RecordBatch.from_pylist([], schema=OBSERVATION_SCHEMA))
    every = np.concatenate(rows)
    digests = np.ascontiguousarray(every["exchange"]).view(">u8").reshape(-1, 2)
    return every[np.lexsort((digests[:, 1], digests[:, 0], every["time"]))]


def account_rows(accounts: pa.Table) -> np.ndarray:
    """The accounts table as it is sealed: one row an account, by its hash, as a hunt sees it.

    Of an account that is in the table twice the same values are taken as a hunt takes.

    Args:
        accounts: ACCOUNT_SCHEMA.

    Returns:
        records of ACCOUNT_LAYOUT (m,).
    """
    lowered = pc.utf8_lower(accounts.column("email_domain").cast(pa.large_string()))
    hashed = pa.table(
        {
            "account": hash64(accounts.column("account"), "account"),
            "organization": hash64(accounts.column("organization"), "organization"),
            "payment": hash64(accounts.column("payment"), "payment"),
            "email_domain": hash64(lowered, "email_domain"),
            "licensed": pc.cast(pc.is_valid(accounts.column("licence")), pa.uint8()),
        }
    )
    names = ("organization", "payment", "email_domain", "licensed")
    one = hashed.group_by("account").aggregate([(name, "max") for name in names])
    out = np.zeros(one.num_rows, dtype=ACCOUNT_LAYOUT)
    out["account"] = one.column("account")
    for name in names:
        column = one.column(f"{name}_max")
        out[name] = np.asarray(column.fill_null(pa.scalar(0, column.type)))
    missing = {name: np.asarray(one.column(f"{name}_max").is_null()) for name in names}
    out["who_nulls"] = missing["organization"] * _ORGANIZATION
    out["bill_nulls"] = missing["payment"] * _PAYER + missing["email_domain"] * _DOMAIN
    return np.sort(out, order="account")


def new_or_changed(rows: np.ndarray, sealed: dict[int, bytes]) -> np.ndarray:
    """Rows of accounts that were not sealed as they are now.

    Args:
        rows: records of ACCOUNT_LAYOUT (m,); sealed: as of ``Log.account_rows``.
    """
    raw = [row.tobytes() for row in rows]
    same = [sealed.get(a) == r for a, r in zip(rows["account"].tolist(), raw, strict=True)]
    changed: np.ndarray = rows[~np.array(same, dtype=bool)]
    return changed
