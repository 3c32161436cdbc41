"""Hostile logs, in every format: no crash, bounded memory, and every bad row told with its place."""

from __future__ import annotations

import copy
import gzip
import json
import random
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_logs import FIXTURES, Read, read

from stillhunt.errors import InputError
from stillhunt.readers import LogReader, Quarantine, ReadOptions, log_formats
from stillhunt.readers.registry import UNEXPECTED, LogFormat
from stillhunt.readers.streams import whole_body

# A mapping file is asked for; what it maps are the same records as any.
FORMATS = sorted(set(log_formats()) - {"mapping"})
EVERY = pytest.mark.parametrize("name", FORMATS)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["", "{", "[1", "null", '{"a":1}', "data: {", "data: []\n\n", "\ud800", "-1", "9" * 400]),
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@cache
def seeds() -> dict[str, list[Any]]:
    """Records of each format, from the fixtures."""
    found: dict[str, list[Any]] = {}
    for path in sorted(FIXTURES.rglob("*.jsonl")):
        if (path.parent / "mine.toml").exists():
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = read(Path(folder), path).reader.files[0].source
        records = [json.loads(line) for line in path.read_text().splitlines()]
        found.setdefault(source, []).extend(records)
    # Long ones (LiteLLM's tables of models) say no more than short ones.
    return {
        source: [record for record in records if len(str(record)) < 8000][:14] or records[:1]
        for source, records in found.items()
    }


def attempt(folder: Path, data: bytes, source: str, name: str = "log.jsonl") -> Read | None:
    """Read a file, or None where nothing at all could be read and that was said."""
    path = folder / name
    path.write_bytes(data)
    try:
        got = read(folder, path, source=source)
    except InputError:
        # The net below a mapper is for what no test has found yet.
        assert UNEXPECTED not in (folder / "quarantine.jsonl").read_text()
        return None
    assert not [line for line in got.lines if UNEXPECTED in line["reason"]]
    return got


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a record something can be put in the place of something."""
    found = [here] if here else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        found += places(inner, (*here, key))
    return found


def replaced(record: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(record)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed


@EVERY
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_anything_in_the_place_of_anything(tmp_path: Path, name: str, data: st.DataObject) -> None:
    lines = []
    for record in data.draw(st.lists(st.sampled_from(seeds()[name]), min_size=1, max_size=4)):
        changed = record
        for _ in range(data.draw(st.integers(1, 3))):
            if found := places(changed):
                changed = replaced(changed, data.draw(st.sampled_from(found)), data.draw(JSON))
        lines.append(json.dumps(changed))
    got = attempt(tmp_path, "\n".join(lines).encode("utf-8", "replace"), name)
    if got is None:
        return
    assert set(got.places) <= set(range(1, len(lines) + 1))
    for line in got.lost:
        assert line["row"] is None or 1 <= line["row"] <= len(lines)
        assert line["reason"]


@EVERY
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=st.lists(JSON, max_size=5))
def test_records_of_no_format(tmp_path: Path, name: str, records: list[Any]) -> None:
    data = b"\n".join(json.dumps(record).encode() for record in records)
    got = attempt(tmp_path, data, name)
    assert got is None or got.rows == [] or len(got.rows) <= len(records)


@EVERY
def test_each_bad_line_is_told_and_the_good_ones_stay(tmp_path: Path, name: str) -> None:
    good = [json.dumps(record).encode() for record in seeds()[name]]
    alone = attempt(tmp_path, b"\n".join(good), name)
    assert alone is not None
    deep = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    nested = b'{"requestId":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    bad = [
        good[0][: len(good[0]) // 2],
        deep,
        nested,
        json.dumps(seeds()[name][0]).encode("utf-16"),
        b"\xff\xfe\x00{}",
        b'"text"',
        b"[1, 2]",
        b"\x00" * 100,
    ]
    # A line feed of UTF-16 would begin another line.
    bad = [line.replace(b"\n", b"\0") for line in bad]
    got = attempt(tmp_path, b"\n".join([*bad, *good]), name)
    assert got is not None
    assert got.rows == alone.rows
    told = {line["row"] for line in got.lines}
    assert set(range(1, len(bad) + 1)) <= told | set(range(len(bad) + 1, 10_000))


@EVERY
def test_duplicate_keys_and_latin_letters_are_read_or_told(tmp_path: Path, name: str) -> None:
    line = json.dumps(seeds()[name][0])
    twice = "{" + line[1:-1] + "," + line[1:]
    latin = line.replace(": ", ":").encode() + b"\n" + line[:-1].encode() + b', "note": "caf\xe9"}'
    got = attempt(tmp_path, twice.encode() + b"\n" + latin, name)
    if got is not None:
        assert set(got.places) | {line["row"] for line in got.lines if line["row"]} <= {1, 2, 3}


@EVERY
def test_a_stream_cut_off_keeps_what_was_before(tmp_path: Path, name: str) -> None:
    good = b"".join(json.dumps(record).encode() + b"\n" for record in seeds()[name])
    filler = random.Random(3).randbytes(50_000).hex().encode()
    whole = gzip.compress(good + b'{"filler":"' + filler + b'"}\n')
    got = attempt(tmp_path, whole[:-2000], name)
    alone = attempt(tmp_path, good, name)
    assert got is not None
    assert alone is not None
    assert got.rows == alone.rows
    assert any("cut off" in line["reason"] for line in got.lost)


def test_only_these_read_files_in_a_way_of_their_own() -> None:
    """All others read lines through one bounded path, which the tests of bombs go through."""
    own = {name for name, one in log_formats().items() if one.read is not LogFormat.read}
    assert own <= {"canonical", "otel", "openinference"}


_BOMB = """
import resource, sys
from pathlib import Path
from stillhunt.errors import InputError
from stillhunt.readers import LogReader, Quarantine, ReadOptions

