"""Old days go, small parts are merged, and garbage is swept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_logs import START, exchange, files_of, held, take, write_log

import stillhunt.store.compaction as the_compaction
from stillhunt.readers import ReadOptions
from stillhunt.store.accounts import take_accounts
from stillhunt.store.compaction import FAN, MOST, compact, next_merge
from stillhunt.store.contents import read_accounts_table
from stillhunt.store.ingest import keep_from
from stillhunt.store.manifest import Part
from stillhunt.store.retention import expire
from stillhunt.store.store import open_store, store_to_read, store_to_write
from stillhunt.store.sweep import sweep


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of ten days in ten transactions of 24 hours that overlap the next day by half."""
    folder = tmp_path / "store"
    for i in range(10):
        rows = [exchange(n) for n in range(24 * i, 24 * i + 36)]
        take(folder, [write_log(tmp_path / f"{i}.jsonl", rows)])
    return folder


def test_whole_days_expire_with_their_names(root: Path) -> None:
    before = held(root)
    with store_to_write(root, None) as store:
        gone = expire(store, START + timedelta(days=4, hours=5))
    after = held(root)
    left = [i for i in before.ids if before.rows[i]["time"] >= START + timedelta(days=4)]
    assert after.ids == left
    assert gone == len(before.ids) - len(left) == 96
    days = {path.parent.name for path in root.rglob("day=*/*.parquet")}
    assert min(days) == "day=2026-01-09"
    assert len(list((root / "identities").iterdir())) == len(open_store(root).state.parts)


def test_what_has_expired_does_not_come_back(root: Path, tmp_path: Path) -> None:
    with store_to_write(root, None) as store:
        expire(store, START + timedelta(days=4))
    kept = held(root).ids
    assert take(root, [tmp_path / f"{i}.jsonl" for i in range(10)]).known == 10
    assert held(root).ids == kept


def test_keys_of_what_has_expired_are_forgotten(root: Path) -> None:
    with store_to_write(root, None) as store:
        expire(store, START + timedelta(days=9))
        keys = [store.layout.keys(name) for name in store.state.keys]
        assert sum(path.stat().st_size for path in keys) == 8 * store.state.rows
        assert store.state.keys_through >= store.state.rows_through
    held(root)


def test_days_are_counted_back_from_today() -> None:
    assert keep_from(None) is None
    first = keep_from(3)
    today = datetime.now(UTC).date()
    assert first is not None
    assert today - first.date() == timedelta(days=2)
    assert first.timetz().replace(tzinfo=None) == datetime.min.time()


def test_the_quarantine_expires_by_when_it_was_written(tmp_path: Path) -> None:
    root = tmp_path / "store"
    take(root, [write_log(tmp_path / "a.jsonl", [exchange(1), exchange(1)])])
    with store_to_write(root, None) as store:
        expire(store, datetime.now(UTC) - timedelta(days=1))
        assert len(store.state.quarantines) == 1
        expire(store, datetime.now(UTC) + timedelta(days=1))
        assert store.state.quarantines == {}
    assert list((root / "quarantine").iterdir()) == []


def test_merging_changes_nothing_but_the_files(root: Path) -> None:
    before = held(root)
    parts = len(open_store(root).state.parts)
    with pytest.MonkeyPatch.context() as patch, store_to_write(root, None) as store:
        patch.setattr(the_compaction, "FAN", 2)
        fewer = compact(store)
    after = held(root)
    assert (after.ids, after.rows) == (before.ids, before.rows)
    state = open_store(root).state
    assert len(state.parts) == parts - fewer < parts
    assert len(files_of(root) & {f"identities/{p}.parquet" for p in state.parts}) == len(
        state.parts
    )
    assert len(list(root.rglob("observations/day=*/*.parquet"))) == len(state.parts)


