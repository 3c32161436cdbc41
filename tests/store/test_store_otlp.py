"""Receiving OTLP: what it answers, what it bounds, and what comes into the store."""

from __future__ import annotations

import gzip
import hashlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from made_logs import held
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from otlp_client import TIME, post, span, traces

from stillhunt.cli.receive import is_loopback, parsed
from stillhunt.errors import OutputError, UsageError
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.readers.otlp.checked import check_request
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.store.sources import otlp_spool
from stillhunt.store.sources.otlp import OtlpSource
from stillhunt.store.sources.otlp_http import Limits
from stillhunt.store.sources.otlp_spool import FullError, Spool, whole_end
from stillhunt.store.store import open_store

PROTOBUF = "application/x-protobuf"
FIXTURES = Path(__file__).parents[1] / "fixtures"


@contextmanager
def receiving(store: Path, seconds: float = 3600.0, **settings: Any) -> Iterator[int]:
    """A receiver at work, by its port; at the end everything is in the store."""
    options = settings.pop("options", ReadOptions())
    source = OtlpSource(("127.0.0.1", 0), store, options, threads=1, **settings)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            source.run(seconds, lambda _outcome: None)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield source.address[1]
    finally:
        source.stop()
        thread.join(60)
    if failed:
        raise failed[0]


def test_json_protobuf_and_gzip_come_into_the_store_once(tmp_path: Path) -> None:
    made = ExportTraceServiceRequest()
    added = (
        made.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=TIME)
    )
    for key, value in {
        "gen_ai.request.model": "m",
        "user.id": "ada",
        "gen_ai.response.id": "p1",
    }.items():
        pair = added.attributes.add(key=key)
        pair.value.string_value = value
    with receiving(tmp_path / "store") as port:
        body = traces([span(i) for i in range(3)])
        assert post(port, body)[:2] == (200, b"{}")
        assert post(port, body)[:2] == (200, b"{}")  # sent again, as after a lost answer
        packed = gzip.compress(traces([span(i) for i in range(3, 5)]))
        assert post(port, packed, headers={"Content-Encoding": "gzip"})[0] == 200
        assert post(port, made.SerializeToString(), kind=PROTOBUF)[:2] == (200, b"")
        # Its batch holds nothing, or nothing of calls.
        assert post(port, b"", kind=PROTOBUF)[:2] == (200, b"")
        assert post(port, b'{"resourceSpans":[]}')[:2] == (200, b"{}")
    assert held(tmp_path / "store").ids == ["p1", "x0", "x1", "x2", "x3", "x4"]
    state = open_store(tmp_path / "store").state
    assert [i.source for i in state.inputs] == ["otel"]
    spool = tmp_path / "store" / "spool" / "otlp"
    assert [path.name for path in spool.iterdir()] == [".lock"]


def test_content_on_events_is_joined_across_the_two_paths(tmp_path: Path) -> None:
    """As captured: the spans to /v1/traces, their content to /v1/logs, several requests."""
    data = (FIXTURES / "otel_genai" / "older-events-openai.otlp").read_bytes()
    with receiving(tmp_path / "store") as port:
        at = 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            body = data[at + 4 : at + 4 + size]
            at += 4 + size
            try:
                ExportLogsServiceRequest.FromString(body)
                path = "/v1/logs"
            except DecodeError:
                path = "/v1/traces"
            status, told, _ = post(port, body, path, PROTOBUF)
            assert (status, told) == (200, b"")
    rows = held(tmp_path / "store").rows
    assert len(rows) == 9
    assert sum(row["item"] is not None for row in rows.values()) == 8
    assert sum(row["response_bytes"] is not None for row in rows.values()) == 7


def _content(i: int) -> bytes:
    """What the older events say of a call, as a request of its own."""
    records = [
        {
            "traceId": f"{i:032x}",
            "spanId": f"{i + 1:016x}",
            "timeUnixNano": str(TIME),
            "eventName": name,
            "body": {
                "kvlistValue": {"values": [{"key": "content", "value": {"stringValue": text}}]}
            },
        }
        for name, text in (("gen_ai.user.message", f"asked {i}"), ("gen_ai.choice", f"said {i}"))
    ]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


