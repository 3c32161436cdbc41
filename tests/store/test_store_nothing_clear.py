"""With a key, nothing clear goes further than the readers, whatever the format of the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillhunt.readers import LogReader, Quarantine, ReadOptions, log_formats
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.store.ingest import Ingest
from stillhunt.store.store import store_to_write

KEY = bytes(range(9, 41))
FIXTURES = Path(__file__).parents[1] / "fixtures"
PERSONAL = ("account", "organization", "credential", "client_address")
# Texts are needed for fingerprinting and go no further; ids lead back to the log.
ELSEWHERE = ("system", "prompt", "response", "exchange_id")


def _logs() -> Iterator[Path]:
    yield from sorted(FIXTURES.rglob("*.jsonl"))


def _options(path: Path, **more: Any) -> ReadOptions:
    mapping = path.parent / "mine.toml"
    return ReadOptions(mapping=mapping if mapping.is_file() else None, **more)


def _read(folder: Path, path: Path, **more: Any) -> tuple[str, list[dict[str, Any]], str]:
    with Quarantine(folder / "quarantine.jsonl") as quarantine:
        reader = LogReader([path], _options(path, **more), quarantine)
        rows = [row for batch in reader for row in batch.exchanges.to_pylist()]
    return reader.files[0].source, rows, quarantine.path.read_text()


def _secrets(rows: list[dict[str, Any]]) -> set[str]:
    found = {row[name] for row in rows for name in PERSONAL if row[name] is not None}
    # The parts of an ARN that name a person or a session, and networks.
    found |= {part for value in found for part in value.split("/") if "@" in part}
    found |= {value.rpartition(".")[0] for value in found if value.count(".") == 3}
    return found


def test_readers_of_every_format(tmp_path: Path) -> None:
    seen = set()
    for path in _logs():
        source, clear, _ = _read(tmp_path, path)
        _, hidden, told = _read(tmp_path, path, pseudonymiser=Pseudonymiser(KEY))
        assert len(hidden) == len(clear)
        secrets = _secrets(clear)
        assert secrets
        kept = [{n: v for n, v in row.items() if n not in ELSEWHERE} for row in hidden]
        everything = json.dumps(kept, default=str) + told
        for secret in secrets:
            assert secret not in everything, (path.name, secret)
        assert '"excerpt"' not in told
        for one, other in zip(clear, hidden, strict=True):
            for name in set(one) - set(PERSONAL):
                assert one[name] == other[name], name
            for name in PERSONAL:
                assert (one[name] is None) == (other[name] is None), name
        seen.add(source)
    assert seen == set(log_formats())


@pytest.mark.parametrize("with_key", [False, True])
def test_a_store_of_every_format(tmp_path: Path, with_key: bool) -> None:
    pseudonymiser = Pseudonymiser(KEY) if with_key else None
    secrets: set[str] = set()
    for path in _logs():
        secrets |= _secrets(_read(tmp_path, path)[1])
    root = tmp_path / "store"
    key = pseudonymiser.key_id if pseudonymiser else None
    with store_to_write(root, key) as held:
        for path in _logs():
            options = _options(path, pseudonymiser=pseudonymiser)
            Ingest(held, options, max_bad=1.0, threads=1).take([path])
    written = ""
    for path in sorted(root.rglob("*")):
        if path.suffix == ".parquet":
            written += json.dumps(pq.read_table(path).to_pylist(), default=str)
        elif path.is_file():
            written += path.read_bytes().decode("utf-8", "replace")
    clear = {secret for secret in secrets if secret in written}
    # Without the key they are there: this test can fail.
    assert bool(clear) != with_key, clear
