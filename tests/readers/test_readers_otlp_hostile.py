"""Hostile OTLP: no crash, bounded memory, every record a row, in the quarantine, or passed over."""

from __future__ import annotations

import gzip
import json
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from reader_logs import Read, read
from written.otlp import any_value

from stillhunt.errors import InputError
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.readers.otlp import frames, wire

TIME = 1_767_323_045_000_000_000
QUICK = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def call(i: int, **more: Any) -> Span:
    """A span of a call."""
    attributes = {
        "gen_ai.request.model": "m",
        "user.id": "ada",
        "gen_ai.response.id": f"x{i}",
    } | more
    made = Span(
        trace_id=struct.pack(">QQ", 1, i), span_id=struct.pack(">Q", i + 1),
        start_time_unix_nano=TIME,
    )  # fmt: skip
    for key, value in attributes.items():
        made.attributes.add(key=key, value=any_value(value))
    return made


def request(spans: list[Span]) -> bytes:
    made = ExportTraceServiceRequest()
    made.resource_spans.add().scope_spans.add().spans.extend(spans)
    return made.SerializeToString()


def framed(*bodies: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(body)) + body for body in bodies)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def around(record: bytes) -> bytes:
    """A request around one record's bytes."""
    return field(1, field(2, field(2, record)))


def conserved(tmp_path: Path, data: bytes, name: str = "log.otlp", source: str = "otel") -> Read:
    """Read without an error even where nothing can be read."""
    path = tmp_path / name
    path.write_bytes(data)
    with Quarantine(tmp_path / "quarantine.jsonl") as quarantine:
        batches = []
        try:
            reader = LogReader([path], ReadOptions(source=source, batch_rows=3), quarantine)
            for batch in reader:
                batch.exchanges.validate(full=True)
                batches.append(batch)
        except InputError:
            pass
    lines = [json.loads(line) for line in quarantine.path.read_text().splitlines()]
    rows = [row for batch in batches for row in batch.exchanges.to_pylist()]
    places = [int(place) for batch in batches for place in batch.rows]
    return Read(rows, places, batches, quarantine, lines, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "framing", ["request", "varint", "4 bytes", "zstd", "json in frames", "gzip"]
)
def test_every_framing_is_told_by_the_bytes(tmp_path: Path, framing: str) -> None:
    spans = [[call(i) for i in range(n, n + 3)] for n in (0, 3, 6)]
    bodies = [request(some) for some in spans]
    if framing == "request":
        data = b"".join(bodies)  # one request, for fields of one message may be put together so
    elif framing == "varint":
        data = b"".join(varint(len(body)) + body for body in bodies)
    elif framing == "zstd":
        data = framed(*map(zstandard.compress, bodies))
    elif framing == "json in frames":
        one = {"key": "gen_ai.request.model", "value": {"stringValue": "m"}}
        two = {"key": "user.id", "value": {"stringValue": "ada"}}
        spans_ = [
            {
                "traceId": "t",
                "spanId": str(i),
                "startTimeUnixNano": str(TIME),
                "attributes": [one, two],
            }
            for i in range(9)
        ]
        document = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans_}]}]})
        data = framed(document.encode())
    else:
        data = framed(*bodies)
    if framing == "gzip":
        data = gzip.compress(data)
    (tmp_path / "log").write_bytes(data)
    got = read(tmp_path, tmp_path / "log")
    assert got.lines == []
    assert got.places == list(range(1, 10))
    assert [file.source for file in got.reader.files] == ["otel"]


def test_a_json_document_over_many_lines(tmp_path: Path) -> None:
    line = (Path(__file__).parents[1] / "fixtures/otel_genai/span-openai.jsonl").read_text()
    (tmp_path / "pretty.json").write_text(json.dumps(json.loads(line), indent=2))
    (tmp_path / "line.jsonl").write_text(line)
    pretty = read(tmp_path, tmp_path / "pretty.json")
    assert pretty.rows == read(tmp_path, tmp_path / "line.jsonl").rows
    assert len(pretty.rows) == 9


