"""The table of degree totals and the rows that a batch commits to.

Row 0 is the header: classes of degrees and popularities, which name nobody, in clear. Then a row for
each value that two or more entities carry: its family, how many entities, and a salted commitment of
the value, so that a row can be shown without it. Then a row for each template and its grams, salted.
The rows are the leaves of an RFC 6962 tree whose root the batch record holds.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stillhunt.evidence.canonical import encode
from stillhunt.evidence.entries import keystream
from stillhunt.evidence.merkle import Tree

FAMILIES: tuple[str, ...] = (
    "template", "address", "network", "client", "payment", "email_domain",
)  # fmt: skip
"""Families in the order of their numbers in rows."""

FAMILY_NUMBER = {family: number for number, family in enumerate(FAMILIES)}

SALT = 16
_HEADER, _VALUE, _TEMPLATE = b"\x00", b"\x01", b"\x02"
_VALUE_DOMAIN = b"\x24"
_VALUE_ROW = struct.Struct(">cBQ32s")
MOST_GRAMS = 65_535


def header_row(header: dict[str, Any]) -> bytes:
    """Row 0."""
    return _HEADER + encode(header)


def value_commitment(salt: bytes, family: int, value: int) -> bytes:
    """SHA-256 of 0x24, the salt (16 bytes), the family's number, and the value (int64, little-endian)."""
    return hashlib.sha256(_VALUE_DOMAIN + salt + struct.pack("<Bq", family, value)).digest()


def value_row(family: int, entities: int, commitment: bytes) -> bytes:
    """0x01, the family's number, how many entities (u64), the value's commitment: 42 bytes."""
    return _VALUE_ROW.pack(_VALUE, family, entities, commitment)


def template_row(salt: bytes, template: int, grams: np.ndarray) -> bytes:
    """0x02, the salt, the template (i64), how many grams (u16), the grams (i32 each), rising."""
    return (
        _TEMPLATE
        + salt
        + struct.pack(">qH", template, len(grams))
        + np.asarray(grams, dtype=">i4").tobytes()
    )


@dataclass(frozen=True)
class TotalsTable:
    """Degree totals of a stretch of a log.

    Attributes:
        header: classes, as JSON.
        family: uint8 (n,), value: int64 (n,), entities: int64 (n,): values that two or more carry.
        template: int64 (m,), gram: int32 (m,): grams of each template, by template, then gram.
        key: 32 bytes, of which the salts are the keystream.
    """

    header: dict[str, Any]
    family: np.ndarray
    value: np.ndarray
    entities: np.ndarray
    template: np.ndarray
    gram: np.ndarray
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @cached_property
    def _templates(self) -> tuple[np.ndarray, np.ndarray]:
        """Different templates, and where the grams of each begin and end: int64 (t,), (t + 1,)."""
        names, first = np.unique(self.template, return_index=True)
        return names, np.append(first, len(self.template))

    @cached_property
    def _salts(self) -> bytes:
        return keystream(self.key, 0, SALT * (len(self.value) + len(self._templates[0])))

    def salt(self, number: int) -> bytes:
        """Salt of a value or, after these, of a template, by its number in the table."""
        return self._salts[SALT * number : SALT * (number + 1)]

    @cached_property
    def commitments(self) -> list[bytes]:
        """Of each value, in the table's order."""
        return [
            value_commitment(self.salt(i), family, value)
            for i, (family, value) in enumerate(
                zip(self.family.tolist(), self.value.tolist(), strict=True)
            )
        ]

    @cached_property
    def place(self) -> np.ndarray:
        """int64 (n,): the row of each value. By commitment, so that its place tells nothing of a value."""
        order = sorted(
            range(len(self.value)), key=lambda i: (int(self.family[i]), self.commitments[i])
        )
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(1, len(order) + 1)
        return place

    @cached_property
    def tree(self) -> Tree:
        """Over all rows."""
        return Tree.of(self.rows())

    def rows(self) -> Iterator[bytes]:
        """All rows in their order."""
        yield header_row(self.header)
        entities = self.entities.tolist()
        family = self.family.tolist()
        for i in np.argsort(self.place, kind="stable").tolist():
            yield value_row(family[i], entities[i], self.commitments[i])
        for number in range(len(self._templates[0])):
            yield self.template_row(number)

    def template_row(self, number: int) -> bytes:
        """Row of a template by its number."""
        names, ends = self._templates
        salt = self.salt(len(self.value) + number)
        grams = self.gram[ends[number] : ends[number + 1]][:MOST_GRAMS]
        return template_row(salt, int(names[number]), grams)

    def template_number(self, template: int) -> int | None:
        """A template's number in the table; None where it has none."""
        names, _ = self._templates
        at = int(np.searchsorted(names, template))
        return at if at < len(names) and names[at] == template else None

    def row_of_template(self, number: int) -> int:
        """The row of a template."""
        return 1 + len(self.value) + number

    @property
    def templates(self) -> int:
        """How many templates there are."""
        return len(self._templates[0])

    def write(self, path: Path) -> None:
        """Write all of it, salts' key included: to be kept as secret as the payload."""
        with path.open("wb") as file:
            np.savez(
                file,
                header=np.frombuffer(encode(self.header), dtype=np.uint8),
                family=self.family,
                value=self.value,
                entities=self.entities,
                template=self.template,
                gram=self.gram,
                key=np.frombuffer(self.key, dtype=np.uint8),
            )
