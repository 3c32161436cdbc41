"""What several formats write alike: bodies of the known APIs, and lines of JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

_ANTHROPIC = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def columns(names: str) -> frozenset[str]:
    """A set of the names in a text."""
    return frozenset(names.split())


def lines(folder: Path, records: Iterable[Any], name: str = "log.jsonl") -> list[Path]:
    """Write records as lines of JSON."""
    path = folder / name
    with path.open("wb") as file:
        for record in records:
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    return [path]


def said(**values: Any) -> dict[str, Any]:
    """Leave out what is not known."""
    return {name: value for name, value in values.items() if value is not None}


def anthropic_request(row: dict[str, Any]) -> dict[str, Any]:
    """The request body of Anthropic's messages."""
    asked = [] if row["prompt"] is None else [{"role": "user", "content": row["prompt"]}]
    return {"messages": asked} | said(
        model=row["request_model"],
        system=row["system"],
        max_tokens=row["max_tokens"],
        temperature=row["temperature"],
        stream=row["stream"],
    )


def anthropic_response(row: dict[str, Any]) -> dict[str, Any] | None:
    """The response body of Anthropic's messages."""
    if row["response"] is None and row["finish_reason"] is None:
        return None
    content = [] if row["response"] is None else [{"type": "text", "text": row["response"]}]
    usage = said(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"])
    reason = _ANTHROPIC.get(row["finish_reason"], row["finish_reason"])
    return {
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": reason,
        "usage": usage,
    }


def anthropic_events(row: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The same response as it is streamed, some characters an event."""
    body = anthropic_response(row)
    if body is None:
        return None
    usage = body["usage"]
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": body | {"content": [], "stop_reason": None}}
    ]
    text = row["response"]
    if text is not None:
        block = {"type": "text", "text": ""}
        events.append({"type": "content_block_start", "index": 0, "content_block": block})
        events += [
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": text[at : at + 40]},
            }
            for at in range(0, len(text), 40)
        ]
        events.append({"type": "content_block_stop", "index": 0})
    delta = {"stop_reason": body["stop_reason"]}
    events.append({"type": "message_delta", "delta": delta, "usage": usage})
    return [*events, {"type": "message_stop"}]


def chat_request(row: dict[str, Any]) -> dict[str, Any]:
    """The request body of OpenAI's chat completions."""
    system = [] if row["system"] is None else [{"role": "system", "content": row["system"]}]
    asked = [] if row["prompt"] is None else [{"role": "user", "content": row["prompt"]}]
    return {"messages": system + asked} | said(
        model=row["request_model"],
        max_tokens=row["max_tokens"],
        temperature=row["temperature"],
        stream=row["stream"],
    )


def chat_response(row: dict[str, Any]) -> dict[str, Any] | None:
    """The response body of OpenAI's chat completions."""
    if row["response"] is None and row["finish_reason"] is None:
        return None
    message = {"role": "assistant", "content": row["response"]}
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": row["finish_reason"]}],
        "usage": said(prompt_tokens=row["input_tokens"], completion_tokens=row["output_tokens"]),
    }


def chat_stream(row: dict[str, Any]) -> str | None:
    """The same response as an event stream."""
    body = chat_response(row)
    if body is None:
        return None
    text = row["response"] or ""
    deltas: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": text[at : at + 40]}}]}
        for at in range(0, len(text), 40)
    ]
    last = {"index": 0, "delta": {}, "finish_reason": row["finish_reason"]}
    deltas += [{"choices": [last]}, {"choices": [], "usage": body["usage"]}]
    events = ({"object": "chat.completion.chunk"} | delta for delta in deltas)
    return (
        "".join(f"data: {orjson.dumps(event).decode()}\n\n" for event in events)
        + "data: [DONE]\n\n"
    )
