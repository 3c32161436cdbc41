"""A hunt in a store finds what a hunt in the logs finds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hunts import Found, found, hunt_of, read, same

import stillhunt.store.compaction as the_compaction
from stillhunt import HuntRequest, HuntResult, hunt
from stillhunt.errors import InputError
from stillhunt.readers import ReadOptions
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.store.accounts import take_accounts
from stillhunt.store.compaction import compact
from stillhunt.store.ingest import Ingest
from stillhunt.store.store import store_to_write

PARTS = 3


def _split(table: pa.Table, folder: Path) -> list[Path]:
    """Exchanges by turns in several files: every day is in each, and each in several parts."""
    folder.mkdir()
    paths = []
    for i in range(PARTS):
        paths.append(folder / f"{i}.parquet")
        pq.write_table(table.take(pa.array(np.arange(i, table.num_rows, PARTS))), paths[-1])
    return paths


def _fill(root: Path, files: list[Path], accounts: Path, key: Pseudonymiser | None = None) -> None:
    options = ReadOptions(pseudonymiser=key)
    for file in files:  # a transaction each
        with store_to_write(root, key.key_id if key else None) as store:
            Ingest(store, options).take([file])
    with store_to_write(root, key.key_id if key else None) as store:
        take_accounts(store, accounts, options, 0.01)


def _hunt(root: Path, out: Path, **settings: Any) -> HuntResult:
    return hunt(HuntRequest(logs=(), store=root, out=out, **{"clear": True} | settings))


@pytest.fixture(scope="module")
def logs(exchange_table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return _split(exchange_table, tmp_path_factory.mktemp("split") / "logs")


@pytest.fixture(scope="module")
def stored(small_traffic: Path, logs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stored") / "store"
    _fill(root, logs, small_traffic / "accounts.parquet")
    return root


def test_the_findings_are_the_same(stored: Path, expected: Found, tmp_path: Path) -> None:
    result = _hunt(stored, tmp_path / "out")
    assert result.record["store"] == {"path": str(stored), "transactions": PARTS + 1}
    same(found(tmp_path / "out"), expected)


def test_and_after_parts_are_merged(
    small_traffic: Path, logs: list[Path], expected: Found, tmp_path: Path
) -> None:
    root = tmp_path / "store"
    _fill(root, logs, small_traffic / "accounts.parquet")
    with pytest.MonkeyPatch.context() as patch, store_to_write(root, None) as store:
        patch.setattr(the_compaction, "FAN", 2)
        assert compact(store) > 0
    _hunt(root, tmp_path / "out")
    same(found(tmp_path / "out"), expected)


def test_a_period_is_the_same_in_logs_and_in_a_store(
    small_traffic: Path, stored: Path, exchange_table: pa.Table, tmp_path: Path
) -> None:
    time = exchange_table.column("time")
    first = pc.min(time).as_py()
    since = first.replace(hour=0, minute=0, second=0, microsecond=0, day=first.day + 2)
    until = datetime(first.year, first.month, first.day + 9, 13, 30, tzinfo=UTC)
    period = {"since": since, "until": until}
    hunt_of(small_traffic, tmp_path / "logs", **period)
    result = _hunt(stored, tmp_path / "store", **period)
    same(found(tmp_path / "store"), found(tmp_path / "logs"))
    inside = pc.and_(pc.greater_equal(time, since), pc.less(time, until))
    assert result.record["counts"]["exchanges"] == pc.sum(inside).as_py()
    with pytest.raises(InputError, match="No exchange is left"):
        _hunt(stored, tmp_path / "none", until=datetime(2001, 1, 1))


def test_texts_are_shown_only_while_they_are_where_they_were(
    small_traffic: Path, logs: list[Path], expected: Found, tmp_path: Path
) -> None:
    here = tmp_path / "logs"
    here.mkdir()
    files = []
    for path in logs:
        files.append(here / path.name)
        files[-1].write_bytes(path.read_bytes())
    root, out = tmp_path / "store", tmp_path / "out"
    _fill(root, files, small_traffic / "accounts.parquet")
    files[0].unlink()  # moved away
    files[1].write_bytes(files[1].read_bytes()[:-1] + b"0")  # another one of the same size
    _hunt(root, out)
    details = json.loads((out / "details.json").read_text())["campaigns"]
    wanted = {t for c in expected.templates.values() for row in c for t in row["exemplars"]}
    shown = {t for c in details.values() for row in c["templates"] for t in row["exemplars"]}
    gone = sum(row["exemplars_gone"] for c in details.values() for row in c["templates"])
    assert shown < wanted
    assert gone > 0
    assert read(out, "exchanges")  # they are named all the same


def test_a_store_of_pseudonyms_is_hunted_with_its_key(
    small_traffic: Path, logs: list[Path], expected: Found, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(bytes(range(32)))
    key = Pseudonymiser.from_file(key_file)
    root = tmp_path / "store"
    _fill(root, logs, small_traffic / "accounts.parquet", key)
    with pytest.raises(InputError, match="pseudonyms under the key"):
        _hunt(root, tmp_path / "out")
    _hunt(root, tmp_path / "out", read=ReadOptions(pseudonymiser=key))
    named = {row["account"] for row in read(tmp_path / "out", "accounts")}
    clear = {row["account"] for row in expected.accounts}
    assert named == {key.pseudonym("account", name) for name in clear}
    shown = "".join(
        str(pq.read_table(path, partitioning=None).to_pylist()) for path in root.rglob("*.parquet")
    )
    assert not any(name in shown for name in clear)
