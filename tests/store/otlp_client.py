"""Requests of spans, and a client that sends them."""

from __future__ import annotations

import http.client
import json
from typing import Any

TIME = 1_767_323_045_000_000_000


def span(i: int, **more: Any) -> dict[str, Any]:
    """A span of a call, of account ``acct_(i % 7)``; more attributes by key, None leaves one out."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "atlas-4",
        "gen_ai.response.id": f"x{i}",
        "user.id": f"acct_{i % 7}",
        "client.address": f"203.0.113.{i % 200}",
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": f"question {i}"}]),
    } | more
    return {
        "traceId": f"{i:032x}",
        "spanId": f"{i + 1:016x}",
        "startTimeUnixNano": str(TIME + i * 10**9),
        "attributes": [
            {"key": key, "value": {"stringValue": value}}
            for key, value in attributes.items()
            if value is not None
        ],
    }


def traces(spans: list[dict[str, Any]]) -> bytes:
    """A request as JSON."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def post(
    port: int,
    body: bytes,
    path: str = "/v1/traces",
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes, dict[str, str]]:
    """Send one request; status, body and headers of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": kind, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()
