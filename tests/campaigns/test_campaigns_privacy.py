"""What may be in the findings folder: no text of accounts that were not found, and, with
pseudonyms, nothing clear."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hunts import all_text, read, run

from stillhunt.readers import ReadOptions
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.report.page import write_report

FIELDS = ("system", "prompt", "response")


@pytest.fixture(scope="module")
def canaries(
    tmp_path_factory: pytest.TempPathFactory, small_traffic: Path, exchange_table: pa.Table
) -> tuple[Path, dict[str, str]]:
    """Exchanges with a word of its account's own in every text, and the word of each account."""
    accounts = exchange_table.column("account").to_pylist()
    word = {a: f"canary{i:05d}bird" for i, a in enumerate(sorted(set(accounts)))}
    table = exchange_table
    for name in FIELDS:
        texts = exchange_table.column(name).to_pylist()
        marked = [
            # Before, behind and in the middle, so that no cut spares it.
            f"{word[a]} {t or ''} {word[a]} {(t or '')[:80]} {word[a]}"
            for a, t in zip(accounts, texts, strict=True)
        ]
        at = table.column_names.index(name)
        table = table.set_column(at, table.field(at), pa.array(marked, table.field(at).type))
    path = tmp_path_factory.mktemp("canaries") / "exchanges.parquet"
    pq.write_table(table, path)
    return path, word


def test_no_text_of_an_account_that_was_not_found_is_kept(
    tmp_path: Path, small_traffic: Path, canaries: tuple[Path, dict[str, str]]
) -> None:
    log, word = canaries
    out = tmp_path / "out"
    run(out, log, accounts=small_traffic / "accounts.parquet", seeds=frozenset(list(word)[:3]))
    write_report(out)
    named = {r["account"] for r in read(out, "accounts")}
    assert named
    seen = set(re.findall(r"canary\d{5}bird", all_text(tmp_path)))
    assert seen, "exemplars of findings are kept, so the scan must see some"
    assert seen <= {word[a] for a in named}


def test_exemplars_are_capped_and_redacted(
    tmp_path: Path, small_traffic: Path, exchange_table: pa.Table
) -> None:
    secrets = {
        "e-mail": "someone.else+tag@clinic-example.org",
        "key": "sk-abcdefghijklmnopqrstuvwxyz0123456789",
        "address": "203.0.113.77",
        "phone": "+49 30 1234 5678 90",
        "link": "https://intranet.example.com/patients?id=7",
    }
    at = exchange_table.column_names.index("prompt")
    texts = [
        # 40,000 characters: by far more than may be kept.
        f"{' '.join(secrets.values())} {t} {'tail ' * 8000}"
        for t in exchange_table.column("prompt").slice(0, 6000).to_pylist()
    ]
    few = exchange_table.slice(0, 6000)
    marked = few.set_column(at, few.field(at), pa.array(texts, few.field(at).type))
    rest = exchange_table.slice(6000)
    log = tmp_path / "log.parquet"
    pq.write_table(pa.concat_tables([marked, rest]), log)
    out = tmp_path / "out"
    run(out, log, accounts=small_traffic / "accounts.parquet")
    write_report(out)
    text = all_text(out)
    assert "Answer" in text
    for name, secret in secrets.items():
        assert secret not in text, name
    assert "tail " * 800 not in text


@pytest.mark.parametrize("clear", [False, True])
def test_with_pseudonyms_nothing_clear_is_written(
    tmp_path: Path,
    small_traffic: Path,
    exchange_table: pa.Table,
    account_table: pa.Table,
    clear: bool,
) -> None:
    out = tmp_path / "out"
    secret = os.urandom(32)
    bad = tmp_path / "log.parquet"
    # A duplicate and an unreadable row, since the quarantine quotes rows.
    ids = exchange_table.column("exchange_id").to_pylist()
    ids[100:110] = [""] * 10
    ids[200:210] = ids[210:220]
    at = exchange_table.column_names.index("exchange_id")
    field = exchange_table.field(at)
    pq.write_table(exchange_table.set_column(at, field, pa.array(ids, field.type)), bad)
    result = run(
        out,
        bad,
        accounts=small_traffic / "accounts.parquet",
        read=ReadOptions(pseudonymiser=Pseudonymiser(secret)),
        clear=clear,
    )
    write_report(out)
    assert result.campaigns.num_rows > 0
    assert result.record["counts"]["quarantined"] == 20
    text = all_text(out)
    for table, names in (
        (exchange_table, ("account", "organization", "credential", "client_address")),
        (account_table, ("account", "organization", "payment", "email_domain")),
    ):
        for name in names:
            values = set(table.column(name).drop_null().to_pylist())
            assert values, name
            assert not [v for v in values if v in text], name
    assert secret.hex() not in text
    # Networks follow from addresses.
    networks = {
        a.rsplit(".", 1)[0] + ".0/24"
        for a in exchange_table.column("client_address").to_pylist()
        if a
    }
    assert not [n for n in networks if n in text]


def test_pseudonyms_change_nothing_else(
    tmp_path: Path, small_traffic: Path, baseline: Path
) -> None:
    key = Pseudonymiser(os.urandom(32))
    out = tmp_path / "out"
    run(
        out,
        small_traffic / "exchanges.parquet",
        accounts=small_traffic / "accounts.parquet",
        read=ReadOptions(pseudonymiser=key),
    )
    clear = {key.pseudonym("account", r["account"]): r for r in read(baseline, "accounts")}
    ours = {r["account"]: r for r in read(out, "accounts")}
    assert ours.keys() == clear.keys()
    assert {r["exchange_id"] for r in read(out, "exchanges")} == {
        r["exchange_id"] for r in read(baseline, "exchanges")
    }
    for name, row in ours.items():
        assert row["campaign_exchanges"] == clear[name]["campaign_exchanges"]


def test_values_are_keyed_hashes_unless_asked_for_in_clear(
    tmp_path: Path, small_traffic: Path, exchange_table: pa.Table, account_table: pa.Table
) -> None:
    shown: list[set[str]] = []
    for i in range(2):
        out = tmp_path / f"out{i}"
        run(
            out,
            small_traffic / "exchanges.parquet",
            accounts=small_traffic / "accounts.parquet",
            clear=False,
        )
        links = read(out, "links")
        shown.append({r["x_value"] for r in links if r["x_family"] == "address"})
        text = all_text(out)
        for table, name in (
            (exchange_table, "client_address"),
            (account_table, "payment"),
            (account_table, "email_domain"),
        ):
            values = set(table.column(name).drop_null().to_pylist())
            assert not [v for v in values if v in text], name
    assert shown[0]
    # The key is forgotten with the hunt: two hunts cannot be joined, nor an address looked up.
    assert not shown[0] & shown[1]
