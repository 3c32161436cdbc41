"""The canonical Exchange: one API request and its response, as every reader delivers it.

Names follow the OpenTelemetry GenAI conventions where one exists.
"""

from __future__ import annotations

import pyarrow as pa

EXCHANGE_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("organization", pa.string()),
        pa.field("credential", pa.string()),
        pa.field("client_address", pa.string()),
        pa.field("client_asn", pa.string()),
        pa.field("tls_fingerprint", pa.string()),
        pa.field("user_agent", pa.string()),
        pa.field("request_model", pa.string()),
        pa.field("system", pa.large_string()),
        pa.field("prompt", pa.large_string()),
        pa.field("response", pa.large_string()),
        pa.field("input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("max_tokens", pa.int64()),
        pa.field("status", pa.int64()),
        pa.field("finish_reason", pa.string()),
        pa.field("temperature", pa.float64()),
        pa.field("stream", pa.bool_()),
    ]
)
"""Columns, types and order of an Exchange. Text is ``large_string`` (64-bit offsets), so that a
batch may hold more than 2 GiB of prompts."""

REQUIRED: tuple[str, ...] = ("exchange_id", "time", "account")
"""A row without one of these is quarantined."""

TEXT: tuple[str, ...] = ("system", "prompt", "response")
"""Columns that hold what customers wrote or read. They never leave the fingerprinting step,
except for redacted exemplars of findings."""