def test_a_bad_span_costs_itself_and_has_its_place(tmp_path: Path) -> None:
    spans = [call(i).SerializeToString() for i in range(5)]
    spans[1] = spans[1][:-3]  # a string that is longer than its span
    spans[3] = b"\x0a\x10" + b"t" * 16 + b"\x4a\x7f\x00"
    body = field(1, field(2, b"".join(field(2, span) for span in spans)))
    got = conserved(tmp_path, framed(body, request([call(9)])))
    assert [row["exchange_id"] for row in got.rows] == ["x0", "x2", "x4", "x9"]
    assert got.places == [1, 3, 5, 6]
    assert [(line["row"], line["reason"]) for line in got.lost] == [
        (2, wire.MALFORMED),
        (4, wire.MALFORMED),
    ]


@pytest.mark.parametrize("level", ["frame", "resource", "scope", "span", "attribute"])
def test_lengths_that_lie(tmp_path: Path, level: str) -> None:
    span = call(1).SerializeToString()
    huge = varint(1 << 40)
    body = {
        "frame": b"\x0a" + huge + request([call(1)]),
        "resource": b"\x0a" + huge + b"\x12\x00",
        "scope": field(1, b"\x12" + huge + span),
        "span": field(1, field(2, b"\x12" + huge + span)),
        "attribute": around(span + b"\x4a" + huge + b"xx"),
    }[level]
    got = conserved(tmp_path, framed(request([call(0)]), body, request([call(2)])))
    assert [row["exchange_id"] for row in got.rows] == ["x0", "x2"]
    (line,) = got.lost
    assert (line["row"], line["reason"]) == (2, wire.MALFORMED)
    alone = conserved(tmp_path, request([call(0)]) + b"\x0a" + huge + b"\x12\x00")
    assert [row["exchange_id"] for row in alone.rows] == ["x0"]
    assert frames.TOO_LONG in alone.lost[0]["reason"]


