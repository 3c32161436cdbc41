"""Bodies in an envelope of nobody's in particular, and described by a mapping."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from written import Rows, Written
from written._shapes import (
    anthropic_request,
    anthropic_response,
    chat_request,
    chat_response,
    chat_stream,
    columns,
    lines,
    said,
)
from written.canonical import json_lines_bare

_CARRIES = columns(
    """exchange_id time account organization credential client_address tls_fingerprint user_agent
    request_model system prompt response input_tokens output_tokens max_tokens status finish_reason
    temperature stream"""
)
_MAPPING = """
[fields]
exchange_id = "key.number"
time = "at"
account = "key.owner"
client_address = "from"
[chat]
request = "sent"
response = "got"
"""
_MAPPED = columns(
    """exchange_id time account client_address request_model system prompt response input_tokens
    output_tokens max_tokens finish_reason temperature stream"""
)


def _envelope(
    request: Callable[[dict[str, Any]], Any], response: Callable[[dict[str, Any]], Any]
) -> Callable[[Rows, Path], list[Path]]:
    def write(rows: Rows, folder: Path) -> list[Path]:
        return lines(
            folder,
            (
                said(
                    request_id=row["exchange_id"],
                    timestamp=row["time"],
                    account_id=row["account"],
                    organization=row["organization"],
                    key_id=row["credential"],
                    client_ip=row["client_address"],
                    ja4=row["tls_fingerprint"],
                    user_agent=row["user_agent"],
                    status_code=row["status"],
                    request_body=request(row),
                    response_body=response(row),
                )
                for row in rows
            ),
        )

    return write


def _as_text(body: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def text(row: dict[str, Any]) -> str | None:
        found = body(row)
        return None if found is None else orjson.dumps(found).decode()

    return text


def _mapped(rows: Rows, folder: Path) -> list[Path]:
    return lines(
        folder,
        (
            said(
                key={"number": row["exchange_id"], "owner": row["account"]},
                at=row["time"],
                sent=chat_request(row),
                got=chat_stream(row),
                **{"from": row["client_address"]},
            )
            for row in rows
        ),
    )


def _mapping(folder: Path) -> dict[str, Any]:
    path = folder.parent / "mine.toml"
    path.write_text(_MAPPING)
    return {"mapping": path}


FORMATS = (
    Written("bodies (chat completions)", "bodies", _CARRIES, _envelope(chat_request, chat_response),
            json_lines_bare),
    Written("bodies (event streams)", "bodies", _CARRIES, _envelope(chat_request, chat_stream),
            json_lines_bare),
    Written("bodies (messages)", "bodies", _CARRIES,
            _envelope(anthropic_request, anthropic_response), json_lines_bare),
    Written("bodies (messages, as text)", "bodies", _CARRIES,
            _envelope(_as_text(anthropic_request), _as_text(anthropic_response)), json_lines_bare),
    Written("mapping (bodies)", "mapping", _MAPPED, _mapped, json_lines_bare, _mapping),
)  # fmt: skip
