"""Entries: commitments as the page says, and nothing of content in them."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.evidence.entries import (
    ACCOUNT_LAYOUT,
    CLAIM,
    KEY,
    account_entries,
    as_rows,
    check_entry,
    digest_entry,
    join_leaves,
    observation_entries,
    salts,
    split_leaves,
)
from stillhunt.evidence.failures import EvidenceError
from stillhunt.records.leaf import LAYOUT


def test_blocks_are_the_fields_that_the_page_names() -> None:
    offset = {name: LAYOUT.fields[name][1] for name in LAYOUT.names}  # type: ignore[index,union-attr]
    ends = sorted([*offset.values(), LAYOUT.itemsize])
    fields = {
        (offset[name], ends[ends.index(offset[name]) + 1]): name for name in LAYOUT.names or ()
    }
    who = [name for (start, end), name in fields.items() if start >= 30 and end <= 50]
    where = [name for (start, end), name in fields.items() if start >= 50 and end <= 78]
    assert who == ["account", "organization", "credential"]
    assert where == ["address", "network", "asn", "tls", "agent"]
    assert LAYOUT.itemsize == 198


@given(st.binary(min_size=198 * 3, max_size=198 * 3), st.binary(min_size=32, max_size=32))
def test_an_entry_from_its_parts(data: bytes, key: bytes) -> None:
    leaves = np.frombuffer(data, np.uint8).reshape(3, 198)
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(48 * 3))
    made = observation_entries(leaves, salts(key, 0, 3))
    for i in range(3):
        leaf, salt = data[198 * i : 198 * i + 198], stream[48 * i : 48 * i + 48]
        who = sha256(b"\x10" + salt[:16] + leaf[30:50]).digest()
        where = sha256(b"\x11" + salt[16:32] + leaf[50:78]).digest()
        what = sha256(b"\x12" + salt[32:] + leaf[:30] + leaf[78:]).digest()
        assert made[i].tobytes() == b"\x01" + who + where + what
        assert check_entry(made[i].tobytes()) == 1
    assert (join_leaves(*split_leaves(leaves)) == leaves).all()
    assert (salts(key, 2, 1) == salts(key, 0, 3)[2:]).all()


def test_an_account_s_entry_from_its_parts() -> None:
    row = np.array([(2, -5, 0, 1, 0, 7, 1)], dtype=ACCOUNT_LAYOUT)
    who = b"\x02" + (-5).to_bytes(8, "little", signed=True) + bytes(8)
    bill = b"\x01" + bytes(8) + (7).to_bytes(8, "little") + b"\x01"
    assert as_rows(row).tobytes() == who + bill
    salt = salts(bytes(32), 9, 1)
    first, second = salt[0, :16].tobytes(), salt[0, 16:32].tobytes()
    expected = sha256(b"\x13" + first + who).digest() + sha256(b"\x14" + second + bill).digest()
    assert account_entries(as_rows(row), salt)[0].tobytes() == b"\x02" + expected


def test_entries_that_are_none() -> None:
    assert digest_entry(CLAIM, b"d" * 32) == b"\x04" + b"d" * 32
    for bad in (b"", b"\x00", b"\x01" + bytes(95), b"\x06" + bytes(32), bytes([KEY]) + bytes(31)):
        with pytest.raises(EvidenceError):
            check_entry(bad)
    with pytest.raises(ValueError, match="32 bytes"):
        digest_entry(CLAIM, b"short")


def test_a_block_cannot_be_tried_out_without_its_salt() -> None:
    # One leaf twice: neither equal entries nor equal parts, whatever is opened of the other.
    leaves = np.zeros((2, 198), dtype=np.uint8)
    first, second = observation_entries(leaves, salts(bytes(32), 0, 2))
    parts = [row[at : at + 32].tobytes() for row in (first, second) for at in (1, 33, 65)]
    assert len(set(parts)) == 6
