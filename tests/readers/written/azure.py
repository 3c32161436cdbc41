"""Azure: API Management's two logs in one file, and the diagnostics of Azure OpenAI."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from written import Rows, Written
from written._shapes import chat_request, columns, lines, said
from written.canonical import json_lines_bare

_LOGGED = columns(
    """exchange_id time account client_address user_agent request_model system prompt response
    input_tokens output_tokens status stream"""
)
_DIAGNOSED = columns("exchange_id time account request_model status stream")
_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
_CHUNK = 32_768


def _tables(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        base = {"TimeGenerated": row["time"], "CorrelationId": row["exchange_id"]}
        llm = {**base, "Type": "ApiManagementGatewayLlmLog"}
        number = 1
        answer = row["response"]
        answered = [] if answer is None else [{"role": "assistant", "content": answer}]
        for name, value in (
            ("RequestMessages", chat_request(row)["messages"]),
            ("ResponseMessages", answered),
        ):
            text = orjson.dumps(value).decode()
            for at in range(0, len(text), _CHUNK) if value else ():
                yield {**llm, "SequenceNumber": number, name: text[at : at + _CHUNK]}
                number += 1
        yield {**llm, "SequenceNumber": 0} | said(
            PromptTokens=row["input_tokens"],
            CompletionTokens=row["output_tokens"],
            DeploymentName=row["request_model"],
            IsStreamCompletion=row["stream"],
        )
        yield {**base, "Type": "ApiManagementGatewayLogs", "ApiId": "openai"} | said(
            ApimSubscriptionId=row["account"],
            CallerIpAddress=row["client_address"],
            ResponseCode=row["status"],
            RequestHeaders=said(**{"User-Agent": row["user_agent"]}),
        )


def _diagnostics(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        stream = {True: "Streaming", False: "Non-Streaming"}.get(row["stream"])
        properties = said(
            requestTime=(row["time"] - _YEAR_ONE) // timedelta(microseconds=1) * 10,
            objectId=row["account"],
            modelDeploymentName=row["request_model"],
            streamType=stream,
        )
        yield {
            "category": "RequestResponse",
            "callerIpAddress": "203.0.113.***",
            "correlationId": row["exchange_id"],
            "properties": orjson.dumps(properties).decode(),
            "time": row["time"],
        } | said(resultSignature=None if row["status"] is None else str(row["status"]))


def _write_tables(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _tables(rows))


def _write_diagnostics(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _diagnostics(rows))


FORMATS = (
    Written("azure-apim", "azure-apim", _LOGGED, _write_tables, json_lines_bare),
    Written("azure-openai", "azure-openai", _DIAGNOSED, _write_diagnostics, json_lines_bare),
)
