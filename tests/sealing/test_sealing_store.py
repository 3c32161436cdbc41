"""From a store or from log files into the log: everything once, whatever was merged meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stillhunt.store.compaction as the_compaction
from stillhunt.errors import InputError
from stillhunt.evidence.entries import ACCOUNT_LAYOUT, as_rows
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.retention import prune
from stillhunt.evidence.log.writer import writing_log
from stillhunt.fingerprints.hashing import hash64
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.leaf import LAYOUT
from stillhunt.records.observation import OBSERVATION_SCHEMA, canonical_bytes
from stillhunt.sealing import from_store
from stillhunt.sealing.from_logs import LogFiles, seal_logs
from stillhunt.sealing.from_store import Sealed, seal_store
from stillhunt.sealing.rows import account_rows, leaves_of
from stillhunt.store.accounts import take_accounts
from stillhunt.store.ingest import Ingest
from stillhunt.store.manifest import Transaction
from stillhunt.store.store import Store, store_to_write
from stillhunt.store.upkeep import keep_up

START = datetime(2026, 1, 5, tzinfo=UTC)


def write_log(path: Path, numbers: range) -> Path:
    lines = [
        json.dumps(
            {
                "exchange_id": f"x{i}",
                "time": (START + timedelta(hours=i)).isoformat(),
                "account": f"acct_{i % 7}",
                "client_address": f"203.0.113.{i % 50}",
                "prompt": f"Tell me about the number {i}, please, in a few words.",
            }
        )
        for i in numbers
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def digests(numbers: range) -> np.ndarray:
    every = b"".join(blake2b(f"x{i}".encode(), digest_size=16).digest() for i in numbers)
    return np.frombuffer(every, np.uint8).reshape(-1, 16)


def plain_leaves(path: Path, tmp: Path) -> set[bytes]:
    """Canonical bytes of a log file, without store or log."""
    with Quarantine(tmp / "q.jsonl") as quarantine:
        reader = LogReader([path], ReadOptions(), quarantine)
        rows = [canonical_bytes(Observer(1).observe(batch.exchanges)) for batch in reader]
    return {row.tobytes() for batch in rows for row in batch}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return create_log(tmp_path / "log", "logs.example.com/a").layout.root


def take(store: Store, *files: Path) -> None:
    Ingest(store, ReadOptions(), threads=1).take(files)


def seal(root: Path, store: Store) -> Sealed:
    with writing_log(root) as writer:
        return seal_store(writer, store)


def opened(root: Path) -> np.ndarray:
    """Everything sealed, records of LAYOUT by position."""
    log = Log(root)
    places = [np.arange(b.first, b.first + b.observations) for b in log.batches()]
    rows = [o.rows for o in log.open_leaves(np.concatenate([np.arange(0), *places]))]
    return np.concatenate([np.empty((0, 198), np.uint8), *rows]).reshape(-1).view(LAYOUT)


def test_a_batch_for_each_transaction(root: Path, tmp_path: Path) -> None:
    with store_to_write(tmp_path / "store", None) as store:
        take(store, write_log(tmp_path / "a.jsonl", range(30)))
        take(store, write_log(tmp_path / "b.jsonl", range(20, 60)))
        assert seal(root, store) == Sealed(2, 60, 0, 62)
        assert seal(root, store) == Sealed(0, 0, 0, 62)
        take(store, write_log(tmp_path / "c.jsonl", range(60, 65)))
        assert seal(root, store).observations == 5
    log = Log(root)
    assert [b.observations for b in log.batches()] == [30, 30, 5]
    assert [b.source["transaction"] for b in log.batches()] == [1, 2, 3]
    every = plain_leaves(write_log(tmp_path / "all.jsonl", range(65)), tmp_path)
    rows = opened(root)
    assert {row.tobytes() for row in rows} == every
    assert len(rows) == 65
    for batch in log.batches():
        # By time: neither the file's order nor accounts show in positions.
        times = rows["time"][: batch.observations]
        assert (np.diff(times) > 0).all()
        rows = rows[batch.observations :]


@given(st.permutations(range(12)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    rows = [dict.fromkeys(OBSERVATION_SCHEMA.names) for _ in range(12)]
    for i, row in enumerate(rows):
        row |= {"exchange": digests(range(i, i + 1)).tobytes(), "time": i // 3, "account": i % 2}
        row |= {"grams": [i] * (i % 5)}
    table = pa.Table.from_pylist(rows, schema=OBSERVATION_SCHEMA)
    assert leaves_of(table.take(order)).tobytes() == leaves_of(table).tobytes()


def test_parts_that_were_merged_before_they_were_sealed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_compaction, "FAN", 2)
    with store_to_write(tmp_path / "store", None) as store:
        for i in range(3):
            take(store, write_log(tmp_path / f"{i}.jsonl", range(8 * i, 8 * i + 8)))
        assert seal(root, store).observations == 24
        take(store, write_log(tmp_path / "4.jsonl", range(24, 48)))
        take(store, write_log(tmp_path / "5.jsonl", range(72)))
        keep_up(store, None)
        assert any(t.kind == "compaction" for t in transactions(store))
        # The merged parts hold what is sealed and what is not.
        assert seal(root, store).observations == 48
        assert seal(root, store).observations == 0
        take(store, write_log(tmp_path / "6.jsonl", range(72, 80)))
        assert seal(root, store).observations == 8
    assert (Log(root).positions_of(digests(range(80))) >= 0).all()
    assert len(opened(root)) == 80


def test_a_large_transaction_is_several_batches(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_store, "MOST", 40)
    with store_to_write(tmp_path / "store", None) as store:
        take(store, write_log(tmp_path / "a.jsonl", range(120)))  # a part a day
        assert seal(root, store) == Sealed(3, 120, 0, 123)
        assert seal(root, store).batches == 0
    assert {b.source["transaction"] for b in Log(root).batches()} == {1}
    assert (Log(root).positions_of(digests(range(120))) >= 0).all()


def transactions(store: Store) -> list[Transaction]:
    from stillhunt.store.manifest import read_transaction

    return [
        read_transaction(store.layout.manifest, n) for n in range(1, store.state.transactions + 1)
    ]


def test_what_was_pruned_is_not_sealed_again_when_it_is_merged(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_compaction, "FAN", 2)
    with store_to_write(tmp_path / "store", None) as store:
        for i in range(3):
            take(store, write_log(tmp_path / f"{i}.jsonl", range(8 * i, 8 * i + 8)))
        seal(root, store)
        with writing_log(root) as writer:
            assert prune(writer, START + timedelta(days=30)) == 3
        keep_up(store, None)
        assert transactions(store)[-1].kind == "compaction"
        assert seal(root, store).observations == 0


def test_sealed_as_it_comes_in(root: Path, tmp_path: Path) -> None:
    with store_to_write(tmp_path / "store", None) as store, writing_log(root) as writer:
        store.committed = lambda changed, _made: seal_store(writer, changed)
        sizes = []
        for i in range(4):
            take(store, write_log(tmp_path / f"{i}.jsonl", range(10 * i, 10 * i + 10)))
            sizes.append(writer.log.checkpoint().size)
        keep_up(store, None)
    assert sizes == [11, 22, 33, 44]
    assert Log(root).checkpoint().size == 44


# -- accounts -------------------------------------------------------------------------------------


def accounts_table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=ACCOUNT_SCHEMA)


def test_rows_of_the_accounts_table_when_new_or_changed(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "accounts.parquet"
    row = {"account": "acct_1", "organization": "o", "payment": "p", "email_domain": "E.example"}
    with store_to_write(tmp_path / "store", None) as store:
        pq.write_table(accounts_table([row, {"account": "acct_2", "licence": "yes"}]), path)
        take_accounts(store, path, ReadOptions(), 0.01)
        take(store, write_log(tmp_path / "a.jsonl", range(5)))
        assert seal(root, store).accounts == 2
        pq.write_table(accounts_table([row, {"account": "acct_2"}, {"account": "acct_3"}]), path)
        take_accounts(store, path, ReadOptions(), 0.01)
        assert seal(root, store) == Sealed(1, 0, 2, 11)
        assert seal(root, store) == Sealed(0, 0, 0, 11)
    sealed = Log(root).account_rows()
    account = hash64(pa.array(["acct_1"]), "account")[0].as_py()
    one = np.frombuffer(sealed[account], dtype=ACCOUNT_LAYOUT)[0]
    assert one["email_domain"] == hash64(pa.array(["e.example"]), "email_domain")[0].as_py()
    assert one["organization"] == hash64(pa.array(["o"]), "organization")[0].as_py()
    assert (one["who_nulls"], one["bill_nulls"], one["licensed"]) == (0, 0, 0)
    other = np.frombuffer(
        sealed[hash64(pa.array(["acct_2"]), "account")[0].as_py()], ACCOUNT_LAYOUT
    )
    assert (other["who_nulls"], other["bill_nulls"], other["licensed"]) == (2, 3, 0)
    assert not other["payment"].any()


NAMES = st.one_of(st.none(), st.sampled_from(["a", "b", "A"]))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "account": st.sampled_from(["x", "y", "z"]),
                "organization": NAMES,
                "payment": NAMES,
                "email_domain": NAMES,
                "licence": NAMES,
            }
        ),
        max_size=8,
    ),
    st.randoms(),
)
@settings(max_examples=60, deadline=None)
def test_account_rows_whatever_their_order(rows: list[dict[str, Any]], random: Any) -> None:
    made = account_rows(accounts_table(rows))
    shuffled = random.sample(rows, len(rows))
    assert as_rows(account_rows(accounts_table(shuffled))).tobytes() == as_rows(made).tobytes()
    assert len(made) == len({row["account"] for row in rows})
    licensed = {row["account"] for row in rows if row["licence"] is not None}
    assert made["licensed"].sum() == len(licensed)


# -- log files ------------------------------------------------------------------------------------


def from_logs(root: Path, tmp_path: Path, *paths: Path, **more: Any) -> tuple[Sealed, int]:
    with writing_log(root) as writer:
        files = LogFiles(paths, ReadOptions(), tmp_path / "quarantine.jsonl", threads=1, **more)
        return seal_logs(writer, files)


def test_straight_from_logs(root: Path, tmp_path: Path) -> None:
    first = write_log(tmp_path / "a.jsonl", range(30))
    second = write_log(tmp_path / "b.jsonl", range(20, 50))
    assert from_logs(root, tmp_path, first, second) == (Sealed(1, 50, 0, 51), 10)
    assert from_logs(root, tmp_path, first)[0].observations == 0
    rows = opened(root)
    every = plain_leaves(write_log(tmp_path / "all.jsonl", range(50)), tmp_path)
    assert {row.tobytes() for row in rows} == every
    (batch,) = Log(root).batches()
    assert len(batch.source["files"]) == 2
    # A store that has the same exchanges adds none of them.
    with store_to_write(tmp_path / "store", None) as store:
        take(store, write_log(tmp_path / "c.jsonl", range(60)))
        assert seal(root, store).observations == 10
    assert not [p for p in (root / "private").iterdir() if p.name.startswith(".work")]


def test_too_many_bad_rows_seal_nothing(root: Path, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a.jsonl", range(5))
    path.write_text(path.read_text() + "{}\n{}\n")
    with pytest.raises(InputError, match="max-bad"):
        from_logs(root, tmp_path, path)
    assert Log(root).checkpoint().size == 0
    assert from_logs(root, tmp_path, path, max_bad=0.5) == (Sealed(1, 5, 0, 6), 2)
