"""Cloudflare AI Gateway: logs of its REST API, and what Logpush delivers.

REST: rows of ``/ai-gateway/gateways/{id}/logs``, one a line or in the ``result`` of a page; bodies,
which the API gives one by one, are read where an export has put them under ``request`` and
``response`` (or ``request_body``, ``request_head`` and so on). Logpush: metadata and bodies are
encrypted for a key of the operator's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.nested import decoded, first, mapping, text
from stillhunt.readers.options import ReadOptions
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
from stillhunt.readers.sealed import Opener, SealedFieldError, is_sealed

_REST = frozenset({"id", "created_at", "provider", "model"})
_REST_TOO = frozenset({"tokens_in", "tokens_out", "cached", "step", "success"})
_PUSHED = frozenset({"Gateway", "Provider", "Model", "RequestBody"})
# Metadata is what the operator's own service sends in the header cf-aig-metadata.
_ACCOUNTS = (
    "account", "account_id", "accountId", "user_id", "userId", "user", "customer_id", "customerId",
    "customer", "tenant", "api_key_id",
)  # fmt: skip
_ORGANIZATIONS = ("organization", "organization_id", "org_id", "orgId", "org", "team_id", "team")
_ADDRESSES = ("client_address", "client_ip", "clientIp", "ip")
_AGENTS = ("user_agent", "userAgent")
_REQUESTS = ("request", "request_body", "request_head")
_RESPONSES = ("response", "response_body", "response_head")
_TIMES = ("Datetime", "Timestamp", "CreatedAt", "EdgeStartTimestamp", "EventTimestamp")
_IDS = ("Id", "ID", "LogId", "EventId", "RayID")


@register
class Cloudflare(LogFormat):
    """Cloudflare AI Gateway."""

    name = "cloudflare"
    summary = "Cloudflare AI Gateway's logs, from its REST API or from Logpush"
    columns = filled(
        carried="""
            exchange_id time account organization client_address user_agent request_model input_tokens
            output_tokens max_tokens status temperature stream
        """,
        derived="system prompt response finish_reason",
    )
    switches = (
        Switch(
            ("account", "organization", "client_address", "user_agent"),
            "Send them in the header cf-aig-metadata, as account, organization, client_ip and "
            "user_agent: Cloudflare logs none of them by itself.",
        ),
        Switch(
            ("system", "prompt", "response"),
            "Leave cf-aig-collect-log-payload at true, and export bodies too: REST gives them one by "
            "one, Logpush encrypts them (--logpush-key KEY.pem).",
        ),
    )

    def __init__(self, options: ReadOptions) -> None:
        super().__init__(options)
        self._opener = Opener(options.logpush_key) if options.logpush_key is not None else None

    def sniff(self, sample: Sample) -> float:
        """By the share of rows, or the columns, that have the names of either."""
        if sample.container != "json lines":
            names = set(sample.columns)
            return 0.9 if names >= _REST and len(names & _REST_TOO) >= 2 else 0.0
        if not sample.records:
            return 0.0
        known = sum(
            any(_is_rest(row) or row.keys() >= _PUSHED for row in _rows(record))
            for record in sample.records
        )
        return 0.93 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper of both shapes."""
        return _CloudflareMapper(file, self._opener)


class _CloudflareMapper(Mapper):
    def __init__(self, file: Opened, opener: Opener | None) -> None:
        self._file = file
        self._opener = opener
        wanted = file.settler.wanted
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one row, or those of one page."""
        for call in _rows(record):
            if call.keys() >= _PUSHED:
                yield row, self._pushed(row, call)
            elif "id" in call or "created_at" in call:
                yield row, self._rest(call)
            else:
                raise BadRecordError("a row of neither the REST API nor Logpush")

    def _rest(self, call: Mapping[str, Any]) -> Fields:
        asked = first(*(call.get(name) for name in _REQUESTS))
        answered = first(*(call.get(name) for name in _RESPONSES))
        fields = self._said(asked, answered, mapping(call.get("metadata")))
        success = call.get("success")
        return fields | {
            "exchange_id": call.get("id"),
            "time": call.get("created_at"),
            "request_model": first(call.get("model"), fields.get("request_model")),
            "input_tokens": first(call.get("tokens_in"), fields.get("input_tokens")),
            "output_tokens": first(call.get("tokens_out"), fields.get("output_tokens")),
            "status": call.get("status_code"),
            "finish_reason": fields.get("finish_reason") or ("error" if success is False else None),
        }

    def _pushed(self, row: int, call: Mapping[str, Any]) -> Fields:
        metadata, asked, answered = (
            self._open(row, name, call.get(name))
            for name in ("Metadata", "RequestBody", "ResponseBody")
        )
        body = mapping(answered)
        fields = self._said(asked, answered, mapping(metadata))
        return fields | {
            "exchange_id": first(*(call.get(name) for name in _IDS), body.get("id"), _name(call)),
            "time": first(*(call.get(name) for name in _TIMES), body.get("created")),
            "request_model": first(call.get("Model"), fields.get("request_model")),
            "input_tokens": first(call.get("TokensIn"), fields.get("input_tokens")),
            "output_tokens": first(call.get("TokensOut"), fields.get("output_tokens")),
            "status": call.get("StatusCode"),
        }

    def _open(self, row: int, name: str, value: Any) -> Any:
        if not is_sealed(value):
            return decoded(value)
        told = f"{name} is encrypted"
        if self._opener is not None:
            try:
                return decoded(self._opener.open(value))
            except SealedFieldError as error:
                told = f"{name} cannot be opened: {error.args[0]}"
        else:
            told += " and no --logpush-key was given"
        self._file.settler.quarantine.note(self._file.name, row, told)
        return None

    def _said(self, asked: Any, answered: Any, metadata: Mapping[str, Any]) -> Fields:
        return {
            **request_fields(asked, text=self._text),
            **response_fields(answered, text=self._text),
            "account": _of(metadata, _ACCOUNTS),
            "organization": _of(metadata, _ORGANIZATIONS),
            "client_address": _of(metadata, _ADDRESSES),
            "user_agent": _of(metadata, _AGENTS),
        }


def _rows(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    page = record.get("result")
    for item in page if isinstance(page, list) else (record,):
        if isinstance(item, dict):
            yield item


def _is_rest(row: Mapping[str, Any]) -> bool:
    return row.keys() >= _REST and len(row.keys() & _REST_TOO) >= 2


def _of(metadata: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        if name in metadata:
            found = metadata[name]
            if found != "" and type(found) in (str, int):
                return found
    return None


def _name(call: Mapping[str, Any]) -> str | None:
    """Return a name for a row that has none: of its request's wrapped key, which is never used twice."""
    key = text(mapping(call.get("RequestBody")).get("key"))
    return f"logpush-{blake2b(key.encode(), digest_size=16).hexdigest()}" if key else None
