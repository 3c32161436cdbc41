"""Personal data: with a key, nothing clear goes further than the readers."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reader_logs import exchange, json_lines, read

from stillhunt.errors import InputError
from stillhunt.readers import Quarantine, ReadOptions, read_accounts
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.pseudonyms import Pseudonymiser, networks, split_address

KEY = bytes(range(7, 39))
CLEAR = {
    "account": "ada@lovelace.example",
    "organization": "Lovelace & Co",
    "credential": "sk-hash-0123",
    "client_address": "203.0.113.77",
}


def test_nothing_clear_goes_further(tmp_path: Path) -> None:
    row = exchange(1, **CLEAR)
    v6 = exchange(2, **{**CLEAR, "client_address": "[2001:db8:7:8::9]:1, 2001:db8:7:8::9"})
    bad = [exchange(3, **{**CLEAR, "time": "never"}), exchange(4, **{**CLEAR, "account": {"a": 1}})]
    lines = json_lines([row, v6, *bad]) + json.dumps(CLEAR).encode()[:-4] + b"\n"
    (tmp_path / "log.jsonl").write_bytes(lines)
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "log.parquet")
    accounts = [
        {
            "account": CLEAR["account"],
            "organization": CLEAR["organization"],
            "payment": "card-4242",
            "email_domain": "Lovelace.example",
            "tier": "free",
        },
        {"account": None, "payment": "card-4242"},
    ]
    (tmp_path / "accounts.jsonl").write_bytes(json_lines(accounts))
    secret = [*CLEAR.values(), "203.0.113", "2001:db8", "card-4242", "ovelace.example"]

    pseudonymiser = Pseudonymiser(KEY)
    paths = [tmp_path / "log.jsonl", tmp_path / "log.parquet"]
    got = read(tmp_path, paths, pseudonymiser=pseudonymiser)
    assert len(got.rows) == 3
    assert got.quarantine.count == 3
    with Quarantine(tmp_path / "q2.jsonl") as quarantine:
        options = ReadOptions(pseudonymiser=pseudonymiser)
        table = read_accounts(tmp_path / "accounts.jsonl", options, quarantine)
    written = (tmp_path / "quarantine.jsonl").read_text() + (tmp_path / "q2.jsonl").read_text()
    everything = json.dumps(got.rows + table.to_pylist(), default=str) + written
    for value in secret:
        assert value not in everything
    assert "excerpt" not in written
    # Both tables still join, as do equal values of both files.
    assert {row["account"] for row in got.rows} == set(table["account"].to_pylist())
    assert {row["organization"] for row in got.rows} == set(table["organization"].to_pylist())
    assert got.rows[0]["exchange_id"] == "x1"
    assert table["tier"].to_pylist() == ["free"]
    assert got.rows[0] | {"prompt": ""} == got.rows[2] | {"prompt": ""}


def test_networks_survive_pseudonymising() -> None:
    clear = pa.array(["203.0.113.7", "203.0.113.99", "203.0.114.7", "2001:db8:1:2::3", None, "?"])
    hidden = Pseudonymiser(KEY).addresses(clear)
    tokens = hidden.to_pylist()
    assert tokens[4:] == [None, None]
    assert len(set(tokens[:4])) == 4
    groups = networks(hidden).to_pylist()
    assert groups[0] == groups[1] != groups[2]
    assert groups[4:] == [None, None]
    for token, group in zip(tokens[:4], groups[:4], strict=True):
        assert split_address(token)[0] == group
    assert split_address("203.0.113.7") == ("203.0.113.0/24", "203.0.113.7")
    assert split_address("nonsense") == (None, "nonsense")
    mixed = networks(pa.array(["2001:db8:1:2::3", "203.0.113.7", tokens[0]])).to_pylist()
    assert mixed == ["2001:db8:1::/48", "203.0.113.0/24", groups[0]]


def test_pseudonyms_depend_on_key_and_kind() -> None:
    one, two = Pseudonymiser(KEY), Pseudonymiser(KEY[::-1])
    assert one.pseudonym("account", "x") == Pseudonymiser(KEY).pseudonym("account", "x")
    assert one.pseudonym("account", "x") != two.pseudonym("account", "x")
    assert one.pseudonym("account", "x")[2:] != one.pseudonym("organization", "x")[2:]
    assert one.key_id != two.key_id
    assert KEY.hex() not in repr(vars(one))


@pytest.mark.parametrize(
    "content",
    [KEY, KEY.hex().encode() + b"\n", base64.b64encode(KEY), base64.urlsafe_b64encode(KEY) + b"\n"],
)
def test_key_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    read_key = Pseudonymiser.from_file(path)
    assert read_key.key_id == Pseudonymiser(KEY).key_id
    assert read_key.warning is None
    path.chmod(0o644)
    assert "chmod 600" in (Pseudonymiser.from_file(path).warning or "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        bytes(64),
        b"correct horse battery staple and some more",
        b"ab" * 20,
        b"x" * 5000,
    ],
)
def test_bad_key_files_say_how_to_make_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Pseudonymiser.from_file(path)
    assert "head -c 32 /dev/urandom" in caught.value.remedy
    with pytest.raises(InputError):
        Pseudonymiser.from_file(tmp_path / "nowhere")


ROWS = [
    {"account": "a1", "organization": "o", "created_at": "2025-05-01T00:00:00Z", "licence": ""},
    {"account": "a2", "payment": "p", "email_domain": " Example.COM ", "created_at": "soon"},
]


@pytest.mark.parametrize("container", ["jsonl", "csv", "parquet"])
def test_accounts(tmp_path: Path, container: str) -> None:
    path = tmp_path / f"accounts.{container}"
    if container == "jsonl":
        path.write_bytes(json_lines([*ROWS, {"payment": "p"}]) + b"{rubbish\n")
    elif container == "csv":
        path.write_text(
            "account,organization,created_at,payment,email_domain,licence,extra\n"
            "a1,o,2025-05-01T00:00:00Z,,,,\na2,,soon,p, Example.COM ,,\n,,,p,,,\nx,y\n"
        )
    else:
        pq.write_table(
            pa.Table.from_pylist(
                [*ROWS, {"payment": "p"}],
                schema=pa.schema(
                    [
                        ("account", pa.string()),
                        ("organization", pa.string()),
                        ("created_at", pa.string()),
                        ("licence", pa.string()),
                        ("payment", pa.string()),
                        ("email_domain", pa.string()),
                    ]
                ),
            ),
            path,
        )
    with Quarantine(tmp_path / "q.jsonl") as quarantine:
        table = read_accounts(path, ReadOptions(), quarantine)
    assert table.schema.equals(ACCOUNT_SCHEMA)
    one, two = table.to_pylist()
    assert (one["account"], one["organization"], one["licence"]) == ("a1", "o", None)
    assert one["created_at"].isoformat() == "2025-05-01T00:00:00+00:00"
    assert (two["email_domain"], two["created_at"], two["payment"]) == ("example.com", None, "p")
    assert quarantine.count == (1 if container == "parquet" else 2)
    assert quarantine.notes == {"optional column created_at unreadable": 1}


def test_accounts_that_are_none(tmp_path: Path) -> None:
    with Quarantine(tmp_path / "q.jsonl") as quarantine:
        for content in (b'{"user": "a"}\n', b"PAR1 no", os.urandom(64)):
            (tmp_path / "accounts").write_bytes(content)
            with pytest.raises(InputError, match="accounts"):
                read_accounts(tmp_path / "accounts", ReadOptions(), quarantine)
        with pytest.raises(InputError, match="No such file"):
            read_accounts(tmp_path / "nowhere", ReadOptions(), quarantine)
