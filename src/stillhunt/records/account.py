"""The optional side table of accounts: who owns them, who pays, what they declared."""

from __future__ import annotations

import pyarrow as pa

ACCOUNT_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("organization", pa.string()),
        pa.field("created_at", pa.timestamp("us", tz="UTC")),
        pa.field("payment", pa.string()),
        pa.field("email_domain", pa.string()),
        pa.field("tier", pa.string()),
        pa.field("declared_use", pa.string()),
        pa.field("licence", pa.string()),
    ]
)
"""Columns, types and order of the accounts table. ``licence`` not null: harvesting is permitted to
that account's entity. ``organization`` here outranks the one on exchanges."""
