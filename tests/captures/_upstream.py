"""A model's API as OpenAI and Anthropic serve it, on this machine, for real clients to talk to.

Its answers are made up, their ids count, so that captures differ as little as can be.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_numbers = itertools.count(1)


@contextmanager
def upstream() -> Iterator[str]:
    """Serve, and give the address: http://127.0.0.1:PORT."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "broken" in body["model"]:
            error = {"type": "rate_limit_error", "message": "Slow down.", "code": "rate_limited"}
            self._json(429, {"type": "error", "error": error})
        elif self.path.endswith("/messages"):
            if body.get("stream"):
                self._events(message_events(body), done=False)
            else:
                self._json(200, message(body))
        elif self.path.endswith("/responses"):
            self._json(200, response(body))
        elif self.path.endswith("/embeddings"):
            self._json(200, embedding())
        elif body.get("stream"):
            self._events(completion_chunks(body), done=True)
        else:
            self._json(200, completion(body))

    def _json(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _events(self, events: list[tuple[str | None, dict[str, Any]]], *, done: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for name, data in events:
            head = "" if name is None else f"event: {name}\n"
            self.wfile.write(f"{head}data: {json.dumps(data)}\n\n".encode())
        if done:
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True


def _id(prefix: str) -> str:
    return f"{prefix}-capture-{next(_numbers):04d}"


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's chat completion."""
    answer: dict[str, Any] = {"role": "assistant", "content": "The answer is forty-two."}
    reason = "stop"
    if body.get("tools"):
        call = {"name": "get_weather", "arguments": '{"city":"Lisbon"}'}
        answer["content"] = None
        answer["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
        reason = "tool_calls"
    return {
        "id": _id("chatcmpl"),
        "object": "chat.completion",
        "created": 1_767_323_045,
        "model": f"{body['model']}-2026",
        "choices": [{"index": 0, "message": answer, "finish_reason": reason}],
        "usage": {"prompt_tokens": 21, "completion_tokens": 7, "total_tokens": 28},
    }


def completion_chunks(body: dict[str, Any]) -> list[tuple[str | None, dict[str, Any]]]:
    """The same, streamed."""
    base = {
        "id": _id("chatcmpl"),
        "object": "chat.completion.chunk",
        "created": 1_767_323_045,
        "model": f"{body['model']}-2026",
    }
    chunks: list[tuple[str | None, dict[str, Any]]] = []
    for word in ("Streams ", "flow ", "slowly."):
        choice = {"index": 0, "delta": {"role": "assistant", "content": word}}
        chunks.append((None, {**base, "choices": [{**choice, "finish_reason": None}]}))
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    return [*chunks, (None, {**base, "choices": [end]}),
            (None, {**base, "choices": [], "usage": usage})]  # fmt: skip


def response(body: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's response."""
    text = {"type": "output_text", "text": "A response, it says.", "annotations": []}
    return {
        "id": _id("resp"),
        "object": "response",
        "created_at": 1_767_323_045,
        "status": "completed",
        "model": f"{body['model']}-2026",
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [text],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 14,
        },
    }


def message(body: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's message."""
    content: list[dict[str, Any]] = [{"type": "text", "text": "Bonjour, dit le modele."}]
    reason = "end_turn"
    if body.get("tools"):
        call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather"}
        content = [{**call, "input": {"city": "Lisbon"}}]
        reason = "tool_use"
    return {
        "id": _id("msg"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 6},
    }


def message_events(body: dict[str, Any]) -> list[tuple[str | None, dict[str, Any]]]:
    """The same, streamed."""
    begun = message(body) | {"content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
    ]
    for word in ("Streams ", "flow ", "slowly."):
        delta = {"type": "text_delta", "text": word}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    events += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    return [(event["type"], event) for event in events]


def embedding() -> dict[str, Any]:
    """OpenAI's embeddings."""
    return {
        "object": "list",
        "model": "embed",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }
