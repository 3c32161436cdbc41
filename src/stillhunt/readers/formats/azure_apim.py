"""Azure API Management: its LLM log, joined with its gateway log where both are in one file.

Of one call the LLM log has several rows: tokens and model in one, prompt and completion in others,
each in chunks of 32 kB where they are long, numbered in ``SequenceNumber``. The gateway log has who
called, and from where. All share a correlation id. They are put together within a window of some
thousand calls of one file. Read as tables of Log Analytics (``TimeGenerated``, ...) and as
diagnostic settings write them to storage and Event Hubs (``time``, ``properties``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.headers import forwarded_or, header
from stillhunt.readers.nested import decoded, first, mapping, text
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import (
    BadRecordError,
    Fields,
    LogFormat,
    Mapper,
    Opened,
    Switch,
    filled,
    register,
)

_WINDOW = 4096
_WINDOW_BYTES = 32 << 20
_ROW_BYTES = 512
_PIECES = 512
"""Chunks of one message, at most: API Management logs no more than 2 MB of it."""

_LLM_NAMES = frozenset({"sequencenumber", "requestmessages", "responsemessages", "modelname"})
_GATEWAY_NAMES = frozenset({"apimsubscriptionid", "backendurl", "apiid", "responsecode"})
_CALLS = ("completion", "/responses", "/messages", "embeddings")
_KINDS = {"ApiManagementGatewayLlmLog": "llm", "ApiManagementGatewayLogs": "gateway"}
_FULL = 28_000
"""Characters from which a chunk may have been cut within a message."""


@register
class ApiManagement(LogFormat):
    """ApiManagementGatewayLlmLog and ApiManagementGatewayLogs."""

    name = "azure-apim"
    summary = "Azure API Management's LLM log, with its gateway log in the same file"
    columns = filled(
        carried="""
            exchange_id time account client_address user_agent request_model input_tokens
            output_tokens status finish_reason stream
        """,
        derived="system prompt response",
    )
    switches = (
        Switch(
            ("system", "prompt", "response"),
            "Enable Log LLM messages, prompts and completions, in the API's Azure Monitor settings.",
        ),
        Switch(
            ("account", "client_address", "status"),
            "Export ApiManagementGatewayLogs to the same file, ordered by time: who called is there "
            "(ApimSubscriptionId), not in the LLM log. Require a subscription for the API.",
        ),
        Switch(
            ("user_agent",),
            "Log the request header User-Agent (and X-Forwarded-For) in the API's Azure Monitor "
            "settings.",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of rows, or the columns, that have the names of either table."""
        if sample.container != "json lines":
            names = {name.lower() for name in sample.columns}
            return 0.95 if "correlationid" in names and len(names & _LLM_NAMES) >= 2 else 0.0
        if not sample.records:
            return 0.0
        known = sum(
            any(_kind(row) is not None for row in _rows(record)) for record in sample.records
        )
        return 0.94 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return a mapper with a window of its own."""
        return _ApimMapper(file, self.options.trusted_hops)


@dataclass
class _Call:
    """What is known of one call so far; names in lower case."""

    row: int
    size: int = 0
    llm: dict[str, Any] = field(default_factory=dict)
    gateway: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[Any, Any]] = field(default_factory=list)
    answered: list[tuple[Any, Any]] = field(default_factory=list)


class _ApimMapper(Mapper):
    def __init__(self, file: Opened, trusted_hops: int) -> None:
        self._file = file
        self._trusted_hops = trusted_hops
        self._window: OrderedDict[str, _Call] = OrderedDict()
        self._held = 0
        wanted = file.settler.wanted
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Take a row of either table; give the calls that fell out of the window."""
        for item in _rows(record):
            kind = _kind(item)
            if kind is None:
                raise BadRecordError("a row of neither the LLM log nor the gateway log")
            known = text(item.get("correlationid"))
            if known is None:
                raise BadRecordError("no correlation id")
            self._take(row, known, kind, item)
        while len(self._window) > _WINDOW or self._held > _WINDOW_BYTES:
            yield from self._release()

    def flush(self) -> Iterator[tuple[int, Fields]]:
        """Give the calls still in the window."""
        while self._window:
            yield from self._release()

    def _take(self, row: int, known: str, kind: str, item: dict[str, Any]) -> None:
        call = self._window.setdefault(known, _Call(row))
        size = _ROW_BYTES
        if kind == "gateway":
            call.gateway |= {name: value for name, value in item.items() if value is not None}
            size += _length(item.get("requestbody")) + _length(item.get("responsebody"))
        else:
            number = item.get("sequencenumber")
            for name, pieces in (
                ("requestmessages", call.asked),
                ("responsemessages", call.answered),
            ):
                piece = item.pop(name, None)
                if piece not in (None, "", []):
                    if len(pieces) >= _PIECES:
                        raise BadRecordError(f"more than {_PIECES} chunks of one message")
                    pieces.append((number, piece))
                    size += _length(piece)
            for name, value in item.items():  # rows of messages have zeros for the tokens
                if value is not None and value != "" and (value != 0 or name not in call.llm):
                    call.llm[name] = value
        call.size += size
        self._held += size

    def _release(self) -> Iterator[tuple[int, Fields]]:
        known, call = self._window.popitem(last=False)
        self._held -= call.size
        gateway, llm = call.gateway, call.llm
        if not llm and not call.asked and not _asks_a_model(gateway):
            reason = "gateway requests that are no model calls"
            self._file.settler.quarantine.skip(self._file.name, reason)
            return
        headers = mapping(gateway.get("requestheaders"))
        body = first(gateway.get("requestbody"), gateway.get("backendrequestbody"))
        asked = request_fields(body, text=self._text) if body is not None else {}
        body = first(gateway.get("responsebody"), gateway.get("backendresponsebody"))
        answered = response_fields(body, text=self._text) if body is not None else {}
        if self._text and call.asked:
            asked |= request_fields({"messages": _joined(call.asked)})
        if call.answered:
            found = response_fields(_answer(_joined(call.answered)), text=self._text)
            answered |= {name: value for name, value in found.items() if value is not None}
        yield (
            call.row,
            {
                **asked,
                **answered,
                "exchange_id": known,
                "time": first(gateway.get("time"), llm.get("time")),
                "account": first(
                    text(gateway.get("apimsubscriptionid")), text(gateway.get("userid"))
                ),
                "client_address": forwarded_or(
                    headers, gateway.get("calleripaddress"), self._trusted_hops
                ),
                "user_agent": header(headers, "user-agent"),
                "request_model": first(
                    llm.get("deploymentname"), llm.get("modelname"), asked.get("request_model")
                ),
                "input_tokens": first(llm.get("prompttokens"), answered.get("input_tokens")),
                "output_tokens": first(llm.get("completiontokens"), answered.get("output_tokens")),
                "status": gateway.get("responsecode"),
                "stream": first(llm.get("isstreamcompletion"), asked.get("stream")),
            },
        )


