"""The observation: what fingerprinting leaves of an exchange. Fixed size, no text.

Version 1. The store, the sealed log and evidence bundles all use this one definition;
``docs/formats.md`` publishes it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from stillhunt.records.leaf import GRAMS, LAYOUT, OBSERVATION_VERSION, SCALARS

__all__ = [
    "FINISH_REASONS",
    "GRAMS",
    "LAYOUT",
    "OBSERVATION_SCHEMA",
    "OBSERVATION_VERSION",
    "canonical_bytes",
    "digests_of",
    "keys_of",
]

# Hashes are signed integers, because Parquet's unsigned ones do not survive every engine.
OBSERVATION_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("exchange", pa.binary(16), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("account", pa.int64(), nullable=False),
        pa.field("organization", pa.int64()),
        pa.field("credential", pa.int32()),
        pa.field("address", pa.int64()),
        pa.field("network", pa.int64()),
        pa.field("asn", pa.int32()),
        pa.field("tls", pa.int32()),
        pa.field("agent", pa.int32()),
        pa.field("model", pa.int32()),
        pa.field("system", pa.int32()),
        pa.field("item", pa.int64()),
        pa.field("grams", pa.list_(pa.int32()), nullable=False),
        pa.field("guarantee", pa.int32()),
        pa.field("cues", pa.int64()),
        pa.field("words", pa.int32()),
        pa.field("response_bytes", pa.int32()),
        pa.field("input_tokens", pa.int32()),
        pa.field("output_tokens", pa.int32()),
        pa.field("max_tokens", pa.int32()),
        pa.field("status", pa.int16()),
        pa.field("finish", pa.int8()),
        pa.field("temperature", pa.float32()),
        pa.field("stream", pa.bool_()),
    ]
)
"""Columns, types and order of an observation."""

FINISH_REASONS: tuple[str, ...] = (
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "error",
    "other",
)
"""``finish`` is the index in this list; null where the log does not say."""


def keys_of(observations: pa.RecordBatch) -> pa.Int64Array:
    """The first eight bytes of each exchange's digest, little-endian, by which tables are joined."""
    digests = digests_of(observations.column("exchange"))
    return pa.array(digests.reshape(-1).view("<i8")[::2])


def digests_of(exchange: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Digests of n exchanges, uint8 (n, 16), from their column."""
    chunks = exchange.chunks if isinstance(exchange, pa.ChunkedArray) else [exchange]
    parts = [np.zeros(0, dtype=np.uint8)]
    for chunk in chunks:
        plain = chunk.cast(pa.binary())
        _, places, data = plain.buffers()
        if len(plain):
            at = np.frombuffer(places, dtype=np.int32)[plain.offset : plain.offset + len(plain) + 1]
            parts.append(np.frombuffer(data, dtype=np.uint8)[at[0] : at[-1]])
    return np.concatenate(parts).reshape(-1, 16)


def canonical_bytes(observations: pa.RecordBatch) -> np.ndarray:
    """Encode observations as their canonical bytes, version 1.

    Args:
        observations: a batch of OBSERVATION_SCHEMA, n rows.

    Returns:
        Structured array of shape (n,) and dtype LAYOUT; ``out[i].tobytes()`` is row i's leaf.
    """
    n = observations.num_rows
    out = np.zeros(n, dtype=LAYOUT)
    out["version"] = OBSERVATION_VERSION
    out["exchange"] = digests_of(observations.column("exchange")).view("V16").reshape(-1)
    nulls = np.zeros(n, dtype=np.uint32)
    for bit, (name, kind) in enumerate(SCALARS):
        column = observations.column(name)
        if name == "time":
            column = column.cast(pa.int64())
        elif name == "stream":
            column = column.cast(pa.int8())
        missing = np.asarray(column.is_null())
        nulls |= missing.astype(np.uint32) << np.uint32(bit)
        zero = pa.scalar(0, column.type) if name != "temperature" else pa.scalar(0.0, column.type)
        out[name] = np.asarray(column.fill_null(zero)).astype(kind)
    out["nulls"] = nulls
    grams = observations.column("grams")
    offsets = np.asarray(grams.offsets)
    flat = np.asarray(grams.values)
    counts = np.diff(offsets)
    out["gram_count"] = counts
    row = np.repeat(np.arange(n), counts)
    rank = np.arange(len(row)) - np.repeat(offsets[:-1] - offsets[0], counts)
    out["grams"][row, rank] = flat[offsets[0] : offsets[-1]] if n else []
    return out