@pytest.mark.parametrize("is_json", [True, False])
def test_what_comes_late_is_put_to_its_call(tmp_path: Path, is_json: bool) -> None:
    """A request about calls of a segment that settles and about new ones is divided."""

    def of(*calls: int) -> bytes:
        document = {"resourceSpans": [], "resourceLogs": []}
        for i in calls:
            document["resourceLogs"] += json.loads(_content(i))["resourceLogs"]
        if is_json:
            return json.dumps(document).encode()
        request = ExportLogsServiceRequest()
        for resource in document["resourceLogs"]:
            scope = request.resource_logs.add().scope_logs.add()
            for record in resource["scopeLogs"][0]["logRecords"]:
                made = scope.log_records.add(
                    trace_id=bytes.fromhex(record["traceId"]),
                    span_id=bytes.fromhex(record["spanId"]),
                    time_unix_nano=TIME,
                    event_name=record["eventName"],
                )
                pair = made.body.kvlist_value.values.add(key="content")
                pair.value.string_value = record["body"]["kvlistValue"]["values"][0]["value"][
                    "stringValue"
                ]
        return request.SerializeToString()

    def bare(i: int) -> bytes:
        return traces([span(i, **{"gen_ai.input.messages": None})])

    spool = Spool(tmp_path / "spool", 1 << 20)

    def send(data: bytes, plain: bool) -> None:
        spool.append(data, check_request(data, is_json=plain).keys, is_json=plain)

    send(bare(1), True)
    send(of(2), is_json)
    spool.turn()
    send(of(1, 3), is_json)  # 1 is late, 3 is early
    send(of(1, 3), is_json)  # and again, as after a lost answer
    send(bare(2), True)  # its content came before
    send(bare(3), True)
    spool.turn()
    (path,) = spool.closed()
    spool.close()
    for segment, calls in zip(spool.closed(), ((1, 2), (3,)), strict=True):
        with Quarantine(tmp_path / "quarantine.jsonl") as quarantine:
            reader = LogReader([segment], ReadOptions(source="otel"), quarantine)
            rows = [row for batch in reader for row in batch.exchanges.to_pylist()]
        assert quarantine.count == 0
        told = sorted((row["exchange_id"], row["prompt"], row["response"]) for row in rows)
        assert told == [(f"x{i}", f"asked {i}", f"said {i}") for i in calls]
    assert path == spool.closed()[0]


def test_bad_rows_are_counted_in_the_answer_and_told_in_the_quarantine(tmp_path: Path) -> None:
    good, nobody, early = span(1), span(2, **{"user.id": None}), span(3)
    early["startTimeUnixNano"] = "12"
    other = {"traceId": "a", "spanId": "b", "name": "SELECT", "attributes": []}
    body = traces([good, nobody, early, other])
    with receiving(tmp_path / "store") as port:
        status, told, _ = post(port, body)
        assert status == 200
        partial = json.loads(told)["partialSuccess"]
        assert partial["rejectedSpans"] == "2"
        assert "no account" in partial["errorMessage"] or "out of range" in partial["errorMessage"]
        made = ExportTraceServiceRequest()
        spans = made.resource_spans.add().scope_spans.add().spans
        spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=TIME).attributes.add(
            key="gen_ai.request.model"
        ).value.string_value = "m"
        status, told, _ = post(port, made.SerializeToString(), kind=PROTOBUF)
        assert ExportTraceServiceResponse.FromString(told).partial_success.rejected_spans == 1
    store = open_store(tmp_path / "store")
    assert held(tmp_path / "store").ids == ["x1"]
    lines = [
        json.loads(line)
        for name in store.state.quarantines
        for line in store.layout.quarantine(name).read_text().splitlines()
    ]
    lost = {(line["row"], line["reason"]) for line in lines if "skipped" not in line}
    assert lost == {(2, "no account"), (3, "time out of range"), (5, "no account")}


