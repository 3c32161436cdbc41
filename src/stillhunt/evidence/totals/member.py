"""What a bundle shows of degree totals and of the accounts table: the member ``totals``.

For each stretch of the log whose totals a batch commits to: the header, the rows of values that claimed
entities share, under pseudonyms, and the rows of their templates. Then the rows of the accounts table
that the log holds of claimed accounts, and the organizations among them in the order of their values,
so that none stands twice. In ``docs/evidence.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from stillhunt.evidence.binary import Reader, put_number
from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.totals.rows import FAMILIES, FAMILY_NUMBER, SALT_BYTES

MAGIC = b"stillhunt totals 1\n"
MOST_HEADER = 8 << 20
MOST_ROWS = 1 << 28

VALUE_SHOWN = np.dtype(
    [
        ("row", ">u8"),
        ("family", "u1"),
        ("entities", ">u8"),
        ("commitment", "u1", (32,)),
        ("pseudonym", "u1", (32,)),
    ]
)
ACCOUNT_SHOWN = np.dtype(
    [
        ("position", ">u8"),
        ("account", ">u4"),
        ("organization", ">u4"),
        ("payment", "u1", (32,)),
        ("email_domain", "u1", (32,)),
        ("who", "u1", (32,)),
        ("bill", "u1", (32,)),
    ]
)
"""``account`` is its place in the member ``accounts``, ``organization`` one in the list below, or NOTHING;
a payment or e-mail domain that the table lacks is zeroes."""
ORGANIZATION_SHOWN = np.dtype([("separator", ">u8"), ("pseudonym", "u1", (32,))])

NOTHING = (1 << 32) - 1


@dataclass(frozen=True)
class ShownTemplate:
    """A template, which is nobody's and stands open.

    Attributes:
        row: of its value; entities: that carry it; salt: that its value was committed to with.
        grams_row: row of its grams; grams: that row.
    """

    row: int
    entities: int
    salt: bytes
    grams_row: int
    grams: bytes


@dataclass(frozen=True)
class Stretch:
    """What is shown of one batch's totals.

    Attributes:
        batch: its number; first, end: positions of the leaves counted, the last one excluded.
        header: as it is read; values: VALUE_SHOWN (n,), by row.
        templates: by row of their grams; proof: that all of this is in the batch's tree.
    """

    batch: int
    first: int
    end: int
    header: dict[str, Any]
    values: np.ndarray
    templates: tuple[ShownTemplate, ...]
    proof: bytes


@dataclass(frozen=True)
class ShownTotals:
    """The member.

    Attributes:
        stretches: by batch.
        accounts: ACCOUNT_SHOWN (m,), by position; accounts_proof: that they are in the log.
        organizations: ORGANIZATION_SHOWN (k,), by value.
    """

    stretches: tuple[Stretch, ...]
    accounts: np.ndarray
    accounts_proof: bytes
    organizations: np.ndarray

    def encode(self) -> bytes:
        """As bytes."""
        out = bytearray(MAGIC)
        put_number(out, len(self.stretches))
        for stretch in self.stretches:
            for number in (stretch.batch, stretch.first, stretch.end):
                put_number(out, number)
            for part in (encode(stretch.header), stretch.values.tobytes()):
                _put(out, part)
            put_number(out, len(stretch.templates))
            for template in stretch.templates:
                for number in (template.row, template.entities, template.grams_row):
                    put_number(out, number)
                out += template.salt
                _put(out, template.grams)
            _put(out, stretch.proof)
        for array in (self.accounts, self.organizations):
            _put(out, array.tobytes())
        out += self.accounts_proof
        return bytes(out)


def read_totals(body: bytes) -> ShownTotals:
    """Read the member.

    Raises:
        Refused: it is malformed, or something in it stands out of order or twice.
    """
    reader = Reader(body, Code.TOTALS_MALFORMED)
    if reader.take(len(MAGIC)) != MAGIC:
        raise reader.malformed()
    stretches = tuple(_stretch(reader) for _ in range(reader.number(1 << 16)))
    accounts = _array(reader, ACCOUNT_SHOWN)
    organizations = _array(reader, ORGANIZATION_SHOWN)
    proof = reader.take(reader.left())
    if any(a.batch >= b.batch for a, b in pairwise(stretches)):
        raise reader.malformed()
    _rising(reader, accounts["position"])
    _rising(reader, organizations["separator"])
    names = [row.tobytes() for row in organizations["pseudonym"]]
    refers = accounts["organization"]
    known = refers[refers != NOTHING]
    if (
        len(set(names)) < len(names)
        or len(np.unique(accounts["account"])) < len(accounts)
        or int(known.max(initial=0)) >= max(len(names), 1)
        or (len(known) and not names)
    ):
        raise reader.malformed()
    return ShownTotals(stretches, accounts, proof, organizations)


def _stretch(reader: Reader) -> Stretch:
    batch, first, end = (reader.number(1 << 62) for _ in range(3))
    header = decode(_take(reader, MOST_HEADER), MOST_HEADER)
    values = _array(reader, VALUE_SHOWN)
    templates = []
    for _ in range(reader.number(1 << 24)):
        row, entities, grams_row = (reader.number(1 << 40) for _ in range(3))
        salt = reader.take(SALT_BYTES)
        templates.append(ShownTemplate(row, entities, salt, grams_row, _take(reader, 1 << 20)))
    proof = _take(reader, MOST_ROWS)
    _rising(reader, values["row"])
    if any(a.grams_row >= b.grams_row for a, b in pairwise(templates)):
        raise reader.malformed()
    families = values["family"]
    if (
        not isinstance(header, dict)
        or bool((families >= len(FAMILIES)).any())
        or bool((families == FAMILY_NUMBER["template"]).any())
    ):
        raise reader.malformed()
    # One value has one row: two rows under one name would let it be rare and popular at once.
    named = np.ascontiguousarray(values[["family", "pseudonym"]])
    if len(np.unique(named)) < len(named):
        raise reader.malformed()
    return Stretch(batch, first, end, header, values, tuple(templates), proof)


def _array(reader: Reader, dtype: np.dtype[np.void]) -> np.ndarray:
    data = _take(reader, MOST_ROWS)
    if len(data) % dtype.itemsize:
        raise reader.malformed()
    return np.frombuffer(data, dtype=dtype)


def _rising(reader: Reader, numbers: np.ndarray) -> None:
    wide = numbers.astype(np.uint64)
    if bool((wide[1:] <= wide[:-1]).any()):
        raise reader.malformed()


def _put(out: bytearray, part: bytes) -> None:
    put_number(out, len(part))
    out += part


def _take(reader: Reader, most: int) -> bytes:
    return reader.take(reader.number(most))
