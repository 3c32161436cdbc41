"""What a hunt writes for other programs. Version 1; a change is a new version and a changelog line."""

from __future__ import annotations

import pyarrow as pa

FINDINGS_VERSION = 1

_REASON = pa.struct(
    [
        pa.field("signal", pa.string(), nullable=False),
        pa.field("evidence", pa.string(), nullable=False),
        pa.field("log_odds", pa.float64()),
    ]
)

CAMPAIGNS: pa.Schema = pa.schema(
    [
        pa.field("campaign", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("link_p", pa.float64(), nullable=False),
        pa.field("harvest_p", pa.float64()),
        pa.field("harvest_p_floor", pa.float64()),
        pa.field("q_value", pa.float64(), nullable=False),
        pa.field("accounts", pa.int64(), nullable=False),
        pa.field("entities", pa.int64(), nullable=False),
        pa.field("exchanges", pa.int64(), nullable=False),
        pa.field("exchanges_low", pa.int64(), nullable=False),
        pa.field("exchanges_high", pa.int64(), nullable=False),
        pa.field("input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("first_seen", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("last_seen", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("kinds", pa.list_(pa.string()), nullable=False),
        pa.field("summary", pa.string(), nullable=False),
    ]
)

ACCOUNTS: pa.Schema = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),
        pa.field("campaign", pa.string(), nullable=False),
        pa.field("membership_probability", pa.float64(), nullable=False),
        pa.field("exchanges", pa.int64(), nullable=False),
        pa.field("campaign_exchanges", pa.int64(), nullable=False),
        pa.field("reasons", pa.list_(_REASON), nullable=False),
    ]
)

EXCHANGES: pa.Schema = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("campaign", pa.string(), nullable=False),
    ]
)

LINKS: pa.Schema = pa.schema(
    [
        pa.field("campaign", pa.string()),
        pa.field("x_family", pa.string(), nullable=False),
        pa.field("x_value", pa.string(), nullable=False),
        pa.field("y_family", pa.string(), nullable=False),
        pa.field("y_value", pa.string(), nullable=False),
        pa.field("entities", pa.int64(), nullable=False),
        pa.field("expected", pa.float64(), nullable=False),
        pa.field("p_value", pa.float64(), nullable=False),
        pa.field("q_value", pa.float64(), nullable=False),
    ]
)

LINK_MEMBERS: pa.Schema = pa.schema(
    [
        pa.field("link", pa.int64(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),
    ]
)

COVERAGE: pa.Schema = pa.schema(
    [
        pa.field("signal", pa.string(), nullable=False),
        pa.field("available", pa.bool_(), nullable=False),
        pa.field("share", pa.float64(), nullable=False),
        pa.field("consequence", pa.string(), nullable=False),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "campaigns": CAMPAIGNS,
    "accounts": ACCOUNTS,
    "exchanges": EXCHANGES,
    "links": LINKS,
    "link_members": LINK_MEMBERS,
    "coverage": COVERAGE,
}
"""File stem to schema, for every table in ``--out``."""

_MOMENT = pa.timestamp("us", tz="UTC")

CHANGES: pa.Schema = pa.schema(
    [
        pa.field("campaign", pa.string(), nullable=False),
        pa.field("account", pa.string()),
        pa.field("change", pa.string(), nullable=False),
        pa.field("at", _MOMENT),
        pa.field("other", pa.string()),
    ]
)
"""What became of campaigns (account null) and of their accounts since an earlier hunt. ``change`` is one
of CAMPAIGN_CHANGES or ACCOUNT_CHANGES; ``other`` is the other campaign or account, where there is one."""

CAMPAIGN_CHANGES: tuple[str, ...] = (
    "new",
    "split_from",
    "kept",
    "returned",
    "merged_into",
    "ended",
    "no_longer_named",
)

ACCOUNT_CHANGES: tuple[str, ...] = (
    "joined",
    "kept",
    "returned",
    "left",
    "replaced_by",
    "moved_to",
    "no_longer_named",
)

HISTORY: pa.Schema = pa.schema(
    [
        pa.field("campaign", pa.string(), nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),
        pa.field("first_seen", _MOMENT, nullable=False),
        pa.field("last_seen", _MOMENT, nullable=False),
        pa.field("exchanges_per_day", pa.float64(), nullable=False),
        pa.field("first_named", _MOMENT, nullable=False),
        pa.field("last_named", _MOMENT, nullable=False),
        pa.field("left_at", _MOMENT),
        pa.field("replaced_by", pa.string()),
        pa.field("merged_into", pa.string()),
    ]
)
"""Every account ever named, by campaign: what one hunt hands on to the next."""

VERDICTS: pa.Schema = pa.schema(
    [
        pa.field("subject", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("reviewer", pa.string(), nullable=False),
        pa.field("time", _MOMENT, nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("expires", _MOMENT),
    ]
)
"""What reviewers concluded of a ``subject`` (campaign, account or organization) called ``name``."""

OVER_TIME: dict[str, pa.Schema] = {"changes": CHANGES, "history": HISTORY, "verdicts": VERDICTS}
"""File stem to schema, for tables that only a hunt with an earlier one, or with verdicts, writes."""

KINDS: tuple[str, ...] = (
    "cot_elicitation",
    "rubric_grading",
    "synthetic_data",
    "agentic_tool_use",
    "coding",
    "instruction",
    "roleplay",
    "censorship_rewrite",
    "other",
)
"""Kinds of harvest, in ``campaigns.kinds``."""
