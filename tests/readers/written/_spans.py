"""Exchanges as spans: attributes of either vocabulary, and OTLP requests of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from written import Rows, turns

BATCH = 200
"""Spans in a request, about what an SDK sends at once."""

Attributes = dict[str, Any]
CARRIED = frozenset(
    {
        "exchange_id", "time", "account", "client_address", "tls_fingerprint", "user_agent",
        "request_model", "system", "prompt", "response", "input_tokens", "output_tokens",
        "max_tokens", "status", "finish_reason", "temperature", "stream",
    }
)  # fmt: skip


def genai(row: dict[str, Any]) -> Attributes:
    """OpenTelemetry's GenAI attributes, content as JSON in strings."""

    def parts(text: str) -> list[dict[str, str]]:
        return [{"type": "text", "content": text}]

    asked = [{"role": turn["role"], "parts": parts(turn["content"])} for turn in turns(row)]
    said = None
    if row["response"] is not None:
        said = [{"role": "assistant", "parts": parts(row["response"]), "finish_reason": "stop"}]
    reason = row["finish_reason"]
    return _shared(row) | {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "atlas",
        "gen_ai.request.model": row["request_model"],
        "gen_ai.response.id": row["exchange_id"],
        "gen_ai.request.max_tokens": row["max_tokens"],
        "gen_ai.request.temperature": row["temperature"],
        "gen_ai.request.stream": row["stream"],
        "gen_ai.usage.input_tokens": row["input_tokens"],
        "gen_ai.usage.output_tokens": row["output_tokens"],
        "gen_ai.response.finish_reasons": None if reason is None else [reason],
        "gen_ai.input.messages": orjson.dumps(asked).decode() if asked else None,
        "gen_ai.output.messages": orjson.dumps(said).decode() if said else None,
    }


def openinference(row: dict[str, Any]) -> Attributes:
    """OpenInference's attributes: messages spread over numbers."""
    settings = {
        "model": row["request_model"],
        "max_tokens": row["max_tokens"],
        "temperature": row["temperature"],
        "stream": row["stream"],
    }
    known = {name: value for name, value in settings.items() if value is not None}
    attributes = _shared(row) | {
        "openinference.span.kind": "LLM",
        "llm.model_name": row["request_model"],
        "llm.invocation_parameters": orjson.dumps(known).decode(),
        "llm.token_count.prompt": row["input_tokens"],
        "llm.token_count.completion": row["output_tokens"],
        "llm.finish_reason": row["finish_reason"],
        "llm.output_messages.0.message.content": row["response"],
    }
    if row["response"] is not None:
        attributes["llm.output_messages.0.message.role"] = "assistant"
    for i, turn in enumerate(turns(row)):
        attributes[f"llm.input_messages.{i}.message.role"] = turn["role"]
        attributes[f"llm.input_messages.{i}.message.content"] = turn["content"]
    return attributes


def _shared(row: dict[str, Any]) -> Attributes:
    return {
        "user.id": row["account"],
        "client.address": row["client_address"],
        "tls.client.ja4": row["tls_fingerprint"],
        "user_agent.original": row["user_agent"],
        "http.response.status_code": row["status"],
    }


def span_of(exchange_id: str) -> str:
    """Trace id and span id of an exchange, made from its id."""
    digest = hashlib.sha256(exchange_id.encode()).hexdigest()
    return f"{digest[:32]}:{digest[32:48]}"


def requests(
    rows: Rows, attributes: Callable[[dict[str, Any]], Attributes]
) -> Iterator[list[tuple[str, str, int, Attributes]]]:
    """Give batches of spans: trace id, span id, nanoseconds since 1970, attributes."""
    for start in range(0, len(rows), BATCH):
        batch = []
        for row in rows[start : start + BATCH]:
            trace, span = span_of(row["exchange_id"]).split(":")
            seconds = int(row["time"].timestamp())
            nanoseconds = (seconds * 1_000_000 + row["time"].microsecond) * 1000
            found = {k: v for k, v in attributes(row).items() if v is not None}
            batch.append((trace, span, nanoseconds, found))
        yield batch
