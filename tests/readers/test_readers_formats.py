"""Each format: real captures, specifications, and what nobody specified."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_logs import FIXTURES, exchange, json_lines, read

from stillhunt.errors import InputError, UsageError
from stillhunt.readers import LogReader, Quarantine, ReadOptions, log_formats
from stillhunt.readers.messages import conversation, finish_reason, reply
from stillhunt.readers.otlp.reading import ORPHAN
from stillhunt.readers.registry import register

PAYLOAD = FIXTURES / "litellm_proxy" / "payload.jsonl"
SPEND = FIXTURES / "litellm_proxy" / "spend-logs.jsonl"
OTEL = FIXTURES / "otel-traces-from-specification.jsonl"


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The captures were made on a day that must not lie in the future of a slow clock."""
    moment = datetime(2027, 6, 1, tzinfo=UTC).timestamp()
    monkeypatch.setattr("stillhunt.readers.log_reader.time.time", lambda: moment)


def test_the_real_litellm_proxy(tmp_path: Path) -> None:
    got = read(tmp_path, PAYLOAD, trusted_hops=1)
    assert got.lines == []
    assert [file.source for file in got.reader.files] == ["litellm"]
    assert len(got.rows) == 12
    rows = {row["prompt"]: row for row in got.rows}
    first = rows["What is six times seven?"]
    assert first["account"] == "user-ada"
    assert first["organization"] == "org-lovelace"
    assert first["client_address"] == "203.0.113.7"
    assert first["user_agent"] == "OpenAI/Python 2.8.1"
    assert first["request_model"] == "atlas-4"
    assert first["response"] == "The answer is forty-two."
    assert (first["input_tokens"], first["output_tokens"], first["status"]) == (21, 7, 200)
    brief = rows["Hello?"]
    assert brief["system"] == "Be brief."
    assert brief["account"] == first["account"]
    assert brief["credential"] != first["credential"]
    streamed = rows["Tell of streams."]
    assert (streamed["stream"], streamed["response"]) == (True, "Streams flow slowly.")
    assert streamed["client_address"] == "203.0.113.8"
    weather = rows["Weather in Lisbon?"]
    assert weather["response"] == '[tool call: get_weather {"city":"Lisbon"}]'
    assert json.loads(weather["system"])["function"]["name"] == "get_weather"
    assert (weather["temperature"], weather["finish_reason"]) == (0.2, "tool_calls")
    assert weather["organization"] == "team-shop"
    turns = (
        'User: Weather in Lisbon?\n\nAssistant: [tool call: get_weather {"city":"Lisbon"}]'
        "\n\nTool: 22 degrees"
    )
    assert turns in rows
    assert rows["What is this?\n[image]"]["max_tokens"] == 64
    jobs = [rows["Nightly job 1"], rows["Nightly job 2"]]
    # The caller names an end user in the body; the account is still whom the key belongs to.
    assert jobs[0]["account"] == jobs[1]["account"] == jobs[0]["credential"]
    failed = rows["This one fails."]
    assert (failed["status"], failed["finish_reason"]) == (429, "error")
    assert rows["Dis bonjour."]["response"] == "Bonjour, dit le modele."
    assert rows["Dis bonjour."]["client_address"] == "2001:db8:1:2::3"
    assert "User: Hi\n\nAssistant: Yes?\n\nUser: Go on \u2713 \u4f60" in rows


def test_litellm_spend_logs_agree_with_the_payloads(tmp_path: Path) -> None:
    payload = {row["exchange_id"]: row for row in read(tmp_path, PAYLOAD).rows}
    spend = read(tmp_path, SPEND)
    assert spend.lines == []
    assert len(spend.rows) == 11
    for row in spend.rows:
        want = payload[row["exchange_id"]]
        for name in set(row) - {"stream"}:
            assert row[name] == want[name], name


@pytest.mark.parametrize("container", ["csv", "parquet"])
def test_litellm_spend_logs_in_tables(tmp_path: Path, container: str) -> None:
    rows = [json.loads(line) for line in SPEND.read_text().splitlines()]
    path = tmp_path / f"spend.{container}"
    if container == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        for row in rows:
            row["startTime"] = datetime.fromisoformat(row["startTime"])
        table = pa.Table.from_pylist(rows)
        i = table.schema.get_field_index("startTime")
        times = table["startTime"].cast(pa.timestamp("ns", tz="UTC"))
        pq.write_table(table.set_column(i, "startTime", times), path)
    got = read(tmp_path, path)
    assert [file.source for file in got.reader.files] == ["litellm"]
    assert got.rows == read(tmp_path, SPEND).rows
    assert got.places == list(range(1, 12))


