"""Bodies of OpenAI's and Anthropic's APIs in any gateway's envelope, by the names usual for it.

A record holds a request body, and mostly the response to it: as objects, as JSON in strings, as
lists of stream chunks or the text of an event stream. Who, when and from where is looked for under
the names that gateways use; where yours has others, a mapping names them (``[chat]`` with
``request`` and ``response``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.headers import forwarded_or, header
from stillhunt.readers.nested import decoded, first, mapping
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
from stillhunt.readers.streams import whole_body

_REQUESTS = ("request_body", "requestBody", "RequestBody", "req_body", "request", "req", "body")
_RESPONSES = (
    "response_body",
    "responseBody",
    "ResponseBody",
    "res_body",
    "response",
    "res",
    "output",
)
_TURNS = ("messages", "input", "prompt", "contents")
_IDS = ("id", "request_id", "requestId", "log_id", "event_id", "call_id", "trace_id", "traceId")
_TIMES = (
    "time", "timestamp", "@timestamp", "created_at", "createdAt", "started_at", "startedAt",
    "start_time", "startTime", "request_time", "requested_at", "ts", "date",
)  # fmt: skip
_ACCOUNTS = (
    "account", "account_id", "accountId", "customer_id", "customerId", "customer", "user_id", "userId",
    "user", "consumer_id", "consumer", "tenant_id", "tenant", "subject", "sub", "principal",
)  # fmt: skip
_ORGANIZATIONS = (
    "organization", "organization_id", "organizationId", "organisation", "org_id", "orgId", "team_id",
)  # fmt: skip
_CREDENTIALS = (
    "credential", "api_key_id", "apiKeyId", "key_id", "keyId", "api_key_hash", "key_hash",
    "virtual_key",
)  # fmt: skip
_ADDRESSES = (
    "client_address", "client_ip", "clientIp", "ip", "ip_address", "ipAddress", "remote_addr",
    "remote_address", "remoteAddress", "source_ip", "requester_ip_address",
)  # fmt: skip
_AGENTS = ("user_agent", "userAgent", "user-agent", "http_user_agent")
_FINGERPRINTS = ("tls_fingerprint", "ja4", "ja3", "ja4_fingerprint")
_STATUSES = (
    "status",
    "status_code",
    "statusCode",
    "response_status",
    "responseStatus",
    "http_status",
)
_HEADERS = ("headers", "request_headers", "requestHeaders")
_INSIDE = ("metadata", "auth", "identity", "client", "context", "attributes")
_PLAIN = frozenset({str, int, float, datetime})
_NAMED = ("id", "name", "username", "email")
_SECRETS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
_HIDDEN = ("*", "redact", "mask", "\u2026", "<", "[")
_SHORTEST_SECRET = 12


@register
class GatewayBodies(LogFormat):
    """Request and response bodies as any gateway stores them."""

    name = "bodies"
    summary = "OpenAI's and Anthropic's request and response bodies in any gateway's JSON"
    columns = filled(
        carried="""
            exchange_id time organization tls_fingerprint user_agent request_model
            input_tokens output_tokens max_tokens temperature stream
        """,
        derived="account credential client_address system prompt response status finish_reason",
    )
    switches = (
        Switch(
            ("account", "client_address", "user_agent", "tls_fingerprint"),
            "Let the gateway log who called and from where beside the bodies, under a name such as "
            "account_id, client_ip, user_agent, ja4; or name yours in a mapping.",
        ),
        Switch(
            ("input_tokens", "output_tokens"),
            "For streams, ask the API to report usage (stream_options.include_usage).",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of records that hold a request body; formats that are known go before."""
        if sample.container == "parquet" or not sample.records:
            return 0.0
        known = sum(_is_request(_sides(record)[0]) for record in sample.records)
        return 0.5 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper."""
        return _BodiesMapper(file, self.options.trusted_hops)


class _BodiesMapper(Mapper):
    def __init__(self, file: Opened, trusted_hops: int) -> None:
        self._trusted_hops = trusted_hops
        wanted = file.settler.wanted
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one call."""
        asked, answered, headers, status = _sides(record)
        if not _is_request(asked):
            raise BadRecordError("no request body: no messages, input or prompt")
        answered = whole_body(answered)
        fields: Fields = {
            **request_fields(asked, text=self._text),
            **response_fields(answered, text=self._text),
        }
        # Of a bare body every name but the gateway's own is what the caller wrote.
        places: list[Mapping[str, Any]] = [
            record if asked is not record else _without_callers_own(record)
        ]
        if asked is not record:
            places += [mapping(record[name]) for name in _INSIDE if name in record]
        credential = first(_find(places, _CREDENTIALS), _secret(record, headers))
        said = mapping(answered)
        fields |= {
            "exchange_id": first(
                _find(places[:1], _IDS), header(headers, "x-request-id"), said.get("id")
            ),
            "time": first(_find(places[:1], _TIMES), said.get("created")),
            "account": first(_find(places, _ACCOUNTS), credential),
            "organization": _find(places, _ORGANIZATIONS),
            "credential": credential,
            "client_address": forwarded_or(headers, _find(places, _ADDRESSES), self._trusted_hops),
            "tls_fingerprint": first(_find(places, _FINGERPRINTS), header(headers, "x-ja4")),
            "user_agent": first(_find(places, _AGENTS), header(headers, "user-agent")),
            "request_model": first(fields.get("request_model"), said.get("model")),
            "status": _number(first(status, _find(places[:1], _STATUSES))),
        }
        return ((row, fields),)


