"""Bedrock, Kong, Azure, Cloudflare, and bodies in any envelope: what of which field becomes what."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from reader_logs import FIXTURES, json_lines, read

from stillhunt.errors import InputError, MissingExtraError
from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.streams import whole_body


def rows_of(tmp_path: Path, name: str, **options: Any) -> list[dict[str, Any]]:
    return read(tmp_path, FIXTURES / f"{name}.jsonl", **options).rows


def test_bedrock(tmp_path: Path) -> None:
    got = read(tmp_path, FIXTURES / "bedrock-from-documentation.jsonl")
    rows = {row["exchange_id"][-1]: row for row in got.rows}
    claude = rows["1"]
    assert claude["account"] == "arn:aws:sts::111122223333:assumed-role/customer-ada"
    assert claude["credential"] == "session-17"
    assert claude["response"] == 'Gas giants.\nJupiter.\n[tool call: look_up {"planet":"Jupiter"}]'
    assert (claude["stream"], claude["finish_reason"], claude["output_tokens"]) == (
        True,
        "stop",
        12,
    )
    converse = rows["2"]
    assert converse["system"] == 'You see.\n\n{"toolSpec":{"name":"classify"}}'
    assert converse["prompt"] == (
        'User: What is this?\n[image]\n\nAssistant: [tool call: classify {"n":1}]\n\n'
        'User: {"label":"cat"}'
    )
    assert converse["response"] == "Whiskers.\nA cat."
    assert (converse["max_tokens"], converse["temperature"], converse["status"]) == (300, 0.2, 200)
    titan, llama, streamed, mistral = (rows[i] for i in "3458")
    assert (titan["account"], titan["response"]) == (
        "arn:aws:iam::111122223333:user/bob",
        "The Nile.",
    )
    assert llama["account"].endswith("AWSReservedSSO_Dev_0a1b/eve@example.com")
    assert (llama["response"], llama["finish_reason"], llama["max_tokens"]) == (
        "Khartoum.",
        "stop",
        2048,
    )
    assert (streamed["response"], streamed["finish_reason"]) == ("One, two.", "length")
    assert mistral["response"] == "Porto."  # within an envelope of CloudWatch
    large, refused = rows["6"], rows["7"]
    assert (large["prompt"], large["response"], large["input_tokens"]) == (None, None, 90_000)
    assert (refused["status"], refused["finish_reason"]) == (429, "error")
    assert [(line["row"], line["reason"]) for line in got.kept] == [
        (6, "the request body is in S3 (inputBodyS3Path) and was not read"),
        (6, "the response body is in S3 (outputBodyS3Path) and was not read"),
    ]


def test_a_caller_cannot_split_himself_by_naming_sessions(tmp_path: Path) -> None:
    line = json.loads((FIXTURES / "bedrock-from-documentation.jsonl").read_text().splitlines()[1])
    lines = []
    for i in range(5):
        arn = f"arn:aws:sts::111122223333:assumed-role/path/customer-ada/session-{i}"
        lines.append({**line, "requestId": f"r{i}", "identity": {"arn": arn}})
    (tmp_path / "log.jsonl").write_bytes(json_lines(lines))
    got = read(tmp_path, tmp_path / "log.jsonl")
    assert len({row["account"] for row in got.rows}) == 1
    assert len({row["credential"] for row in got.rows}) == 5


def test_kong(tmp_path: Path) -> None:
    got = read(tmp_path, FIXTURES / "kong-from-documentation.jsonl")
    one, two, three = got.rows
    assert one["account"] == "cust-1815"
    assert one["time"] == datetime(2026, 1, 5, 9, 30, 1, 720_000, tzinfo=UTC)
    assert one["response"] == 'A gateway.\n[tool call: look_up {"what":"Kong"}]'
    assert (two["input_tokens"], two["output_tokens"], two["stream"]) == (28, 20, True)
    assert (three["request_model"], three["status"]) == ("atlas-4", 429)
    assert got.quarantine.skipped == {"requests that no AI plugin saw": 1}
    record = json.loads((FIXTURES / "kong-from-documentation.jsonl").read_text().splitlines()[0])
    record["request"]["headers"]["X-Forwarded-For"] = ["6.6.6.6", "198.51.100.9"]
    record["request"]["headers"].pop("x-forwarded-for")
    (tmp_path / "log.jsonl").write_bytes(json_lines([record]))
    for hops, address in ((0, "203.0.113.20"), (1, "198.51.100.9")):
        (row,) = read(tmp_path, tmp_path / "log.jsonl", trusted_hops=hops).rows
        assert row["client_address"] == address


def test_api_management(tmp_path: Path) -> None:
    got = read(tmp_path, FIXTURES / "azure-apim-from-documentation.jsonl")
    one, chunks, gateway = got.rows
    assert (one["account"], one["system"]) == ("sub-ada", "Short.\n\nPolite.")
    assert (one["input_tokens"], one["output_tokens"], one["finish_reason"]) == (14, 8, "stop")
    assert chunks["prompt"] == "A long message across two rows."
    assert (chunks["response"], chunks["input_tokens"]) == ("Seen whole.", 9)
    assert (gateway["prompt"], gateway["status"]) == ("test", 400)
    assert [(line["row"], line["reason"]) for line in got.lost] == [(13, "no account")]
    assert got.quarantine.skipped == {"gateway requests that are no model calls": 1}


def _llm(i: int, number: int, **more: Any) -> dict[str, Any]:
    return {
        "Type": "ApiManagementGatewayLlmLog", "TimeGenerated": "2026-01-05T09:30:00Z",
        "CorrelationId": f"c{i}", "SequenceNumber": number, **more,
    }  # fmt: skip


def _gateway(i: int) -> dict[str, Any]:
    return {
        "Type": "ApiManagementGatewayLogs", "TimeGenerated": "2026-01-05T09:30:00Z",
        "CorrelationId": f"c{i}", "ApimSubscriptionId": "s", "OperationId": "ChatCompletions_Create",
    }  # fmt: skip


def test_api_management_chunks_that_are_messages_of_their_own(tmp_path: Path) -> None:
    first = json.dumps([{"role": "user", "content": "a" * 30_000}])
    second = json.dumps([{"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}])
    rows = [_llm(1, 2, RequestMessages=second), _llm(1, 1, RequestMessages=first), _gateway(1)]
    (tmp_path / "log.jsonl").write_bytes(json_lines(rows))
    (row,) = read(tmp_path, tmp_path / "log.jsonl").rows
    assert row["prompt"] == f"User: {'a' * 30_000}b\n\nAssistant: c"


def test_api_managements_window_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillhunt.readers.formats.azure_apim._WINDOW", 10)
    asked = json.dumps([{"role": "user", "content": "q"}])
    rows = [row for i in range(50) for row in (_llm(i, 1, RequestMessages=asked), _gateway(i))]
    late = [_llm(60, 1, RequestMessages=asked), *rows, _gateway(60)]
    (tmp_path / "log.jsonl").write_bytes(json_lines(late))
    got = read(tmp_path, tmp_path / "log.jsonl")
    assert sum(row["prompt"] == "q" for row in got.rows) == 50
    assert [(line["row"], line["reason"]) for line in got.lost] == [(1, "no account")]
    many = [_llm(1, n, RequestMessages="x") for n in range(600)]
    (tmp_path / "log.jsonl").write_bytes(json_lines([*many, _gateway(1)]))
    got = read(tmp_path, tmp_path / "log.jsonl")
    assert len(got.lost) == 600 - 512


def test_azure_openai_diagnostics(tmp_path: Path) -> None:
    got = read(tmp_path, FIXTURES / "azure-openai-from-documentation.jsonl")
    one, two, three = got.rows[:3]
    # 639,031,945,815,394,150 ticks of 100 ns since the year 1
    assert one["time"] == datetime(2026, 1, 5, 7, 23, 1, 539_415, tzinfo=UTC)
    assert (one["account"], one["stream"]) == ("5f0c0000-aaaa-bbbb-cccc-000000000001", True)
    assert two["account"].endswith("/ACCOUNTS/OPENAI-01")
    assert two["stream"] is False
    assert three["time"] == datetime(2026, 1, 5, 12, 23, 2, 435_000, tzinfo=UTC)
    assert {row["client_address"] for row in got.rows} == {None}
    assert len(got.rows) == 5
    assert got.quarantine.skipped == {"diagnostics of other categories": 1}


def test_cloudflare_rest(tmp_path: Path) -> None:
    got = read(tmp_path, FIXTURES / "cloudflare-from-documentation.jsonl")
    assert [row["account"] for row in got.rows] == ["cust-7", "cust-7", "cust-8", "cust-7"]
    assert got.rows[1]["response"] == "Streamed."
    assert (got.rows[2]["status"], got.rows[2]["finish_reason"]) == (429, "error")
    assert [line["reason"] for line in got.lost] == ["no account"]


def _sealed(public: Any, value: Any) -> dict[str, str]:
    import os

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sha256, secret, iv = hashes.SHA256(), AESGCM.generate_key(256), os.urandom(12)
    parts = {
        "key": public.encrypt(secret, padding.OAEP(padding.MGF1(sha256), sha256, None)),
        "iv": iv,
        "data": AESGCM(secret).encrypt(iv, json.dumps(value).encode(), None),
    }
    return {"type": "encrypted"} | {k: base64.b64encode(v).decode() for k, v in parts.items()}


def test_cloudflare_logpush(tmp_path: Path) -> None:
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization

    def pem(key: Any) -> bytes:
        made: bytes = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        return made

    mine, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    asked = {"model": "atlas-4", "messages": [{"role": "user", "content": "Sealed?"}]}
    answered = {
        "id": "chatcmpl-1", "created": 1767605400, "choices": [{"message": {"content": "Opened."}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }  # fmt: skip
    clear = {"Gateway": "g", "Provider": "openai", "Model": "atlas-4", "StatusCode": 200}
    row = clear | {
        "Metadata": _sealed(mine.public_key(), {"user_id": "cust-1"}),
        "RequestBody": _sealed(mine.public_key(), asked),
        "ResponseBody": _sealed(mine.public_key(), answered),
    }
    tampered = json.loads(json.dumps(row))
    data = bytearray(base64.b64decode(tampered["RequestBody"]["data"]))
    data[0] ^= 1
    tampered["RequestBody"]["data"] = base64.b64encode(bytes(data)).decode()
    odd = row | {"RequestBody": {"key": 1, "iv": "*", "data": []}}
    (tmp_path / "log.jsonl").write_bytes(json_lines([row, tampered, odd]))
    (tmp_path / "key.pem").write_bytes(pem(mine))
    got = read(tmp_path, tmp_path / "log.jsonl", logpush_key=tmp_path / "key.pem")
    one, two, three = got.rows
    assert (one["account"], one["prompt"], one["response"]) == ("cust-1", "Sealed?", "Opened.")
    assert (one["exchange_id"], one["input_tokens"], one["status"]) == ("chatcmpl-1", 3, 200)
    assert one["time"] == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert two["prompt"] is three["prompt"] is None
    assert [(line["row"], line["reason"]) for line in got.kept] == [
        (2, "RequestBody cannot be opened: encrypted for another key, or damaged"),
        (3, "RequestBody cannot be opened: not base64"),
    ]
    with pytest.raises(InputError, match="no time"):
        read(tmp_path, tmp_path / "log.jsonl")
    told = (tmp_path / "quarantine.jsonl").read_text()
    assert "Metadata is encrypted and no --logpush-key was given" in told
    (tmp_path / "key.pem").write_bytes(pem(other))
    with pytest.raises(InputError):
        read(tmp_path, tmp_path / "log.jsonl", logpush_key=tmp_path / "key.pem")


def test_keys_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    log = FIXTURES / "cloudflare-from-documentation.jsonl"
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for content, told in ((b"no key", "no private key"), (curve, "not of RSA")):
        (tmp_path / "key.pem").write_bytes(content)
        with pytest.raises(InputError, match=told):
            read(tmp_path, log, logpush_key=tmp_path / "key.pem")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path, log, logpush_key=tmp_path / "nowhere.pem")


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(MissingExtraError, match="cryptography") as caught:
        read(
            tmp_path,
            FIXTURES / "cloudflare-from-documentation.jsonl",
            logpush_key=tmp_path / "key.pem",
        )
    assert "stillhunt[cloudflare]" in caught.value.remedy


def test_bodies(tmp_path: Path) -> None:
    one, two, three, four = rows_of(tmp_path, "bodies-as-gateways-store-them")
    assert (one["account"], one["credential"], one["organization"]) == ("cust-1", "key-1", "org-1")
    # A key that was logged in clear goes no further, and the caller's own user is nobody.
    assert two["account"] == two["credential"] != "sk-ant-api03-AAAABBBBCCCCDDDD"
    assert two["account"].startswith("key_")
    assert two["client_address"] == "203.0.113.51"
    assert two["prompt"] == "See\n[image]"
    assert three["account"] == "cust-3"
    assert three["prompt"] == 'User: Hello\n[image]\n\nAssistant: [tool call: f {"a":1}]\n\nTool: 2'
    assert (three["response"], three["output_tokens"]) == ("Bonjour", 2)
    assert (four["prompt"], four["response"], four["finish_reason"]) == (
        "Once upon",
        " a time",
        "length",
    )
    assert (four["account"], four["status"]) == ("cust-4", 200)


def test_a_bare_body_says_nothing_of_who_sent_it(tmp_path: Path) -> None:
    body = {
        "id": "x", "time": "2026-01-05T11:00:00Z", "model": "m", "user": "whoever I like",
        "metadata": {"account_id": "whoever I like"},
        "messages": [{"role": "user", "content": "Q"}],
    }  # fmt: skip
    path = tmp_path / "log.jsonl"
    path.write_bytes(json_lines([body, body | {"id": "y", "account_id": "known"}]))
    got = read(tmp_path, path)
    assert [row["account"] for row in got.rows] == ["known"]
    assert [line["reason"] for line in got.lost] == ["no account"]


@pytest.mark.parametrize(
    "mask", ["Bearer ***", "[REDACTED]", "sk-\u2026abcd", "<hidden for log>", "sk-1"]
)
def test_masked_keys_make_no_account(tmp_path: Path, mask: str) -> None:
    record = {
        "id": "x", "time": "2026-01-05T11:00:00Z", "headers": {"Authorization": mask},
        "request_body": {"model": "m", "messages": [{"role": "user", "content": "Q"}]},
    }  # fmt: skip
    (tmp_path / "log.jsonl").write_bytes(json_lines([record]))
    with pytest.raises(InputError, match="no account"):
        read(tmp_path, tmp_path / "log.jsonl")


def test_streams_and_whole_bodies_say_the_same() -> None:
    calls = [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]
    chunks = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"reasoning": "R"}}]},
        {"object": "chat.completion.chunk", "choices": [{"index": 1, "delta": {"content": "B"}}]},
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "A"}}]},
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": calls}}]},
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "function": {"arguments": ":1}"}}]}, "finish_reason": "tool_calls"}]},
        {"object": "chat.completion.chunk", "choices": [],
         "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
    ]  # fmt: skip
    whole = {
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "reasoning_content": "R",
                    "content": "A",
                    "tool_calls": [{"function": {"name": "f", "arguments": '{"a":1}'}}],
                },
            },
            {"index": 1, "message": {"content": "B"}},
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7},
    }
    text = "".join(f"event: x\r\ndata: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)
    want = response_fields(whole)
    assert want["response"] == 'R\nA\n[tool call: f {"a":1}]\n\nB'
    assert (
        response_fields(chunks)
        == response_fields(text)
        == response_fields(json.dumps(whole))
        == want
    )


def test_a_response_that_is_text_stays_text() -> None:
    assert whole_body("plain text, not JSON") == "plain text, not JSON"
    assert response_fields("data is what it says")["response"] == "data is what it says"
    assert request_fields("only a prompt") == {"system": None, "prompt": "only a prompt"}


def test_the_limits_of_every_api() -> None:
    for body in (
        {"max_tokens": 7}, {"max_completion_tokens": 7}, {"max_output_tokens": 7}, {"max_gen_len": 7},
        {"inferenceConfig": {"maxTokens": 7}}, {"textGenerationConfig": {"maxTokenCount": 7}},
        {"generationConfig": {"maxOutputTokens": 7}},
    ):  # fmt: skip
        assert request_fields(body)["max_tokens"] == 7
