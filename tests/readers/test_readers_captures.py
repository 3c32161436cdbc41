"""What real producers wrote, captured by ``make captures``: instrumented clients, and Envoy."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from reader_logs import FIXTURES, Read, json_lines, read

from stillhunt.readers.formats.envoy import NO_CALL, NO_CALLER, client_of

CLIENTS = sorted(
    path for producer in FIXTURES.glob("otel_*") for path in producer.glob("*.jsonl")
)  # fmt: skip
ENVOY = FIXTURES / "envoy"


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The captures were made on a day that must not lie in the future of a slow clock."""
    moment = datetime(2027, 6, 1, tzinfo=UTC).timestamp()
    monkeypatch.setattr("stillhunt.readers.log_reader.time.time", lambda: moment)


def _plain(got: Read) -> list[dict[str, Any]]:
    return sorted(got.rows, key=lambda row: row["exchange_id"])


def _tight(text: str) -> str:
    """Arguments of tools are as the client wrote them, with spaces or without."""
    return text.replace('": "', '":"')


@pytest.mark.parametrize("path", CLIENTS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_protobuf_says_what_json_says(tmp_path: Path, path: Path) -> None:
    lines, binary = read(tmp_path, path), read(tmp_path, path.with_suffix(".otlp"))
    assert lines.lost == binary.lost == []
    assert _plain(lines) == _plain(binary)
    source = "openinference" if "openinference" in path.parent.name else "otel"
    assert {got.reader.files[0].source for got in (lines, binary)} == {source}
    assert lines.quarantine.skipped == binary.quarantine.skipped


@pytest.mark.parametrize("path", CLIENTS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_instrumented_client(tmp_path: Path, path: Path) -> None:
    rows = read(tmp_path, path).rows
    assert {row["account"] for row in rows} == {"user-ada"}
    assert {row["client_address"] for row in rows} == {"203.0.113.7"}
    assert {row["user_agent"] for row in rows} == {"OpenAI/Python 2.8.1"}
    (failed,) = [row for row in rows if row["request_model"] == "atlas-broken"]
    assert failed["finish_reason"] == "error"
    assert failed["response"] is None
    answered = [row for row in rows if row["response"] is not None]
    assert len(answered) == (6 if "anthropic" in path.stem else len(rows) - 2)
    assert all(row["input_tokens"] > 0 and row["output_tokens"] > 0 for row in answered)
    if "anthropic" in path.stem:
        assert {row["request_model"] for row in answered} == {"atlas-5"}
        assert {row["max_tokens"] for row in rows} == {64}
        prompts = [row["prompt"] for row in rows]
        assert prompts.count("Dis bonjour.") == 5
        assert "What is this?\n[image]" in prompts
        (tools,) = [row for row in rows if "[tool call" in (row["response"] or "")]
        assert _tight(tools["response"]) == '[tool call: get_weather {"city":"Lisbon"}]'
        assert "Weather of a city" in tools["system"]
        (brief,) = [row for row in rows if row["system"] == "Be brief."]
        assert brief["response"] == "Bonjour, dit le modele."
        assert sum(row["response"] == "Streams flow slowly." for row in rows) == 1
        (after,) = [p for p in prompts if p and "\n\n" in p]
        assert _tight(after).startswith(
            'User: Dis bonjour.\n\nAssistant: [tool call: get_weather {"city":"Lisbon"}]'
        )
        assert after.endswith("22 degrees")
        return
    models = {row["request_model"] for row in rows}
    embedding = "embed" if "openinference" in path.parent.name else "atlas-embed"
    assert models == {"atlas-4", "atlas-broken", embedding}
    hello = [row for row in rows if row["prompt"] == "Hello?"]
    assert [(row["system"], row["max_tokens"], row["temperature"]) for row in hello] == [
        ("Be brief.", 64, 0.2)
    ]
    (streamed,) = [row for row in rows if row["response"] == "Streams flow slowly."]
    assert (streamed["input_tokens"], streamed["output_tokens"]) == (11, 3)
    turns = (
        'User: Weather in Lisbon?\n\nAssistant: [tool call: get_weather {"city":"Lisbon"}]'
        "\n\nTool: 22 degrees"
    )
    prompts = [row["prompt"] for row in rows]
    assert turns in [p and _tight(p) for p in prompts]
    calls = [row["response"] for row in rows if "[tool call" in (row["response"] or "")]
    assert [_tight(call) for call in calls] == ['[tool call: get_weather {"city":"Lisbon"}]']


def test_content_that_a_span_lacks_is_found_where_the_instrumentation_put_it(
    tmp_path: Path,
) -> None:
    """The same calls of one client, its content on events, on the details event, on the span."""
    told = {
        name: sorted(
            (row["prompt"] or "", row["response"] or "")
            for row in read(tmp_path, FIXTURES / "otel_genai" / f"{name}-openai.jsonl").rows
        )
        for name in ("older-events", "details-event", "span")
    }
    assert told["details-event"] == told["span"]
    # The newer shapes leave the picture's message out.
    assert ("What is this?\n[image]", "The answer is forty-two.") in told["older-events"]


@pytest.mark.parametrize("name", ["access.jsonl", "access-older-names.jsonl"])
def test_the_real_envoy(tmp_path: Path, name: str) -> None:
    got = read(tmp_path, ENVOY / name)
    assert [file.source for file in got.reader.files] == ["envoy"]
    assert got.lost == []
    assert got.quarantine.skipped == {NO_CALL: 1, NO_CALLER: 1}
    assert [row["account"] for row in got.rows] == ["user-ada", "user-ada", *["user-bob"] * 3]
    assert [row["status"] for row in got.rows] == [200, 200, 200, 429, 200]
    assert {row["client_address"] for row in got.rows} == {"127.0.0.1"}
    assert [row["request_model"] for row in got.rows] == [
        "atlas-4", "atlas-4", "atlas-4", "atlas-broken", "atlas-embed",
    ]  # fmt: skip
    assert (got.rows[0]["input_tokens"], got.rows[0]["output_tokens"]) == (21, 7)
    assert got.rows[0]["time"].year >= 2026
    prints = [row["tls_fingerprint"] for row in got.rows]
    if name == "access.jsonl":
        assert prints[0] == prints[1] != prints[2] == prints[4]
        assert prints[0].startswith("t13")
        assert prints[2].startswith("t12")
    else:
        assert prints == [None] * 5
    # One proxy of the operator's own: the entry before the one that Envoy appended.
    behind = read(tmp_path, ENVOY / name, trusted_hops=1)
    assert [row["client_address"] for row in behind.rows] == [None, "203.0.113.7", None, None, None]


@pytest.mark.parametrize(
    ("forwarded", "peer", "hops", "client"),
    [
        ("6.6.6.6, 203.0.113.7,10.0.0.1", "10.0.0.1:5", 0, "10.0.0.1"),
        ("6.6.6.6, 203.0.113.7,10.0.0.1", None, 0, "6.6.6.6, 203.0.113.7,10.0.0.1"),
        ("6.6.6.6, 203.0.113.7,10.0.0.1", "10.0.0.1:5", 1, "6.6.6.6, 203.0.113.7"),
        ("203.0.113.7,10.0.0.1", "10.0.0.1:5", 2, None),
        ("10.0.0.1", "10.0.0.1:5", 1, None),
        (None, "10.0.0.1:5", 1, "10.0.0.1"),
        ({"a": 1}, 7, 0, None),
    ],
)
def test_envoy_s_own_entry_is_not_the_client(
    forwarded: Any, peer: Any, hops: int, client: str | None
) -> None:
    assert client_of(forwarded, peer, hops) == client


def test_envoy_s_fields_under_names_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[fields]\naccount = "claims.sub"\ntls_fingerprint = "ja4h"\norganization = "company"\n'
    )
    rows = [
        json.loads(line) | {"claims": '{"sub":"ada"}', "company": "lovelace", "ja4h": "t13d"}
        for line in (ENVOY / "access.jsonl").read_text().splitlines()
    ]
    for row in rows:
        row.pop("x-user-id")
    rows[0]["response_code"] = 0
    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines(rows))
    got = read(tmp_path, path, source="envoy", mapping=tmp_path / "mine.toml")
    assert {(row["account"], row["organization"], row["tls_fingerprint"]) for row in got.rows} == {
        ("ada", "lovelace", "t13d")
    }
    assert got.rows[0]["status"] is None
    assert got.rows[1]["input_tokens"] == 21