def _rows(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give rows with names in lower case, those of ``properties`` among them."""
    batch = record.get("records")
    for item in batch if isinstance(batch, list) else (record,):
        if not isinstance(item, dict):
            continue
        row = {_lower(name): value for name, value in item.items()}
        if "properties" in row and (inner := mapping(row.pop("properties"))):
            row |= {_lower(name): value for name, value in inner.items()}
        row["time"] = first(
            row.get("timegenerated"), row.get("timegenerated [utc]"), row.get("time")
        )
        yield row


@lru_cache(maxsize=1024)
def _lower(name: str) -> str:
    return name.lower()


def _kind(row: Mapping[str, Any]) -> str | None:
    """Return ``llm``, ``gateway``, or None for a row of neither table."""
    if (kind := _KINDS.get(str(row.get("type")))) is not None:
        return kind
    said = f"{row.get('category')} {row.get('type')}".lower()
    if "gatewayllmlog" in said:
        return "llm"
    if "gatewaylogs" in said:
        return "gateway"
    if "correlationid" not in row:
        return None
    if len(row.keys() & _LLM_NAMES) >= 2:
        return "llm"
    return "gateway" if len(row.keys() & _GATEWAY_NAMES) >= 2 else None


def _asks_a_model(gateway: Mapping[str, Any]) -> bool:
    where = f"{gateway.get('operationid')} {gateway.get('backendurl')} {gateway.get('url')}".lower()
    return any(word in where for word in _CALLS)


def _joined(pieces: list[tuple[Any, Any]]) -> Any:
    """Put chunks together by their numbers: of one JSON text, or of messages cut in two."""
    pieces = sorted(pieces, key=lambda piece: _number(piece[0]))
    values = [value for _, value in pieces]
    if len(values) == 1:
        return decoded(values[0])
    if all(isinstance(value, str) for value in values):
        whole = decoded("".join(values))
        if not isinstance(whole, str):
            return whole
    messages: list[Any] = []
    cut = False
    for value in values:
        part = decoded(value)
        items = list(part) if isinstance(part, list) else [part]
        if cut and items and _continues(messages[-1], items[0]):
            whole = str(messages[-1]["content"]) + str(items.pop(0)["content"])
            messages[-1] = {**messages[-1], "content": whole}
        messages += items
        cut = bool(messages) and _length(value) >= _FULL
    return messages


def _continues(one: Any, two: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(two, dict)
        and one.get("role") == two.get("role")
        and isinstance(one.get("content"), str)
        and isinstance(two.get("content"), str)
    )


def _answer(value: Any) -> Any:
    """Return messages of a completion as a body; a whole body as it is."""
    if isinstance(value, list) and all(
        isinstance(item, dict) and ("role" in item or "content" in item) for item in value
    ):
        reasons = [item.get("finish_reason") for item in value if item.get("finish_reason")]
        choices = [{"message": item} for item in value]
        return {"choices": choices, "finish_reason": reasons[0] if reasons else None}
    return value


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else 0


def _length(value: Any, depth: int = 0) -> int:
    if isinstance(value, str):
        return len(value)
    if depth > 8:
        return 0
    if isinstance(value, list):
        return sum(_length(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return sum(_length(item, depth + 1) for item in value.values())
    return 8