def test_opentelemetry(tmp_path: Path) -> None:
    got = read(tmp_path, OTEL)
    assert [file.source for file in got.reader.files] == ["otel"]
    rows = {row["account"]: row for row in got.rows}
    assert sorted(rows) == [f"user-{i}" for i in range(1, 6)]
    one = rows["user-1"]
    assert one["exchange_id"] == "resp-1"
    assert one["time"] == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert one["system"] == "Be brief."
    assert one["prompt"] == "Weather in Paris?"
    assert one["response"] == '[tool call: get_weather {"city":"Paris"}]'
    assert (one["input_tokens"], one["output_tokens"], one["max_tokens"]) == (30, 9, 512)
    assert (one["client_address"], one["user_agent"]) == ("203.0.113.5", "sdk/1.0")
    assert (one["status"], one["finish_reason"], one["temperature"]) == (200, "tool_calls", 0.5)
    two = rows["user-2"]
    assert two["exchange_id"] == "6b8efff798038103d269b633813fc60c:fff19b7ec3c1b174"
    assert (two["system"], two["prompt"], two["response"]) == ("S", "old style", "old answer")
    assert (two["input_tokens"], two["status"], two["finish_reason"]) == (7, 429, "error")
    three = rows["user-3"]
    assert (three["exchange_id"], three["prompt"]) == ("resp-3", "structured question\n[image]")
    assert (three["response"], three["finish_reason"]) == ("structured answer", "stop")
    assert rows["user-4"]["prompt"] == "only an event"
    five = rows["user-5"]
    assert (five["prompt"], five["response"]) == ("event question", "event answer")
    (lost,) = got.lost
    assert (lost["row"], lost["reason"]) == (8, ORPHAN)
    assert got.quarantine.skipped == {
        "spans that are no model calls": 2,
        "log records that are no model calls": 1,
    }


def test_opentelemetry_window_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillhunt.readers.otlp.calls.WINDOW", 10)

    def span(i: int) -> dict[str, Any]:
        pairs = {"gen_ai.request.model": "m", "user.id": f"u{i}", "gen_ai.response.id": f"r{i}"}
        attributes = [{"key": k, "value": {"stringValue": v}} for k, v in pairs.items()]
        inner = {
            "traceId": "t",
            "spanId": str(i),
            "startTimeUnixNano": "1767323045000000000",
            "attributes": attributes,
        }
        return {"resourceSpans": [{"scopeSpans": [{"spans": [inner]}]}]}

    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines([span(i) for i in range(100)]))
    got = read(tmp_path, path, batch_rows=20)
    assert [row["account"] for row in got.rows] == [f"u{i}" for i in range(100)]
    assert len(got.batches) == 5


MAPPING = """
[fields]
exchange_id = "request.id"
time = { path = "at", unit = "ms" }
account = ["auth.customer", 'headers."x.customer"']
client_address = 'headers."x-forwarded-for"'
request_model = { constant = "atlas-4" }
status = { path = "ok", values = { true = 200, false = 500 } }
input_tokens = "usage.0"

[chat]
input = "body.messages"
tools = "body.tools"
output = "answer"
"""


