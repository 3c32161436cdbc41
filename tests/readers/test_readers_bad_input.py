"""Bad input: no crash, nothing lost silently."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_logs import exchange, json_lines, read

from stillhunt.errors import InputError
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.readers.compression import ByteStream
from stillhunt.readers.lines import read_lines
from stillhunt.records.exchange import EXCHANGE_SCHEMA

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_truncated_gzip_keeps_the_rows_before_the_break(tmp_path: Path) -> None:
    rows = [exchange(i, prompt=f"{i * 7919:x} words {i * 104729:x}") for i in range(5000)]
    whole = gzip.compress(json_lines(rows))
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    got = read(tmp_path, path)
    assert 2500 < len(got.rows) < 5000
    assert [row["exchange_id"] for row in got.rows] == [f"x{i}" for i in range(len(got.rows))]
    (line,) = got.lost
    assert "cut off" in line["reason"]
    assert line["row"] == len(got.rows) + 1
    assert got.reader.rows_read == len(got.rows) + 1
    assert got.reader.bytes_read == path.stat().st_size


def test_damaged_gzip_keeps_everything_up_to_the_damage(tmp_path: Path) -> None:
    first = gzip.compress(json_lines([exchange(i) for i in range(100)]))
    second = bytearray(gzip.compress(json_lines([exchange(i) for i in range(100, 200)])))
    second[12:40] = b"\xff" * 28
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(first + bytes(second))
    got = read(tmp_path, path)
    assert len(got.rows) == 100
    assert "damaged" in got.lost[0]["reason"]


def test_truncated_zstd_says_so(tmp_path: Path) -> None:
    rows = [exchange(i, prompt=f"{i * 7919:x} words {i * 104729:x}") for i in range(20000)]
    whole = zstandard.compress(json_lines(rows))
    path = tmp_path / "log"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    got = read(tmp_path, path)
    assert 1000 < len(got.rows) < 20000
    assert len(got.lost) == 1
    assert "cut off" in got.lost[0]["reason"]


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_compression_is_told_by_the_bytes(tmp_path: Path, packing: str, pieces: int) -> None:
    pack = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}[packing]
    data = b"".join(
        pack(json_lines([exchange(i) for i in range(part, part + 50)]))
        for part in range(0, 50 * pieces, 50)
    )
    path = tmp_path / "log.txt"
    path.write_bytes(data)
    got = read(tmp_path, path)
    assert [row["exchange_id"] for row in got.rows] == [f"x{i}" for i in range(50 * pieces)]
    assert got.lines == []


def test_a_small_bomb_is_not_unpacked_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    for pack in (gzip.compress, zstandard.compress):
        path.write_bytes(pack(b"\0" * (256 << 20)))
        assert max(map(len, ByteStream(path))) <= 64 << 20
        lines = list(read_lines(ByteStream(path)))
        assert [(line.number, line.data, line.problem) for line in lines] == [
            (1, b"", "line too long")
        ]


def test_a_line_too_long_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"short\n" + b"x" * 300_000 + b"\n\nlast")
    lines = [(i.number, i.data, i.problem) for i in read_lines(ByteStream(path), longest=1000)]
    assert lines == [(1, b"short", None), (2, b"", "line too long"), (4, b"last", None)]


def test_half_a_json_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines([exchange(1), exchange(2)]) + b'{"exchange_id": "x3", "ti')
    got = read(tmp_path, path)
    assert len(got.rows) == 2
    (line,) = got.lost
    assert (line["row"], line["reason"]) == (3, "not valid JSON")
    assert line["excerpt"].startswith('{"exchange_id"')


def test_one_percent_rubbish(tmp_path: Path) -> None:
    rubbish = [b"\x00\xff\xfe rubbish", b"[1, 2]", b'"text"', b"{]", b'{"account": "a"}']
    data = [
        rubbish[i // 100 % 5] if i % 100 == 0 else json.dumps(exchange(i)).encode()
        for i in range(1000)
    ]
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(data))
    got = read(tmp_path, path)
    assert len(got.rows) == 990
    assert got.quarantine.count == 10
    assert sorted(line["row"] for line in got.lost) == [i + 1 for i in range(0, 1000, 100)]
    assert got.reader.rows_read == 1000
    assert got.places[:2] == [2, 3]


def test_times_in_every_style_and_out_of_range(tmp_path: Path) -> None:
    seconds = int(MOMENT.timestamp())
    styles = [
        "2026-01-02T03:04:05Z",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02 03:04:05",
        "2026-01-02 03:04:05.000 +0000",
        "2026-01-02 03:04:05 UTC",
        seconds,
        float(seconds),
        str(seconds),
        seconds * 1_000,
        seconds * 1_000_000,
        seconds * 1_000_000_000,
        str(seconds * 1_000_000_000),
    ]
    bad = ["2014-12-31T23:59:59Z", "2099-01-01T00:00:00Z", 0, -5, "soon", True, {}, "", None]
    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines([exchange(i, time=t) for i, t in enumerate(styles + bad)]))
    got = read(tmp_path, path)
    assert [row["time"] for row in got.rows] == [MOMENT] * len(styles)
    reasons = [line["reason"] for line in got.lost]
    assert sorted(reasons) == sorted(
        ["time out of range"] * 4 + ["time unreadable"] * 3 + ["no time"] * 2
    )


@pytest.mark.parametrize(
    "column",
    [
        pa.array([MOMENT], pa.timestamp("s")),
        pa.array([MOMENT], pa.timestamp("ms", tz="Asia/Tokyo")),
        pa.array([MOMENT], pa.timestamp("us", tz="UTC")),
        pa.array([MOMENT], pa.timestamp("ns", tz="America/Lima")),
        pa.array([int(MOMENT.timestamp())], pa.int32()),
        pa.array([MOMENT.timestamp()], pa.float64()),
        pa.array([int(MOMENT.timestamp()) * 10**9], pa.uint64()),
        pa.array(["2026-01-02T03:04:05Z"], pa.large_string()),
        pa.array(["2026-01-02T03:04:05Z"]).dictionary_encode(),
        pa.array([b"2026-01-02 03:04:05"], pa.binary()),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_times_of_every_type(tmp_path: Path, column: pa.Array) -> None:
    table = pa.table({"exchange_id": ["x"], "time": column, "account": ["a"]})
    pq.write_table(table, tmp_path / "log.parquet", version="2.6")
    got = read(tmp_path, tmp_path / "log.parquet")
    assert [row["time"] for row in got.rows] == [MOMENT]


def test_parquet_with_wrong_types_is_cast_or_said(tmp_path: Path) -> None:
    table = pa.table(
        {
            "exchange_id": pa.array([1, 2, 3, 4]),
            "time": pa.array([MOMENT] * 4, pa.timestamp("us")),
            "account": pa.array([10.0, 11.0, None, 12.5]),
            "prompt": pa.array([b"fine", b"bad \xff byte", b"x", b"y"]),
            "input_tokens": pa.array(["12", "many", "3", "4"]),
            "output_tokens": pa.array([1.0, 2.5, 3.0, 4.0]),
            "max_tokens": pa.array([-1, 5, 6, 7]),
            "status": pa.array([[200], [200], [200], [200]]),
            "temperature": pa.array(["0.5", "nan", "1", "1"]),
            "stream": pa.array([1, 0, 1, 1]),
            "unknown": pa.array([1, 2, 3, 4]),
        }
    )
    pq.write_table(table, tmp_path / "log.parquet")
    got = read(tmp_path, tmp_path / "log.parquet")
    one, two = got.rows
    assert (one["exchange_id"], one["account"], one["prompt"]) == ("1", "10", "fine")
    assert (one["input_tokens"], one["output_tokens"], one["max_tokens"]) == (12, 1, None)
    assert (one["status"], one["temperature"], one["stream"]) == (None, 0.5, True)
    assert two["prompt"] == "bad \ufffd byte"
    assert [two[name] for name in ("input_tokens", "output_tokens", "temperature")] == [None] * 3
    assert two["stream"] is False
    assert {(line["row"], line["reason"]) for line in got.lost} == {
        (3, "no account"),
        (4, "account unreadable"),
    }
    notes = {(line["row"], line["reason"]) for line in got.kept}
    assert notes == {
        (1, "optional column status unreadable"),
        (2, "optional column status unreadable"),
        (1, "optional column max_tokens unreadable"),
        (2, "optional column input_tokens unreadable"),
        (2, "optional column output_tokens unreadable"),
        (2, "optional column temperature unreadable"),
        (2, "invalid UTF-8 in prompt replaced"),
    }
    assert got.quarantine.count == 2


def test_parquet_broken_in_the_middle_loses_only_that_row_group(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([exchange(i) for i in range(900)])
    path = tmp_path / "log.parquet"
    pq.write_table(table, path, row_group_size=300, compression="zstd")
    chunk = pq.read_metadata(path).row_group(1).column(0)
    data = bytearray(path.read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    data[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(bytes(data))
    got = read(tmp_path, path)
    assert len(got.rows) == 600
    (line,) = got.lost
    assert (line["row"], line["rows"]) == (301, 300)
    assert got.quarantine.count == 300
    assert got.places[300] == 601
    assert got.reader.rows_read == 900


def test_parquet_without_its_footer(tmp_path: Path) -> None:
    good, cut = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.Table.from_pylist([exchange(1)]), good)
    cut.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(InputError, match="not readable as Parquet"):
        read(tmp_path, cut)
    got = read(tmp_path, [good, cut])
    assert len(got.rows) == 1
    assert got.lost[0]["file"] == str(cut)


def test_a_missing_required_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"exchange_id": ["x"], "time": ["2026-01-01"]}), path)
    with pytest.raises(InputError, match="no column account") as caught:
        read(tmp_path, path, source="canonical")
    assert "--mapping" in caught.value.remedy
    with pytest.raises(InputError, match="no known format") as caught:
        read(tmp_path, path)
    assert "account" in caught.value.remedy


def test_unreadable_paths(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path, tmp_path / "nowhere.jsonl")
    (tmp_path / "array.json").write_text(json.dumps([exchange(1)]))
    with pytest.raises(InputError, match="jq"):
        read(tmp_path, tmp_path / "array.json")
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="no known format"):
        read(tmp_path, tmp_path / "other.jsonl")


def test_a_folder_gives_what_is_recognised_and_says_what_is_not(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    (logs / "day=2").mkdir(parents=True)
    (logs / "day=1").mkdir()
    (logs / "day=2" / "b.jsonl").write_bytes(json_lines([exchange(2)]))
    (logs / "day=1" / "a.jsonl.gz").write_bytes(gzip.compress(json_lines([exchange(1)])))
    (logs / "README.md").write_text("# These are logs\n")
    (logs / "_SUCCESS").write_text("")
    (logs / "empty.jsonl").write_text("")
    got = read(tmp_path, [logs, logs / "day=1" / "a.jsonl.gz"])
    assert [row["exchange_id"] for row in got.rows] == ["x1", "x2"]
    assert [file.path.name for file in got.reader.files] == ["empty.jsonl", "a.jsonl.gz", "b.jsonl"]
    assert got.quarantine.skipped == {"not a log of a known format": 1}
    assert all(len(file.digest) == 64 for file in got.reader.files)
    assert got.reader.bytes_read == sum(file.bytes for file in got.reader.files)


def test_a_source_given_for_a_folder_passes_over_other_files(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_bytes(json_lines([exchange(1)]))
    (logs / "notes.txt").write_text("one\ntwo\n")
    got = read(tmp_path, logs, source="canonical")
    assert len(got.rows) == 1
    assert got.quarantine.count == 0
    assert got.quarantine.skipped == {"not a log of a known format": 1}
    named = read(tmp_path, [logs, logs / "notes.txt"], source="canonical")
    assert len(named.rows) == 1
    assert named.quarantine.count == 2


def test_truncated_csv_keeps_no_half_row(tmp_path: Path) -> None:
    lines = [f"x{i},2026-01-02T03:04:05Z,acct_{i * 7919:x}_{i}" for i in range(3000)]
    whole = gzip.compress("\n".join(["exchange_id,time,account", *lines]).encode())
    path = tmp_path / "log.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    got = read(tmp_path, path)
    assert 500 < len(got.rows) < 3000
    assert [row["account"] for row in got.rows] == [
        line.rpartition(",")[2] for line in lines[: len(got.rows)]
    ]
    assert [line["row"] for line in got.lost] == [len(got.rows) + 1]


def test_the_last_line_before_a_break_is_kept_if_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    data = json_lines([exchange(1), exchange(2)]).rstrip(b"\n")
    path.write_bytes(gzip.compress(data)[:-8])  # without the checksum
    got = read(tmp_path, path)
    assert [row["exchange_id"] for row in got.rows] == ["x1", "x2"]
    assert [line["row"] for line in got.lost] == [2]


def test_surrogates_nan_and_invalid_utf8_are_repaired(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        json_lines([exchange(1)])
        + b'{"exchange_id":"x2","time":1767323045,"account":"a","prompt":"\\ud800 \xff"}\n'
        + b'{"exchange_id":"x3","time":1767323045,"account":"a","temperature":NaN}\n'
    )
    got = read(tmp_path, path)
    assert got.rows[1]["prompt"] == "\ufffd \ufffd"
    assert got.rows[2]["temperature"] is None
    assert {line["row"] for line in got.kept} == {2, 3}


def test_overlong_identifiers(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [exchange(1), exchange(2, account="a" * 2000), exchange(3, user_agent="u" * 9000)]
    path.write_bytes(json_lines(rows))
    got = read(tmp_path, path)
    assert [line["reason"] for line in got.lost] == ["account longer than 1024 characters"]
    assert len(got.rows[1]["user_agent"]) == 4096
    assert got.kept[0]["row"] == 3


def test_batches_are_bounded_by_rows_and_by_text(tmp_path: Path) -> None:
    rows = [exchange(i, prompt="w" * (2 << 20)) for i in range(24)]
    for name in ("log.jsonl", "log.parquet"):
        if name.endswith("jsonl"):
            (tmp_path / name).write_bytes(json_lines(rows))
        else:
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
        got = read(tmp_path, tmp_path / name)
        assert len(got.rows) == 24
        assert max(batch.exchanges.nbytes for batch in got.batches) < 18 << 20
        small = read(tmp_path, tmp_path / name, batch_rows=5)
        assert max(len(batch.rows) for batch in small.batches) <= 5
        assert small.rows == got.rows
        assert small.places == list(range(1, 25))


def test_excerpts_are_cut_and_harmless(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines([exchange(1)]) + b"\x1b[31m\x07" + b"z" * 1000 + b"\n")
    got = read(tmp_path, path)
    excerpt = got.lost[0]["excerpt"]
    assert excerpt.startswith("\\x1b[31m\\x07")
    assert len(excerpt) <= 70


def test_only_the_wanted_columns(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([exchange(1, status=200)]), tmp_path / "log.parquet")
    got = read(tmp_path, tmp_path / "log.parquet", columns=frozenset({"status"}))
    (row,) = got.rows
    assert (row["account"], row["status"], row["prompt"]) == ("acct_1", 200, None)
    assert got.batches[0].exchanges.schema.equals(EXCHANGE_SCHEMA)


def _conserved(data: bytes, tmp_path: Path, name: str, source: str) -> tuple[int, int]:
    path = tmp_path / name
    path.write_bytes(data)
    with Quarantine(tmp_path / "quarantine.jsonl") as quarantine:
        rows = 0
        try:
            reader = LogReader([path], ReadOptions(source=source, batch_rows=3), quarantine)
            for batch in reader:
                batch.exchanges.validate(full=True)
                rows += len(batch.rows)
        except InputError:
            pass
        return rows, quarantine.count


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-01-02T03:04:05Z", "x", 1767323045]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.dictionaries(
    st.sampled_from(EXCHANGE_SCHEMA.names) | st.text(max_size=5), VALUES, max_size=8
)
LINES = st.one_of(
    st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"")),
    RECORDS.map(lambda r: json.dumps(r).encode()),
    st.integers(0, 50).map(lambda i: json.dumps(exchange(i)).encode()),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(LINES, max_size=12), bom=st.booleans())
def test_every_line_is_a_row_or_in_quarantine(
    tmp_path: Path, lines: list[bytes], bom: bool
) -> None:
    # A comment line first, so that the bytes are never mistaken for a compressed file.
    data = (b"\xef\xbb\xbf" if bom else b"") + b"\n".join([b"# log", *lines])
    wanted = sum(bool(line.strip()) for line in lines) + 1
    rows, lost = _conserved(data, tmp_path, "log.jsonl", "canonical")
    assert rows + lost == wanted


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.binary(max_size=200),
    magic=st.sampled_from([b"", b"PAR1", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"]),
    name=st.sampled_from(["log", "log.csv", "log.parquet"]),
    source=st.sampled_from(["auto", "canonical", "litellm", "otel"]),
)
def test_arbitrary_bytes_never_crash(
    tmp_path: Path, data: bytes, magic: bytes, name: str, source: str
) -> None:
    rows, _ = _conserved(magic + data, tmp_path, name, source)
    assert rows == 0


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 3000), flip=st.integers(0, 3000), packing=st.sampled_from([0, 1, 2]))
def test_any_cut_or_damage_is_noticed(tmp_path: Path, cut: int, flip: int, packing: int) -> None:
    rows = [exchange(i, prompt=f"{i * 104729 % 8191:x}") for i in range(120)]
    whole = [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress, bytes][packing]
    data = bytearray(whole(json_lines(rows)))
    if packing == 2:
        data = data[: len(data) - 1 - cut % (len(data) - 1)]
        full = data.count(b"\n") + (not data.endswith(b"\n") and data.endswith(b"}"))
    else:
        data[20 + flip % (len(data) - 20)] ^= 0x55
        full = -1
    got, lost = _conserved(bytes(data), tmp_path, "log", "canonical")
    if packing == 2:
        assert got == full
        assert lost == (not data.endswith((b"\n", b"}")))
    else:
        assert lost >= 1
        assert got <= 120
