"""An observation's canonical bytes: the layout alone, for whoever checks leaves without Arrow.

Version 1; ``docs/formats.md`` publishes it. ``records.observation`` encodes.
"""

from __future__ import annotations

import numpy as np

OBSERVATION_VERSION = 1

GRAMS = 16
"""Sampled word-run hashes an observation may hold."""

SCALARS: tuple[tuple[str, str], ...] = (
    ("time", "<i8"),
    ("account", "<i8"),
    ("organization", "<i8"),
    ("credential", "<i4"),
    ("address", "<i8"),
    ("network", "<i8"),
    ("asn", "<i4"),
    ("tls", "<i4"),
    ("agent", "<i4"),
    ("model", "<i4"),
    ("system", "<i4"),
    ("item", "<i8"),
    ("guarantee", "<i4"),
    ("cues", "<i8"),
    ("words", "<i4"),
    ("response_bytes", "<i4"),
    ("input_tokens", "<i4"),
    ("output_tokens", "<i4"),
    ("max_tokens", "<i4"),
    ("status", "<i2"),
    ("finish", "<i1"),
    ("temperature", "<f4"),
    ("stream", "<i1"),
)
"""Fields after the digest, in their order: name and NumPy type, little-endian. The bit of ``nulls``
that belongs to a field is its place here."""

LAYOUT = np.dtype(
    [("version", "u1"), ("gram_count", "u1"), ("nulls", "<u4"), ("exchange", "V16")]
    + [(name, kind) for name, kind in SCALARS]
    + [("grams", "<i4", (GRAMS,))]
)
"""The canonical bytes, little-endian, without padding: a version byte, the number of grams, a bit
for each scalar in the order of ``SCALARS`` that is null (its bytes are then zero), the scalars,
and sixteen grams (unused ones zero)."""