def test_mapping_of_ones_own_format(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(MAPPING)
    body = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]}
    rows = [
        {
            "request": {"id": 7},
            "at": 1767323045000,
            "auth": {"customer": "c1"},
            "headers": {"x-forwarded-for": "6.6.6.6, 203.0.113.9:4711, 10.0.0.1"},
            "ok": True,
            "usage": [12, 13],
            "body": json.dumps(body),
            "answer": {"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]},
        },
        {"request": {"id": 8}, "at": 1767323045000, "headers": {"x.customer": "c2"}, "ok": False},
        {"request": {"id": 9}, "at": "noon", "auth": {"customer": "c1"}},
    ]
    path = tmp_path / "own.jsonl"
    path.write_bytes(json_lines(rows))
    got = read(tmp_path, path, source="mapping", mapping=tmp_path / "own.toml", trusted_hops=2)
    one, two = got.rows
    assert one["exchange_id"] == "7"
    assert one["time"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (one["account"], one["client_address"]) == ("c1", "203.0.113.9")
    assert (one["system"], one["prompt"], one["response"]) == ("S", "Q", "A")
    assert (one["status"], one["input_tokens"], one["request_model"]) == (200, 12, "atlas-4")
    assert one["finish_reason"] == "stop"
    assert (two["account"], two["status"], two["prompt"]) == ("c2", 500, None)
    assert [(line["row"], line["reason"]) for line in got.lost] == [(3, "time unreadable")]
    assert read(tmp_path, path, mapping=tmp_path / "own.toml").reader.files[0].source == "mapping"


def test_mapping_with_a_time_format(tmp_path: Path) -> None:
    text = """
[fields]
exchange_id = "id"
account = "who"
time = { path = "at", format = "%d/%m/%Y %H:%M", zone = "Europe/Paris" }
"""
    (tmp_path / "own.toml").write_text(text)
    (tmp_path / "own.csv").write_text("id,who,at\n1,ada,02/01/2026 04:04\n2,bob,2026\n")
    got = read(tmp_path, tmp_path / "own.csv", mapping=tmp_path / "own.toml")
    assert [row["time"] for row in got.rows] == [datetime(2026, 1, 2, 3, 4, tzinfo=UTC)]
    assert got.lost[0]["row"] == 2
    (tmp_path / "other.csv").write_text("id,user,at\n1,ada,02/01/2026 04:04\n")
    with pytest.raises(InputError, match=r"fields\.account = 'who'"):
        read(tmp_path, tmp_path / "other.csv", source="mapping", mapping=tmp_path / "own.toml")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[fields", "no valid TOML"),
        ("[field]\na = 1", "field is unknown"),
        ('[fields]\naccnt = "a"', r"fields\.accnt is unknown"),
        ('[fields]\naccount = "a"\ntime = "t"', r"fields\.exchange_id is missing"),
        ("[fields]\naccount = 3", r"fields\.account must be"),
        ('[fields]\naccount = "a..b"', r"fields\.account has an empty step"),
        ("[fields]\naccount = 'a.\"b'", r"fields\.account has an unclosed quote"),
        ('[fields]\naccount = { path = "a", unit = "ms" }', r"fields\.account\.unit belongs"),
        ('[fields]\ntime = { path = "a", unit = "h" }', r"fields\.time\.unit must be"),
        ('[fields]\ntime = { path = "a", zone = "Mars/X" }', r"fields\.time\.zone"),
        ("[fields]\ntime = { unit = 's' }", r"fields\.time needs either path or constant"),
        ('[chat]\ninputs = "a"', r"chat\.inputs is unknown"),
    ],
)
def test_mapping_errors_name_the_key(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    (tmp_path / "log.jsonl").write_bytes(json_lines([exchange(1)]))
    with pytest.raises(InputError, match=named):
        read(tmp_path, tmp_path / "log.jsonl", source="mapping", mapping=tmp_path / "own.toml")


def test_sources(tmp_path: Path) -> None:
    assert set(log_formats()) >= {"canonical", "litellm", "otel", "mapping"}
    (tmp_path / "log.jsonl").write_bytes(json_lines([exchange(1)]))
    with pytest.raises(UsageError, match="no source 'gong'") as caught:
        read(tmp_path, tmp_path / "log.jsonl", source="gong")
    assert all(name in caught.value.remedy for name in ("auto", *log_formats()))
    with pytest.raises(UsageError, match="needs a mapping"):
        read(tmp_path, tmp_path / "log.jsonl", source="mapping")


def test_a_format_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stillhunt.readers import formats, registry

    (tmp_path / "newcomer.py").write_text(
        "from stillhunt.readers.registry import LogFormat, Mapper, register\n"
        "class Lines(Mapper):\n"
        "    def feed(self, row, record):\n"
        "        found = {'time': record['when'], 'account': record['who']}\n"
        "        yield row, {'exchange_id': row, **found}\n"
        "@register\n"
        "class Newcomer(LogFormat):\n"
        "    name, summary = 'newcomer', 'a test'\n"
        "    def sniff(self, sample):\n"
        "        return float(any('who' in r for r in sample.records))\n"
        "    def mapper(self, file):\n"
        "        return Lines()\n"
    )
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    log_formats.cache_clear()
    try:
        (tmp_path / "log.jsonl").write_bytes(json_lines([{"who": "a", "when": 1767323045}]))
        got = read(tmp_path, tmp_path / "log.jsonl")
        assert got.reader.files[0].source == "newcomer"
        assert got.rows[0]["account"] == "a"
    finally:
        log_formats.cache_clear()
    assert callable(register)


def test_canonical_csv(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "exchange_id,time,account,prompt,status,stream\n"
        'x1,2026-01-02T03:04:05Z,a,"two\nlines, ""quoted""",200,true\n'
        "x2,2026-01-02T03:04:05Z,a,short\n"
        "x3,1767323045,b,,,\n"
    )
    got = read(tmp_path, path)
    assert [row["exchange_id"] for row in got.rows] == ["x1", "x3"]
    assert got.rows[0]["prompt"] == 'two\nlines, "quoted"'
    assert (got.rows[0]["status"], got.rows[0]["stream"]) == (200, True)
    assert got.rows[1]["status"] is None
    assert [line["row"] for line in got.lost] == [2]
    assert got.places == [1, 3]


def test_messages_of_other_apis() -> None:
    responses_input = [
        {"role": "developer", "content": "D"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Q"}]},
        {"type": "function_call", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "output": "42"},
    ]
    system, prompt = conversation(responses_input)
    assert system == "D"
    assert prompt == "User: Q\n\nAssistant: [tool call: f {}]\n\nTool: 42"
    anthropic = [
        {"role": "user", "content": [{"type": "tool_result", "content": [{"text": "R"}]}]},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "g", "input": {"a": 1}}]},
    ]
    system, prompt = conversation(anthropic, instructions="I")
    assert (system, prompt) == ("I", 'User: R\n\nAssistant: [tool call: g {"a":1}]')
    output = {"output": [{"type": "reasoning", "summary": [{"text": "hm"}]}, {"content": "A"}]}
    assert reply(output) == "hm\n\nA"
    assert reply({"choices": [{"text": "T", "finish_reason": "length"}]}) == "T"
    assert finish_reason({"choices": [{"finish_reason": "length"}]}) == "length"
    assert conversation([{"role": "assistant", "content": "alone"}])[1] == "Assistant: alone"
    assert conversation({}) == (None, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "parts", "text", "body", "name"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def _with(keys: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    values = JSON | JSON.map(json.dumps)
    return st.dictionaries(st.sampled_from(keys), values, max_size=len(keys))


LITELLM = _with(
    [
        "id",
        "litellm_call_id",
        "call_type",
        "startTime",
        "metadata",
        "model",
        "messages",
        "response",
        "status",
        "request_tags",
        "model_parameters",
        "error_information",
        "proxy_server_request",
        "user",
        "end_user",
        "api_key",
    ]
)
ATTRIBUTES = [
    "gen_ai.request.model",
    "user.id",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "error.type",
    "gen_ai.tool.definitions",
    "gen_ai.response.finish_reasons",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
]
ANY = st.one_of(
    JSON,
    st.builds(lambda v: {"stringValue": v}, JSON | JSON.map(json.dumps)),
    st.builds(lambda v: {"arrayValue": {"values": v}}, JSON),
    st.builds(lambda v: {"kvlistValue": {"values": v}}, JSON),
    st.builds(lambda v: {"intValue": v}, JSON),
)
SPAN = st.builds(
    lambda pairs, rest: {**rest, "attributes": pairs},
    st.lists(st.builds(lambda k, v: {"key": k, "value": v}, st.sampled_from(ATTRIBUTES), ANY)),
    _with(["traceId", "spanId", "startTimeUnixNano", "events", "status", "body", "eventName"]),
)
OTLP = st.one_of(
    st.builds(lambda v: {"resourceSpans": v}, JSON),
    st.builds(lambda s: {"resourceSpans": [{"scopeSpans": [{"spans": [s]}]}]}, SPAN),
    st.builds(lambda s: {"resourceLogs": [{"scopeLogs": [{"logRecords": [s]}]}]}, SPAN),
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=st.lists(LITELLM | OTLP, max_size=5), source=st.sampled_from(["litellm", "otel"]))
def test_nested_rubbish_never_crashes(
    tmp_path: Path, records: list[dict[str, Any]], source: str
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines(records))
    with Quarantine(tmp_path / "quarantine.jsonl") as quarantine:
        rows = 0
        try:
            reader = LogReader([path], ReadOptions(source=source), quarantine)
            rows = sum(len(batch.rows) for batch in reader)
        except InputError:
            pass
        if source == "litellm":
            assert rows + quarantine.count == len(records)


def test_the_example_in_the_documentation_works(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    (tmp_path / "mine.toml").write_text(
        page.partition("### A format of your own")[2].partition("```toml\n")[2].partition("```")[0]
    )
    row = {
        "request": {"id": "r1"},
        "received": 1767323045000,
        "auth": {"key": {"owner": "ada", "id": "k1"}},
        "http": {"headers": {"x-forwarded-for": "203.0.113.7"}},
        "ok": False,
        "usage": {"in": 3, "out": 4},
        "body": {"system": "S", "messages": [{"role": "user", "content": "Q"}]},
        "answer": "A",
    }
    (tmp_path / "log.jsonl").write_bytes(json_lines([row]))
    (got,) = read(tmp_path, tmp_path / "log.jsonl", mapping=tmp_path / "mine.toml").rows
    assert (got["account"], got["credential"], got["status"]) == ("ada", "k1", 500)
    assert (got["system"], got["prompt"], got["response"]) == ("S", "Q", "A")
    assert (got["client_address"], got["output_tokens"]) == ("203.0.113.7", 4)
