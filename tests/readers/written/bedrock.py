"""Bedrock's model-invocation log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from written import Rows, Written
from written._shapes import (
    anthropic_events,
    anthropic_request,
    anthropic_response,
    columns,
    lines,
    said,
)
from written.canonical import json_lines_bare

_CARRIES = columns(
    """exchange_id time account request_model system prompt response input_tokens output_tokens
    max_tokens status finish_reason temperature stream"""
)


def _records(rows: Rows, streamed: bool) -> Iterator[dict[str, Any]]:
    for row in rows:
        body = anthropic_events(row) if streamed else anthropic_response(row)
        operation = {True: "InvokeModelWithResponseStream", False: "InvokeModel"}
        yield {
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
            "timestamp": row["time"],
            "accountId": "111111111111",
            "identity": {"arn": row["account"]},
            "region": "us-east-1",
            "requestId": row["exchange_id"],
            "modelId": row["request_model"] or "",
            "input": said(
                inputContentType="application/json",
                inputBodyJson=anthropic_request(row | {"stream": None}),
                inputTokenCount=row["input_tokens"],
            ),
            "output": said(outputBodyJson=body, outputTokenCount=row["output_tokens"]),
        } | said(status=row["status"], operation=operation.get(row["stream"]))


def _write(rows: Rows, folder: Path, *, streamed: bool) -> list[Path]:
    return lines(folder, _records(rows, streamed))


FORMATS = tuple(
    Written(name, "bedrock", _CARRIES, partial(_write, streamed=streamed), json_lines_bare)
    for name, streamed in (("bedrock", False), ("bedrock (streamed)", True))
)
