"""The rows of a table of degree totals, as a batch commits to them. ``docs/evidence.md`` publishes them.

Row 0 is the header: classes of degrees and popularities, which name nobody, in clear. Then a row for
each value that two or more entities carry: its family, how many entities, and a salted commitment of
the value, so that a row can be shown without it. Then a row for each template and its grams, salted.
The rows are the leaves of an RFC 6962 tree.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from stillhunt.evidence.canonical import encode
from stillhunt.evidence.merkle import HASH_BYTES, HashRows, Rows, hash_rows

FAMILIES: tuple[str, ...] = (
    "template", "address", "network", "client", "payment", "email_domain",
)  # fmt: skip
"""Families in the order of their numbers in rows."""

FAMILY_NUMBER = {family: number for number, family in enumerate(FAMILIES)}

HEADER, VALUE, TEMPLATE = 0x00, 0x01, 0x02
"""Kinds of rows: their first byte."""

VALUE_DOMAIN = 0x24
"""The byte that is hashed before a value's salt."""

SALT_BYTES = 16
MOST_GRAMS = 65_535
"""Of one template, the least ones."""

VALUE_ROW = np.dtype([("kind", "u1"), ("family", "u1"), ("entities", ">u8"), ("commitment", "V32")])
"""A value's row, 42 bytes."""

_OPENED = np.dtype([("domain", "u1"), ("salt", "V16"), ("family", "u1"), ("value", "<i8")])
_TEMPLATE_HEAD = struct.Struct(">B16sqH")


def header_row(header: dict[str, Any]) -> bytes:
    """Row 0: a byte 0x00, then the header as canonical JSON."""
    return bytes([HEADER]) + encode(header)


def value_commitments(
    salts: Rows, family: np.ndarray, value: np.ndarray, hasher: HashRows = hash_rows
) -> Rows:
    """SHA-256 of 0x24, the salt, the family's number and the value (int64, little-endian).

    Args:
        salts: (n, 16); family: uint8 (n,); value: int64 (n,).

    Returns:
        uint8 (n, 32).
    """
    message = np.empty(len(value), dtype=_OPENED)
    message["domain"] = VALUE_DOMAIN
    message["salt"] = np.ascontiguousarray(salts).view("V16").reshape(-1)
    message["family"] = family
    message["value"] = value
    return hasher(message.view(np.uint8).reshape(len(value), -1))


def value_rows(family: np.ndarray, entities: np.ndarray, commitments: Rows) -> np.ndarray:
    """Rows of values, VALUE_ROW (n,)."""
    rows = np.empty(len(family), dtype=VALUE_ROW)
    rows["kind"] = VALUE
    rows["family"] = family
    rows["entities"] = entities
    rows["commitment"] = np.ascontiguousarray(commitments).view(f"V{HASH_BYTES}").reshape(-1)
    return rows


def template_row(salt: bytes, template: int, grams: np.ndarray) -> bytes:
    """0x02, the salt, the template (i64), how many grams (u16), the grams (i32 each, rising)."""
    head = _TEMPLATE_HEAD.pack(TEMPLATE, salt, template, len(grams))
    return head + np.asarray(grams).astype(">i4").tobytes()


def parse_template_row(row: bytes) -> tuple[int, np.ndarray]:
    """The template and its grams, int32 rising.

    Raises:
        ValueError: this is no such row.
    """
    if len(row) < _TEMPLATE_HEAD.size or row[0] != TEMPLATE:
        raise ValueError("a row is not a template's")
    _, _, template, count = _TEMPLATE_HEAD.unpack_from(row)
    grams = np.frombuffer(row, dtype=">i4", offset=_TEMPLATE_HEAD.size)
    if len(grams) != count or not np.all(np.diff(grams.astype(np.int64)) > 0):
        raise ValueError("a template's grams are not as many as it says, or not in order")
    return template, grams.astype(np.int32)
