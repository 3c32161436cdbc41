"""LiteLLM: its logging payload, and rows of its table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from written import Rows, Written
from written._shapes import chat_request, chat_response, columns, lines, said
from written.canonical import json_lines_bare

_PAYLOAD = columns(
    """exchange_id time account organization credential client_address user_agent request_model
    system prompt response input_tokens output_tokens max_tokens status finish_reason temperature
    stream"""
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _status(row: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    if row["status"] == 200:
        return "success", {}
    failed = row["status"] is not None
    return ("failure", {"error_code": str(row["status"])}) if failed else (None, {})


def _payloads(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        status, error = _status(row)
        yield said(
            id=row["exchange_id"],
            litellm_call_id=f"call-{row['exchange_id']}",
            call_type="acompletion",
            startTime=(row["time"] - _EPOCH) / timedelta(seconds=1),
            model=row["request_model"] or "",
            metadata={
                "user_api_key_hash": row["credential"],
                "user_api_key_user_id": row["account"],
                "user_api_key_org_id": row["organization"],
            },
            requester_ip_address=row["client_address"],
            user_agent=row["user_agent"],
            messages=chat_request(row)["messages"],
            response=chat_response(row),
            model_parameters=said(temperature=row["temperature"], max_tokens=row["max_tokens"]),
            prompt_tokens=row["input_tokens"],
            completion_tokens=row["output_tokens"],
            stream=row["stream"],
            status=status,
            error_information=error,
        )


def _spend(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        status, error = _status(row)
        tags = [f"User-Agent: {row['user_agent']}"] if row["user_agent"] is not None else []
        answer = chat_response(row)
        yield said(
            request_id=row["exchange_id"],
            call_type="acompletion",
            api_key=row["credential"] or "",
            startTime=row["time"],
            model=row["request_model"] or "",
            user=row["account"],
            organization_id=row["organization"],
            requester_ip_address=row["client_address"],
            request_tags=orjson.dumps(tags).decode(),
            metadata=orjson.dumps({"status": status, "error_information": error}).decode(),
            messages="{}",
            proxy_server_request=orjson.dumps(chat_request(row)).decode(),
            response="{}" if answer is None else orjson.dumps(answer).decode(),
            prompt_tokens=row["input_tokens"],
            completion_tokens=row["output_tokens"],
        )


def _write_payloads(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _payloads(rows))


def _write_spend(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _spend(rows))


FORMATS = (
    Written("litellm (payload)", "litellm", _PAYLOAD, _write_payloads, json_lines_bare),
    Written("litellm (spend logs)", "litellm", _PAYLOAD, _write_spend, json_lines_bare),
)
