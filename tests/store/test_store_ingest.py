"""Logs come into a store once, whole, and with what is wrong told."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from made_logs import exchange, files_of, held, take, write_log

import stillhunt.store.ingest as the_ingest
import stillhunt.store.parts as the_parts
from stillhunt.errors import InputError, OutputError, UsageError
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.records.observation import OBSERVATION_SCHEMA
from stillhunt.store.layout import NAMES_SCHEMA, STORED_SCHEMA
from stillhunt.store.locks import writing
from stillhunt.store.store import open_store, store_to_read, store_to_write


def ids(first: int, last: int) -> list[str]:
    return sorted(f"x{i}" for i in range(first, last))


def test_observations_are_stored_as_they_are(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(60)])
    outcome = take(tmp_path / "store", [log])
    assert (outcome.files, outcome.rows, outcome.kept) == (1, 60, 60)
    stored = held(tmp_path / "store")
    with Quarantine(tmp_path / "q") as quarantine:
        batches = [b.exchanges for b in LogReader([log], ReadOptions(), quarantine)]
    observed = [row for b in batches for row in Observer(1).observe(b).to_pylist()]
    for i, row in enumerate(observed):
        kept = stored.rows[f"x{i}"]
        assert {name: kept[name] for name in OBSERVATION_SCHEMA.names} == row
        assert kept["key"] == int.from_bytes(row["exchange"][:8], "little", signed=True)
        assert (kept["file"], kept["row"]) == (0, i + 1)
        assert kept["account_name"] == f"acct_{i % 7}"
        assert kept["organization_name"] == (f"org_{i % 3}" if i % 2 else None)


def test_files_have_the_published_columns_and_order(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(60)])
    take(tmp_path / "store", [log])
    store = open_store(tmp_path / "store")
    assert sorted({p.day for p in store.state.parts.values()}) == [
        "2026-01-05", "2026-01-06", "2026-01-07",
    ]  # fmt: skip
    for part in store.state.parts.values():
        observations, names, _ = store.layout.part_files(part.part, part.day)
        table = pq.ParquetFile(observations).read()
        assert table.schema.equals(STORED_SCHEMA)
        assert pq.ParquetFile(names).schema_arrow.equals(NAMES_SCHEMA)
        order = list(zip(table["account"].to_pylist(), table["time"].to_pylist(), strict=True))
        assert order == sorted(order)


def test_no_text_is_stored(tmp_path: Path) -> None:
    rows = [
        exchange(i, prompt=f"the quick pangolin {i}", response="a slow heron") for i in range(9)
    ]
    take(tmp_path / "store", [write_log(tmp_path / "a.jsonl", rows)])
    for name in files_of(tmp_path / "store"):
        path = tmp_path / "store" / name
        shown = path.read_bytes()
        if path.suffix == ".parquet":
            shown += str(pq.read_table(path, partitioning=None).to_pylist()).encode()
        assert b"pangolin" not in shown
        assert b"heron" not in shown


def test_each_file_comes_in_once_whatever_it_is_called(tmp_path: Path) -> None:
    root = tmp_path / "store"
    log = write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(20)])
    take(root, [log])
    before = files_of(root)
    assert take(root, [log]).known == 1
    copy = tmp_path / "b.jsonl"
    copy.write_bytes(log.read_bytes())
    os.utime(log)
    outcome = take(root, [copy, log])
    assert (outcome.known, outcome.files, outcome.rows) == (2, 0, 0)
    assert files_of(root) == before
    assert held(root).ids == ids(0, 20)


def test_the_same_bytes_twice_in_one_run(tmp_path: Path) -> None:
    rows = [exchange(i) for i in range(20)]
    logs = [write_log(tmp_path / name, rows) for name in ("a.jsonl", "b.jsonl")]
    outcome = take(tmp_path / "store", logs)
    assert (outcome.files, outcome.known) == (1, 1)
    assert open_store(tmp_path / "store").state.quarantines == {}


def test_an_exchange_is_kept_once_and_the_earlier_batch_wins(tmp_path: Path) -> None:
    root = tmp_path / "store"
    take(root, [write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(10)])])
    # The same ids, of an earlier hour, and on another day.
    again = [exchange(i, time="2026-01-01T00:00:00Z", account="late") for i in range(5, 10)]
    more = [exchange(i) for i in range(10, 15)]
    outcome = take(root, [write_log(tmp_path / "b.jsonl", again + more)])
    assert (outcome.rows, outcome.duplicates, outcome.kept) == (10, 5, 5)
    stored = held(root)
    assert stored.ids == ids(0, 15)
    assert stored.rows["x7"]["account_name"] == "acct_0"
    state = open_store(root).state
    assert (state.inputs[1].duplicates, state.inputs[1].quarantined) == (5, 5)
    lines = _quarantine(root)
    assert {line["row"] for line in lines} == {1, 2, 3, 4, 5}
    assert {line["reason"] for line in lines} == {
        "exchange_id is in the store already; what came first is kept"
    }
    assert lines[0]["file"] == str(tmp_path / "b.jsonl")


@pytest.mark.parametrize("turned", [False, True])
def test_within_a_batch_the_earliest_row_stays_whatever_the_order(
    tmp_path: Path, turned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_parts, "GATHER", 7)  # so that equal ids meet in different parts
    one = [exchange(i) for i in range(20)]
    other = [exchange(i, time="2026-01-04T00:00:00Z", account="early") for i in range(10, 30)]
    rows = one + other
    logs = [
        write_log(tmp_path / "a.jsonl", rows[::-1] if turned else rows),
        write_log(tmp_path / "b.jsonl", [exchange(40)]),
    ]
    outcome = take(tmp_path / "store", logs[::-1] if turned else logs)
    assert (outcome.duplicates, outcome.kept) == (10, 31)
    stored = held(tmp_path / "store")
    assert stored.ids == sorted([*ids(0, 30), "x40"])
    assert all(stored.rows[f"x{i}"]["account_name"] == "early" for i in range(10, 30))
    assert _quarantine(tmp_path / "store")[0]["reason"] == (
        "exchange_id was seen before; the earliest row is kept"
    )


def test_a_store_without_a_key_index_gets_one(tmp_path: Path) -> None:
    root = tmp_path / "store"
    take(root, [write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(30)])])
    # As a program writes it that knows nothing of the index.
    path = root / "manifest" / "00000001.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in document.items() if not k.startswith("keys")}))
    for run in (root / "keys").iterdir():
        run.unlink()
    take(root, [write_log(tmp_path / "b.jsonl", [exchange(i) for i in range(20, 50)])])
    assert held(root).ids == ids(0, 50)
    state = open_store(root).state
    assert state.keys_through == state.rows_through == 2


def test_a_file_with_too_much_bad_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    root = tmp_path / "store"
    good = [exchange(i) for i in range(20)]
    logs = [
        write_log(tmp_path / "a.jsonl", good),
        write_log(
            tmp_path / "b.jsonl", [*(exchange(i) for i in range(20, 25)), '{"no": "exchange"}']
        ),
        write_log(tmp_path / "c.jsonl", [exchange(i) for i in range(30, 40)]),
    ]
    outcome = take(root, logs)
    assert outcome.files == 2
    assert [(path, reason[:24]) for path, reason in outcome.refused] == [
        (logs[1], "1 of 6 rows are bad, mor")
    ]
    assert held(root).ids == sorted(ids(0, 20) + ids(30, 40))
    assert [(line["file"], line["row"]) for line in _quarantine(root)] == [(str(logs[1]), 6)]
    assert take(root, logs, again=False).refused == []
    # Knowing what is lost, one may take it after all.
    assert take(root, logs, max_bad=0.5).kept == 5
    assert held(root).ids == sorted(ids(0, 25) + ids(30, 40))


@pytest.mark.parametrize("content", [b"", b"no log\n", b"\x1f\x8b\x08\x00broken", b"{"])
def test_what_is_no_log_does_not_stop_a_run(tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "a.jsonl"
    bad.write_bytes(content)
    good = write_log(tmp_path / "b.jsonl", [exchange(i) for i in range(5)])
    outcome = take(tmp_path / "store", [bad, good, tmp_path / "gone.jsonl"])
    assert outcome.kept == 5
    refused = {path.name for path, _ in outcome.refused}
    assert refused == ({"gone.jsonl"} if content == b"" else {"a.jsonl", "gone.jsonl"})


def test_a_file_that_changes_while_it_is_read_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(5)])
    other = write_log(tmp_path / "b.jsonl", [exchange(9)])
    whole = the_ingest.together

    def growing(batches: Any) -> Any:
        yield from whole(batches)
        with log.open("a") as out:
            out.write(json.dumps(exchange(5)) + "\n")

    monkeypatch.setattr(the_ingest, "together", growing)
    outcome = take(tmp_path / "store", [log])
    assert outcome.unsettled == [log]
    monkeypatch.setattr(the_ingest, "together", whole)
    assert take(tmp_path / "store", [log, other]).kept == 7
    assert held(tmp_path / "store").ids == sorted([*ids(0, 6), "x9"])


def test_what_is_too_old_is_not_taken(tmp_path: Path) -> None:
    from made_logs import START

    log = write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(-10, 10)])
    outcome = take(tmp_path / "store", [log], keep_from=START)
    assert (outcome.rows, outcome.expired, outcome.kept) == (20, 10, 10)
    assert held(tmp_path / "store").ids == ids(0, 10)


def test_many_files_come_in_few_transactions(tmp_path: Path) -> None:
    logs = [write_log(tmp_path / f"{i:03}.jsonl", [exchange(i)]) for i in range(40)]
    take(tmp_path / "store", logs)
    assert open_store(tmp_path / "store").state.transactions == 1
    assert held(tmp_path / "store").ids == ids(0, 40)


def test_a_store_has_one_writer(tmp_path: Path) -> None:
    root = tmp_path / "store"
    with (
        store_to_write(root, None),
        pytest.raises(UsageError, match="Another process"),
        store_to_write(root, None),
    ):
        pass
    with writing(root), store_to_read(root):
        pass  # reading is not kept out


def test_a_key_is_for_good(tmp_path: Path) -> None:
    root = tmp_path / "store"
    with store_to_write(root, "k1") as store:
        assert store.pseudonymised == "k1"
    for other in ("k2", None):
        with (
            pytest.raises(InputError, match="pseudonyms under the key k1"),
            store_to_write(root, other),
        ):
            pass


def test_a_store_is_for_its_owner(tmp_path: Path) -> None:
    take(tmp_path / "store", [write_log(tmp_path / "a.jsonl", [exchange(1)])])
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


def test_folders_of_others_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ours")
    with pytest.raises(OutputError, match="is no store"), store_to_write(tmp_path, None):
        pass
    with pytest.raises(InputError, match="is no store"), store_to_read(tmp_path / "nowhere"):
        pass
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.json").write_text('{"store": 2, "observation": 1}')
    with pytest.raises(InputError, match="has version 2"):
        open_store(tmp_path / "store")


def test_compressed_logs_and_relative_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl.gz").write_bytes(gzip.compress(json.dumps(exchange(1)).encode()))
    take(Path("store"), [Path("a.jsonl.gz")])
    assert open_store(Path("store")).state.inputs[0].path == str(tmp_path / "a.jsonl.gz")


def _quarantine(root: Path) -> list[dict[str, Any]]:
    state = open_store(root).state
    return [
        json.loads(line)
        for name in state.quarantines
        for line in (root / "quarantine" / f"{name}.jsonl").read_text().splitlines()
    ]