def test_a_segment_of_bad_rows_alone_does_not_stay(tmp_path: Path) -> None:
    with receiving(tmp_path / "store") as port:
        assert post(port, traces([span(1, **{"user.id": None})]))[0] == 200
    (refused,) = open_store(tmp_path / "store").state.inputs
    assert "no account" in refused.refused
    assert not list((tmp_path / "store" / "spool" / "otlp").glob("*.otlp"))


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (b"not json", {}, 400),
        (b"[]", {}, 400),
        (b"\x0a\xff\xff\xff", {"kind": PROTOBUF}, 400),
        (b"{}", {"kind": "text/plain"}, 415),
        (b"{}", {"path": "/v1/metrics"}, 404),
        (b"{}", {"headers": {"Content-Encoding": "br"}}, 415),
        (b"\x1f\x8bnot gzip", {"headers": {"Content-Encoding": "gzip"}}, 400),
        (gzip.compress(b"{}" * 50)[:-6], {"headers": {"Content-Encoding": "gzip"}}, 400),
        (gzip.compress(b"") * 65, {"headers": {"Content-Encoding": "gzip"}}, 400),
        (b"x" * 3000, {}, 413),
        (gzip.compress(b"x" * 9_000), {"headers": {"Content-Encoding": "gzip"}}, 413),
        (b"{}", {"headers": {"Content-Length": "-2"}}, 400),
    ],
)
def test_what_is_no_request_is_refused(
    tmp_path: Path, body: bytes, more: dict[str, Any], status: int
) -> None:
    with receiving(tmp_path / "store", limits=Limits(body=2000, unpacked=8000, seconds=2)) as port:
        got, told, _ = post(port, body, **more)
        assert got == status
        if more.get("kind") != PROTOBUF:
            assert status == 415 or json.loads(told)["message"]
        assert post(port, traces([span(1)]))[0] == 200  # and it goes on
    assert held(tmp_path / "store").ids == ["x1"]


def _raw(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(data)
        out = b""
        try:
            while part := connection.recv(65_536):
                out += part
        except OSError:
            pass
        return out


HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_bodies_in_chunks(tmp_path: Path) -> None:
    body = traces([span(1), span(2)])
    chunks = b"".join(
        b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:500], body[500:])
    )
    limits = Limits(body=4000, seconds=2)
    with receiving(tmp_path / "store", limits=limits) as port:
        assert _raw(port, CHUNKED + chunks + b"0\r\nX: y\r\n\r\n").startswith(b"HTTP/1.1 200")
        for bad in (b"zz\r\n", b"-1\r\n", b"5\r\nabcdefgh\r\n", b"fffffff\r\n", b"3e8\r\n" * 2):
            answer = _raw(port, CHUNKED + bad + b"0\r\n\r\n")
            assert not answer.startswith(b"HTTP/1.1 200"), bad
        both = HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        assert _raw(port, both).startswith(b"HTTP/1.1 400")
        assert _raw(port, HEAD + b"\r\n").startswith(b"HTTP/1.1 411")
        assert _raw(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 405")
        assert b"200" not in _raw(port, HEAD + b"Content-Length: 100\r\n\r\nhalf of")[:16]
    assert held(tmp_path / "store").ids == ["x1", "x2"]


def test_when_too_much_waits_clients_are_put_off_and_nothing_is_lost(tmp_path: Path) -> None:
    body = traces([span(i) for i in range(20)])
    with receiving(tmp_path / "store", spool_bytes=3 * len(body)) as port:
        answers = [post(port, traces([span(20 * n + i) for i in range(20)])) for n in range(6)]
    statuses = [status for status, _, _ in answers]
    assert statuses[0] == 200
    assert statuses[-1] == 503
    assert all(headers["Retry-After"] == "5" for status, _, headers in answers if status == 503)
    taken = {
        f"x{20 * n + i}" for n, status in enumerate(statuses) if status == 200 for i in range(20)
    }
    assert set(held(tmp_path / "store").ids) == taken


def test_too_many_connections_and_too_many_bytes_at_a_time(tmp_path: Path) -> None:
    limits = Limits(connections=2, together=5000, body=4000, seconds=2)
    with receiving(tmp_path / "store", limits=limits) as port:
        slow = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(2)]
        for connection in slow:
            connection.sendall(HEAD + b"Content-Length: 2500\r\n\r\n" + b"x" * 100)
        status, _, headers = _until(lambda: post(port, b"{}"), lambda got: got[0] == 503)
        assert headers["Retry-After"] == "1"
        slow[0].close()
        # One is left, and holds 2,500 bytes of the 5,000.
        _until(lambda: post(port, b"{}" + b" " * 100), lambda got: got[0] == 200)
        # The last answer's connection may not have ended yet.
        status, _, headers = _until(
            lambda: post(port, b"{}" + b" " * 3000), lambda got: got[0] != 503
        )
        assert (status, headers["Retry-After"]) == (429, "1")
        slow[1].close()
        _until(lambda: post(port, b"{}" + b" " * 3000), lambda got: got[0] == 200)


