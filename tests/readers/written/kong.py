"""Kong's log with payloads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from written import Rows, Written
from written._shapes import chat_request, chat_response, columns, lines, said
from written.canonical import json_lines_bare

_CARRIES = columns(
    """exchange_id time account credential client_address user_agent request_model system prompt
    response input_tokens output_tokens max_tokens status finish_reason temperature stream"""
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _records(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        answer = chat_response(row)
        credential = (
            {"authenticated_entity": {"id": row["credential"]}} if row["credential"] else {}
        )
        yield {
            "service": {"host": "localhost"},
            "request": said(
                id=row["exchange_id"],
                method="POST",
                headers=said(**{"user-agent": row["user_agent"]}),
            ),
            "response": said(status=row["status"]),
            # Kong writes whole milliseconds; a fraction keeps the times apart here.
            "started_at": (row["time"] - _EPOCH) / timedelta(milliseconds=1),
            "consumer": {"custom_id": row["account"], "id": "c-1", "username": "u"},
            "ai": {
                "proxy": {
                    "meta": said(request_model=row["request_model"], provider_name="openai"),
                    "usage": said(
                        prompt_tokens=row["input_tokens"], completion_tokens=row["output_tokens"]
                    ),
                    "payload": said(
                        request=orjson.dumps(chat_request(row)).decode(),
                        response=None if answer is None else orjson.dumps(answer).decode(),
                    ),
                }
            },
        } | said(client_ip=row["client_address"] or "", **credential)


def _write(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _records(rows))


FORMATS = (Written("kong", "kong", _CARRIES, _write, json_lines_bare),)