def _sides(record: Mapping[str, Any]) -> tuple[Any, Any, Mapping[str, Any], Any]:
    """Return request body, response body, request headers and status."""
    headers: Mapping[str, Any] = next(
        (found for name in _HEADERS if (found := mapping(record.get(name)))), {}
    )
    status = None
    asked: Any = None
    for name in _REQUESTS:
        held = decoded(record.get(name))
        if isinstance(held, dict):
            asked = held
            if "body" in held or "json" in held:
                asked = decoded(first(held.get("body"), held.get("json")))
                headers = mapping(held.get("headers")) or headers
            break
    if asked is None and _is_request(record):
        asked = record
    answered: Any = None
    for name in _RESPONSES:
        held = record.get(name)
        if held is not None and held != "":
            answered = decoded(held)
            if isinstance(answered, dict) and "body" in answered:
                status = first(answered.get("status"), answered.get("status_code"))
                answered = answered["body"]
            break
    return asked, answered, headers, status


def _is_request(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    if isinstance(body.get("messages"), list) or isinstance(body.get("contents"), list):
        return True
    return "model" in body and any(isinstance(body.get(name), str | list) for name in _TURNS)


def _without_callers_own(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in record.items() if name not in ("user", "metadata")}


def _find(places: list[Mapping[str, Any]], names: tuple[str, ...]) -> Any:
    """Return the first value under one of the names; of an object what it is called."""
    for place in places:
        for name in names:
            if name not in place:
                continue
            value = place[name]
            if type(value) is dict:
                value = first(*(value.get(key) for key in _NAMED))
            if value != "" and type(value) in _PLAIN:
                return value
    return None


def _secret(record: Mapping[str, Any], headers: Mapping[str, Any]) -> str | None:
    """Return a name for a key that was logged in clear, which must go no further."""
    for value in (record.get("api_key"), *(header(headers, name) for name in _SECRETS)):
        if not isinstance(value, str):
            continue
        key = value.removeprefix("Bearer ").strip()
        if len(key) >= _SHORTEST_SECRET and not any(mark in key.lower() for mark in _HIDDEN):
            return f"key_{blake2b(key.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"
    return None


def _number(value: Any) -> Any:
    """Return an HTTP status; gateways write words under the same name."""
    if value in ("success", "ok", "succeeded"):
        return 200
    return value if isinstance(value, int) or str(value).isdecimal() else None