path, source = Path(sys.argv[1]), sys.argv[2]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Quarantine(path.with_suffix(".quarantine")) as quarantine:
    try:
        for batch in LogReader([path], ReadOptions(source=source), quarantine):
            pass
    except InputError:
        pass
    print(quarantine.count)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize(("source", "kind"), [("bedrock", "gzip"), ("otel", "zstd")])
def test_a_line_of_a_gigabyte_is_not_held(tmp_path: Path, source: str, kind: str) -> None:
    path = tmp_path / "bomb.jsonl"
    piece = b'{"requestId": "' + b"a" * (64 << 20)
    if kind == "gzip":
        with gzip.open(path, "wb", compresslevel=1) as file:
            for _ in range(16):
                file.write(piece)
    else:
        with zstandard.open(path, "wb") as file:
            for _ in range(16):
                file.write(piece)
    assert path.stat().st_size < 8 << 20
    done = subprocess.run(
        [sys.executable, "-c", _BOMB, str(path), source], capture_output=True, check=True, text=True
    )
    lost, grown = map(int, done.stdout.split())
    assert lost == 1
    assert grown < 400, "MiB"


def test_a_stream_of_very_many_chunks_is_put_together_in_a_moment() -> None:
    chunk = {"object": "c", "choices": [{"index": 0, "delta": {"content": "x"}}]}
    body = whole_body([chunk] * 200_000)
    assert len(body["choices"][0]["message"]["content"]) == 200_000
    text = "data: {\n" + "data: 1\n" * 3000  # never a whole object
    assert whole_body(text) == {}
    assert whole_body("data: " * 100_000) == {}


def _table(name: str) -> pa.Table:
    rows = [
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in row.items()}
        for row in seeds()[name]
    ]
    names = sorted({key for row in rows for key in row})
    return pa.table({key: [row.get(key) for row in rows] for key in names})


@pytest.mark.parametrize("name", ["azure-apim", "bodies", "canonical", "cloudflare", "litellm"])
def test_parquet_that_lies(tmp_path: Path, name: str) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.concat_tables([_table(name)] * 40), path, row_group_size=20)
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    lies = random.Random(name)
    for _ in range(40):
        changed = bytearray(whole)
        for _ in range(lies.randint(1, 4)):
            at = lies.randrange(len(whole) - 8 - footer, len(whole) - 8)
            changed[at] = lies.randrange(256)
        if lies.random() < 0.2:
            changed[-8:-4] = lies.randrange(1 << 32).to_bytes(4, "little")
        path.write_bytes(bytes(changed))
        with Quarantine(tmp_path / "quarantine.jsonl") as quarantine:
            try:
                reader = LogReader([path], ReadOptions(source=name), quarantine)
                rows = sum(len(batch.rows) for batch in reader)
            except InputError:
                continue
        assert rows <= 40 * len(seeds()[name])


def test_a_mapper_that_stumbles_costs_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(call: Any) -> Any:
        return call["consumer"]["nobody"]

    record = seeds()["kong"][0]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in [record, record]))
    monkeypatch.setattr("stillhunt.readers.formats.kong.mapping", stumble)
    with pytest.raises(InputError):
        read(tmp_path, path, source="kong")
    told = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text().splitlines()]
    assert [(line["row"], line["reason"]) for line in told] == [
        (i, f"{UNEXPECTED} (KeyError)") for i in (1, 2)
    ]