def test_merged_parts_are_in_order(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, store_to_write(root, None) as store:
        patch.setattr(the_compaction, "FAN", 2)
        compact(store)
        for part in store.state.parts.values():
            table = pq.ParquetFile(store.layout.observations(part.part, part.day)).read()
            order = list(zip(table["account"].to_pylist(), table["time"].to_pylist(), strict=True))
            assert order == sorted(order)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, MOST)), max_size=60))
def test_a_day_has_few_parts_and_none_is_too_large(sizes: list[tuple[int, int]]) -> None:
    parts = [Part(f"{i:08d}", f"2026-01-0{day}", rows) for i, (day, rows) in enumerate(sizes)]
    merges = 0
    while (merge := next_merge(parts)) is not None:
        assert len(merge) >= FAN
        assert len({p.day for p in merge}) == 1
        rows = sum(p.rows for p in merge)
        assert rows <= MOST
        parts = [p for p in parts if p not in merge]
        parts.append(Part(f"m{merges:07d}", merge[0].day, rows))
        merges += 1
    assert sum(p.rows for p in parts) == sum(rows for _, rows in sizes)
    for day in {p.day for p in parts}:
        small = [p for p in parts if p.day == day and p.rows <= MOST // FAN]
        assert len(small) <= (FAN - 1) * 10


def test_versions_of_accounts_are_merged_and_the_last_one_counts(tmp_path: Path) -> None:
    root = tmp_path / "store"
    path = tmp_path / "accounts.jsonl"
    with store_to_write(root, None) as store:
        for i in range(the_compaction.ACCOUNTS):
            rows = [
                {"account": f"a{i}", "payment": f"p{i}"},
                {"account": f"a{i + 1}", "payment": f"p{i}"},
            ]
            write_log(path, rows)
            assert take_accounts(store, path, ReadOptions(), 0.01) == 2
            assert take_accounts(store, path, ReadOptions(), 0.01) is None
        before = read_accounts_table(store).sort_by("account").to_pylist()
        compact(store)
        assert len(store.state.accounts) == 1
        after = read_accounts_table(store).sort_by("account").to_pylist()
    assert before == after
    assert {row["account"]: row["payment"] for row in after} == {
        f"a{i}": f"p{min(i, the_compaction.ACCOUNTS - 1)}"
        for i in range(the_compaction.ACCOUNTS + 1)
    }


def test_garbage_is_swept_and_nothing_else(root: Path) -> None:
    with store_to_write(root, None) as store:
        mine = files_of(root)
        number = store.state.next_number
        for stray in (
            f"observations/day=2026-01-05/{number:08d}-0000.parquet",
            f"names/day=2031-01-05/{number:08d}-0000.parquet",
            "identities/00000001-0099.parquet",
            f"keys/{number:08d}.keys",
            f"quarantine/{number:08d}.jsonl",
            "tmp/intake/x.run",
        ):
            (root / stray).parent.mkdir(parents=True, exist_ok=True)
            (root / stray).write_bytes(b"half")
        (root / "notes.txt").write_text("not the store's")
        assert sweep(store.layout, store.state) == 5
    assert files_of(root) == mine | {"notes.txt"}


def test_nothing_is_deleted_under_a_readers_hands(root: Path) -> None:
    with store_to_read(root) as reader:
        paths = [
            path
            for part in reader.state.parts.values()
            for path in reader.layout.part_files(part.part, part.day)
        ]
        with store_to_write(root, None) as store:
            expire(store, START + timedelta(days=9))
            assert len(store.state.parts) < len(reader.state.parts)
        assert all(path.exists() for path in paths)
    with store_to_write(root, None):
        pass
    assert sum(path.exists() for path in paths) == 3 * len(open_store(root).state.parts)


def test_sizes_are_those_of_the_files(root: Path) -> None:
    store = open_store(root)
    for part in store.state.parts.values():
        observations, names, _ = store.layout.part_files(part.part, part.day)
        assert (part.bytes, part.names_bytes) == (
            observations.stat().st_size,
            names.stat().st_size,
        )
    assert np.isclose(store.state.rows, 252)