def _until(ask: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """Ask until the answer is as wanted; another thread may take a moment to see a client go."""
    got = None
    for _ in range(500):
        try:
            got = ask()
        except OSError:
            continue
        if done(got):
            return got
        threading.Event().wait(0.02)
    raise AssertionError(got)


def test_one_receiver_for_a_store_and_one_for_an_address(tmp_path: Path) -> None:
    with receiving(tmp_path / "store") as port:
        with pytest.raises(UsageError, match="Another process receives"):
            OtlpSource(("127.0.0.1", 0), tmp_path / "store", ReadOptions())
        with pytest.raises(OutputError, match="cannot be received"):
            OtlpSource(("127.0.0.1", port), tmp_path / "other", ReadOptions())
        OtlpSource(("127.0.0.1", 0), tmp_path / "other", ReadOptions())._spool.close()


def test_the_command_receives_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stillhunt", "ingest", "--store", str(tmp_path / "store")]
    received = subprocess.Popen(
        [*command, "--otlp", ":0", "--threads", "1"], stdout=subprocess.PIPE, text=True
    )
    assert received.stdout is not None
    try:
        first = received.stdout.readline()
        port = int(first.partition("127.0.0.1:")[2].partition("/")[0])
        assert post(port, traces([span(1), span(2)]))[0] == 200
        received.send_signal(signal.SIGTERM)
        told = received.stdout.read()
        assert received.wait(60) == 0
    finally:
        received.kill()
    assert "2 new exchanges" in told
    assert "Stopped. Of 2 records received, 0 were rejected" in told
    assert held(tmp_path / "store").ids == ["x1", "x2"]
    both = subprocess.run(
        [*command, "x.jsonl", "--otlp", ":0"], check=False, capture_output=True, text=True
    )
    assert both.returncode == 2
    assert "said twice" in both.stderr


def test_pseudonyms_and_nothing_clear_in_the_store(tmp_path: Path) -> None:
    options = ReadOptions(pseudonymiser=Pseudonymiser(hashlib.sha256(b"key").digest()))
    with receiving(tmp_path / "store", options=options) as port:
        assert post(port, traces([span(1)]))[0] == 200
    assert held(tmp_path / "store").rows["x1"]["account_name"].startswith("a_")
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            assert b"acct_1" not in path.read_bytes(), path


def test_a_spool_keeps_whole_requests_only(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 10_000)
    spool.append(b"first")
    spool.append(b"second one")
    (path,) = (tmp_path / "spool").glob("*.open")
    assert path.stat().st_mode & 0o077 == 0
    whole = path.read_bytes()
    spool.close()
    (path,) = (tmp_path / "spool").glob("*.otlp")
    path.rename(path.with_suffix(".open"))
    for cut in range(len(whole) + 1):
        path.with_suffix(".open").write_bytes(whole[:cut])
        expected = max(end for end in (0, 9, 23) if end <= cut)
        assert whole_end(path.with_suffix(".open")) == expected
    path.with_suffix(".open").write_bytes(whole[:9] + b"\0" * 500)  # a length kept, no content
    again = Spool(tmp_path / "spool", 10_000)
    assert [p.read_bytes() for p in again.closed()] == [whole[:9]]
    with pytest.raises(FullError):
        again.append(b"x" * 10_000)
    again.append(b"third")
    again.turn()
    again.turn()
    assert [p.name for p in again.closed()] == ["00000001.otlp", "00000002.otlp"]
    again.close()


def test_a_disk_that_refuses_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool", 10_000)
    spool.append(b"kept")

    def full(_handle: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(otlp_spool.os, "write", full)
        with pytest.raises(OutputError, match="No space left"):
            spool.append(b"lost")
    spool.append(b"more")  # room again
    spool.turn()
    spool.turn()
    assert [p.read_bytes() for p in spool.closed()] == [b"\0\0\0\4kept\0\0\0\4more"]

    spool.append(b"next")

    def broken(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(otlp_spool.os, "fsync", broken)
        with pytest.raises(OutputError):
            spool.append(b"unknown")
    assert spool.failed
    with pytest.raises(OutputError):  # what a failed sync left is unknown: nothing any more
        spool.append(b"refused")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:4318", ("127.0.0.1", 4318)),
        (":4318", ("127.0.0.1", 4318)),
        ("4318", ("127.0.0.1", 4318)),
        ("[::1]:4318", ("::1", 4318)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
    ],
)
def test_addresses(text: str, place: tuple[str, int]) -> None:
    assert parsed(text) == place
    assert is_loopback(place[0]) == (place[0] != "192.0.2.1")


@pytest.mark.parametrize("text", ["", "here", "host:99999", "::1:4318:x", "a b:"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        parsed(text)