def test_a_frame_longer_than_is_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As 1 GB would be; here the limit is lower, and the file has a hole."""
    monkeypatch.setattr(frames, "LONGEST", 1 << 20)
    size = 200 << 20
    path = tmp_path / "log.otlp"
    with path.open("wb") as out:
        out.write(framed(request([call(0)])) + struct.pack(">I", size))
        out.seek(size, 1)
        out.write(framed(request([call(1)])))
    tracemalloc.start()
    got = read(tmp_path, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row["exchange_id"] for row in got.rows] == ["x0", "x1"]
    assert [(line["row"], line["reason"]) for line in got.lost] == [(2, frames.TOO_LONG)]
    assert peak < 100 << 20  # the longest line there may be, which the sample looks for
    # And where the file ends before what it promised.
    path.write_bytes(framed(request([call(0)])) + struct.pack(">I", size) + b"x" * 100)
    cut = conserved(tmp_path, path.read_bytes())
    assert [line["reason"] for line in cut.lost] == [f"{frames.TOO_LONG}, and cut off"]


def nested_value(depth: int) -> bytes:
    """An AnyValue of so many lists in one another, written by hand, from the inside out."""
    value = field(1, b"deep")
    for _ in range(depth):
        value = field(5, field(1, value))
    return value


@pytest.mark.parametrize("depth", [10, 10_000])
def test_values_nested_deep(tmp_path: Path, depth: int) -> None:
    attribute = field(9, field(1, b"gen_ai.input.messages") + field(2, nested_value(depth)))
    got = conserved(tmp_path, framed(around(call(1).SerializeToString() + attribute)))
    if depth == 10:
        assert [row["exchange_id"] for row in got.rows] == ["x1"]
    else:
        assert [(line["row"], line["reason"]) for line in got.lost] == [(1, wire.MALFORMED)]
    inner: bytes = b'{"arrayValue":{"values":[' * depth + b"]}}" * depth
    line = (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"t","spanId":"s","startTimeUnixNano":"'
        + str(TIME).encode() + b'","attributes":[{"key":"user.id","value":{"stringValue":"ada"}},'
        b'{"key":"gen_ai.request.model","value":{"stringValue":"m"}},'
        b'{"key":"gen_ai.input.messages","value":' + inner + b"}]}]}]}]}\n"
    )  # fmt: skip
    told = conserved(tmp_path, line, "log.jsonl")
    assert len(told.rows) + len(told.lost) == 1
    assert [entry["row"] for entry in told.lost] == ([] if depth == 10 else [1])
    path = "gen_ai.prompt.0" + ".a" * depth
    assert len(conserved(tmp_path, framed(request([call(1, **{path: "x"})]))).rows) == 1


def test_records_of_too_many_parts_cost_no_memory(tmp_path: Path) -> None:
    """Empty messages are two bytes each and would become some forty."""
    many = 2 << 20
    span = call(1).SerializeToString()
    elements = field(9, field(1, b"k") + field(2, field(5, b"\x0a\x00" * many)))
    pairs = field(9, field(1, b"k") + field(2, field(6, b"\x0a\x00" * many)))
    bodies = [around(span + b"\x4a\x00" * many), around(span + elements), around(span + pairs)]
    (tmp_path / "log").write_bytes(framed(*bodies, request([call(2)])))
    got = read(tmp_path, tmp_path / "log", source="otel")
    assert [row["exchange_id"] for row in got.rows] == ["x2"]
    assert {(line["row"], line["reason"]) for line in got.lost} == {
        (row, wire.TOO_MANY) for row in (1, 2, 3)
    }


def test_a_resource_of_too_many_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_RECORDS", 10)
    got = conserved(tmp_path, framed(request([call(i) for i in range(30)]), request([call(30)])))
    assert [row["exchange_id"] for row in got.rows] == [*(f"x{i}" for i in range(10)), "x30"]
    assert [(line["row"], line["reason"]) for line in got.lost] == [(11, wire.CROWDED)]


def test_a_record_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_RECORD", 5000)
    big = call(1, **{"gen_ai.prompt": "x" * 6000})
    got = conserved(tmp_path, framed(request([call(0), big, call(2)])))
    assert [row["exchange_id"] for row in got.rows] == ["x0", "x2"]
    assert [(line["row"], line["reason"]) for line in got.lost] == [(2, wire.TOO_LONG)]


def test_json_of_too_many_parts(tmp_path: Path) -> None:
    line = b'{"resourceSpans":[' + b",".join([b"[]"] * (1 << 20)) + b"]}\n"
    got = conserved(tmp_path, line, "log.jsonl")
    assert [(lost["row"], lost["reason"]) for lost in got.lost] == [(1, "JSON of too many parts")]


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LONGEST", 4 << 20)
    bomb = zstandard.compress(b"\x0a\x02\x12\x00" * (8 << 20))
    good = zstandard.compress(request([call(1)]))
    path = tmp_path / "log"
    path.write_bytes(framed(good, bomb, good[:-4], good))
    tracemalloc.start()
    got = read(tmp_path, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20
    assert [(line["row"], line["reason"]) for line in got.lost] == [
        (2, frames.BOMB),
        (3, frames.BOMB),
    ]
    whole = gzip.compress(framed(request([call(1)])) + b"\0" * (64 << 20))
    packed = conserved(tmp_path, whole)
    assert [row["exchange_id"] for row in packed.rows] == ["x1"]


def test_encodings_that_are_wrong(tmp_path: Path) -> None:
    latin = call(1).SerializeToString() + field(
        9, field(1, b"gen_ai.prompt") + field(2, field(1, "caf\u00e9".encode("latin-1")))
    )
    got = conserved(tmp_path, framed(around(latin)))
    assert [row["prompt"] for row in got.rows] == ["caf\ufffd"]
    assert got.lines == []
    sixteen = '{"resourceSpans": []}\n'.encode("utf-16")
    assert conserved(tmp_path, sixteen, "log.jsonl").lost


def test_keys_that_come_twice(tmp_path: Path) -> None:
    twice = call(1)
    twice.attributes.add(key="user.id", value=any_value("eve"))
    (row,) = conserved(tmp_path, framed(request([twice]))).rows
    assert row["account"] == "eve"
    line = b'{"resourceSpans":[],"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}\n'
    assert conserved(tmp_path, line, "log.jsonl").lines == []


def test_metrics_are_passed_over_and_told(tmp_path: Path) -> None:
    made = ExportMetricsServiceRequest()
    metric = made.resource_metrics.add().scope_metrics.add().metrics.add(name="gen_ai.tokens")
    metric.gauge.data_points.add(as_int=3, time_unix_nano=TIME)
    got = conserved(tmp_path, framed(request([call(1)]), made.SerializeToString()))
    assert len(got.rows) == 1
    assert got.quarantine.skipped == {wire.NO_EXCHANGES: 1}


VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "gen_ai.request.model", "user.id", "gen_ai.input.messages", "gen_ai.output.messages",
        "gen_ai.response.finish_reasons", "error.type", "llm.input_messages.0.message.content",
        "llm.input_messages.x", "llm.input_messages.0", "openinference.span.kind", "llm.tools.0.tool",
        "llm.invocation_parameters", "input.value", "output.value", "gen_ai.prompt.99999.content",
        "client.address", "http.request.header.x-forwarded-for", "event.name",
    ]
)  # fmt: skip


def _with(made: Any, pairs: list[tuple[str, Any]]) -> Any:
    for key, value in pairs:
        added = made.attributes.add(key=key)
        if value is not None:
            added.value.CopyFrom(any_value(value))
    return made


PAIRS = st.lists(st.tuples(KEYS, VALUE | VALUE.map(json.dumps)), max_size=8)
SPANS = st.builds(
    lambda i, pairs, whole: _with(call(i) if whole else Span(trace_id=b"t" * 16), pairs),
    st.integers(0, 1000),
    PAIRS,
    st.booleans(),
)


@QUICK
@given(
    spans=st.lists(SPANS, max_size=6),
    logs=st.lists(st.tuples(st.sampled_from(["gen_ai.choice", "x", ""]), PAIRS), max_size=4),
)
def test_any_structure_is_a_row_in_quarantine_or_passed_over(
    tmp_path: Path, spans: list[Span], logs: list[tuple[str, list[tuple[str, Any]]]]
) -> None:
    other = ExportLogsServiceRequest()
    records = other.resource_logs.add().scope_logs.add().log_records
    for i, (name, pairs) in enumerate(logs):
        _with(
            records.add(time_unix_nano=TIME, event_name=name, span_id=struct.pack(">Q", i)), pairs
        )
    got = conserved(
        tmp_path, framed(request([call(10**6)]), request(spans), other.SerializeToString())
    )
    keys = {span.trace_id + span.span_id for span in spans if span.span_id}
    alone = sum(not span.span_id for span in spans)
    calls = len(keys) + alone + len(logs) + 1
    # Spans of one id are one call; all else is accounted for one by one.
    told = len(got.rows) + got.quarantine.count + sum(got.quarantine.skipped.values())
    assert calls <= told <= len(spans) + len(logs) + 1


@QUICK
@given(
    data=st.data(),
    spans=st.lists(SPANS, min_size=1, max_size=4),
    framing=st.sampled_from(["request", "varint", "4 bytes"]),
)
def test_damage_never_crashes_and_is_told(
    tmp_path: Path, data: st.DataObject, spans: list[Span], framing: str
) -> None:
    body = request([call(1), *spans])
    length = {"request": b"", "varint": varint(len(body)), "4 bytes": struct.pack(">I", len(body))}
    whole = bytearray(length[framing] + body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
        if kind == "flip":
            whole[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut" and at > 8:
            del whole[at:]
        else:
            whole[at:at] = data.draw(st.binary(max_size=6))
    conserved(tmp_path, bytes(whole), source=data.draw(st.sampled_from(["otel", "auto"])))


@QUICK
@given(cut=st.integers(1, 400))
def test_a_cut_keeps_what_is_before_it(tmp_path: Path, cut: int) -> None:
    bodies = [request([call(i)]) for i in range(4)]
    whole = framed(*bodies)
    kept = whole[: len(whole) - min(cut, len(whole) - len(bodies[0]) - 4)]
    got = conserved(tmp_path, kept)
    ends = [sum(len(body) + 4 for body in bodies[: n + 1]) for n in range(4)]
    assert len(got.rows) == sum(end <= len(kept) for end in ends)
    assert len(got.lost) == (len(kept) not in ends)
