"""A call as an exchange: who made it, and what either vocabulary says of it."""

from __future__ import annotations

from typing import Any

from stillhunt.readers.nested import first
from stillhunt.readers.otlp import genai, openinference
from stillhunt.readers.otlp.calls import Call
from stillhunt.readers.otlp.item import Attributes
from stillhunt.readers.registry import Fields

_ACCOUNT = ("user.id", "enduser.id", "enduser.pseudo.id")


def exchange_of(call: Call, trusted_hops: int, *, text: bool = True) -> Fields:
    """Return the exchange.

    Args:
        call: put together.
        trusted_hops: as in ReadOptions.
        text: whether texts are wanted.
    """
    a = call.attributes
    if openinference.speaks(a):
        fields = openinference.about_call(call, text=text)
        if "gen_ai.request.model" in a or "gen_ai.operation.name" in a:
            for name, value in genai.about_call(call, text=text).items():
                if fields.get(name) is None:
                    fields[name] = value
    else:
        fields = genai.about_call(call, text=text)
    status = first(a.get("http.response.status_code"), a.get("http.status_code"))
    if status is None and str(a.get("error.type", "")).isdecimal():
        status = a["error.type"]
    fields["exchange_id"] = first(
        fields.get("exchange_id"), ":".join(call.key) if all(call.key) else None
    )
    fields["time"] = call.time
    fields["account"] = first(*[a.get(name) for name in _ACCOUNT])
    fields["client_address"] = _client(a, trusted_hops)
    fields["tls_fingerprint"] = first(a.get("tls.client.ja4"), a.get("tls.client.ja3"))
    fields["user_agent"] = first(a.get("user_agent.original"), a.get("http.user_agent"))
    fields["status"] = status
    if not fields.get("finish_reason") and (call.failed or "error.type" in a):
        fields["finish_reason"] = "error"
    return fields


def _client(a: Attributes, trusted_hops: int) -> Any:
    """The header where the operator says how to read it, else what the instrumentation took."""
    header = a.get("http.request.header.x-forwarded-for")
    if isinstance(header, list):
        header = ",".join(part for part in header if isinstance(part, str))
    direct = first(a.get("client.address"), a.get("http.client_ip"))
    return first(header, direct) if trusted_hops else first(direct, header)
