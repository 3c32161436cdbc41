"""Envoy's JSON access log, with the field names of Envoy AI Gateway's documentation.

Operators name the fields themselves. The documented names, older and newer, are known here; what is
named otherwise is told with ``--source envoy --mapping FILE``, which need only name what differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stillhunt.readers.formats.mapping import Field, load_mapping
from stillhunt.readers.options import ReadOptions
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import Fields, LogFormat, Mapper, Opened, Switch, register

_SIGNS = frozenset(
    {
        "response_code",
        "response_flags",
        "response_code_details",
        "upstream_host",
        "upstream_cluster",
        "route_name",
        "x-envoy-origin-path",
        "x-envoy-original-path",
        "x-envoy-upstream-service-time",
        "downstream_local_address",
        "downstream_remote_address",
    }
)
_FEWEST_SIGNS = 3
_NAMES: dict[str, tuple[str, ...]] = {
    "exchange_id": ("x-request-id", "request_id", "stream_id"),
    "time": ("start_time", "time"),
    "account": ("user.id", "x-user-id", "tenant.id", "x-tenant-id"),
    "organization": ("tenant.id", "x-tenant-id"),
    "tls_fingerprint": (
        "tls_ja4_fingerprint", "tls.client.ja4", "x-ja4-fingerprint", "x-ja4", "ja4",
        "tls_ja3_fingerprint", "tls.client.ja3", "x-ja3-fingerprint", "ja3",
    ),
    "user_agent": ("user-agent", "user_agent", "user_agent.original"),
    "request_model": ("gen_ai.request.model", "genai_model_name", "x-ai-eg-model"),
    "input_tokens": ("gen_ai.usage.input_tokens", "genai_tokens_input", "llm_input_token"),
    "output_tokens": ("gen_ai.usage.output_tokens", "genai_tokens_output", "llm_output_token"),
    "status": ("response_code",),
}  # fmt: skip
_FORWARDED = ("x-forwarded-for", "x_forwarded_for")
_PEER = ("downstream_remote_address", "downstream_direct_remote_address")
_PATHS = ("x-envoy-origin-path", "x-envoy-original-path", "path", ":path")
_ENDPOINTS = (
    "/completions", "/responses", "/messages", "/embeddings", "/converse", "/invoke",
    ":generatecontent", ":streamgeneratecontent", "/rerank", "/images/generations",
)  # fmt: skip
_REFUSED = frozenset({"401", "403"})
NO_CALL = "requests to no model"
NO_CALLER = "requests that were refused since nobody known made them"
"""Reasons for what is passed over."""


@register
class Envoy(LogFormat):
    """Access logs of Envoy in front of models: who and when, no text."""

    name = "envoy"
    summary = "Envoy's JSON access log, with the names of Envoy AI Gateway; others by --mapping"
    columns = {  # noqa: RUF012 - never changed
        "exchange_id": "carried",
        "time": "carried",
        "account": "carried",
        "organization": "carried",
        "client_address": "derived",
        "tls_fingerprint": "carried",
        "user_agent": "carried",
        "request_model": "carried",
        "input_tokens": "carried",
        "output_tokens": "carried",
        "status": "carried",
    }
    switches = (
        Switch(
            ("account",),
            "Log the header in which your external authorization names the account, as x-user-id;"
            " without an account a row is lost.",
        ),
        Switch(
            ("tls_fingerprint",),
            "Set enable_ja4_fingerprinting on the TLS inspector and log %TLS_JA4_FINGERPRINT% as"
            " tls_ja4_fingerprint.",
        ),
        Switch(
            ("request_model", "input_tokens", "output_tokens"),
            "Configure llmRequestCosts and log the metadata io.envoy.ai_gateway.",
        ),
        Switch(
            ("client_address",),
            "Say with --trusted-hops how many proxies of your own stand before Envoy.",
        ),
        Switch(
            ("system", "prompt", "response"),
            "The access log has no text; read the gateway's traces (source openinference) for it.",
        ),
    )

    def __init__(self, options: ReadOptions) -> None:
        super().__init__(options)
        self._own: dict[str, Field] = {}
        if options.source == self.name and options.mapping is not None:
            self._own, _ = load_mapping(options.mapping, partial=True)

    def sniff(self, sample: Sample) -> float:
        """By the share of lines that have enough of the names that Envoy's defaults have."""
        if sample.container != "json lines" or not sample.records:
            return 0.0
        known = sum(len(_SIGNS & record.keys()) >= _FEWEST_SIGNS for record in sample.records)
        return 0.8 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper of the documented names, and of the operator's own."""
        return _EnvoyMapper(file, self._own, self.options.trusted_hops)


class _EnvoyMapper(Mapper):
    def __init__(self, file: Opened, own: dict[str, Field], trusted_hops: int) -> None:
        self._file = file
        self._own = own
        self._hops = trusted_hops

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one request; those to no model are passed over."""
        fields: Fields = {name: _some(record, names) for name, names in _NAMES.items()}
        fields["client_address"] = client_of(
            _some(record, _FORWARDED), _some(record, _PEER), self._hops
        )
        for name, field in self._own.items():
            if (value := field.value(record)) is not None:
                fields[name] = value
        if fields["request_model"] is None and not _asks_a_model(_some(record, _PATHS)):
            self._file.settler.quarantine.skip(self._file.name, NO_CALL)
            return ()
        if fields["account"] is None and str(fields["status"]) in _REFUSED:
            self._file.settler.quarantine.skip(self._file.name, NO_CALLER)
            return ()
        if fields["status"] in (0, "0"):  # the client went before there was an answer
            fields["status"] = None
        return ((row, fields),)


def client_of(forwarded: Any, peer: Any, trusted_hops: int) -> str | None:
    """Return what says where a request came from.

    Envoy appends the address that called it to ``X-Forwarded-For`` before it logs the header, so the
    last entry is its own, and proxies before it wrote those further left.

    Args:
        forwarded: the header as logged.
        peer: what Envoy takes for the client; right where no proxy of one's own stands before it,
            or where Envoy was told of them (xff_num_trusted_hops).
        trusted_hops: how many proxies of the operator's own stand before Envoy.

    Returns:
        An address, or a list whose ``trusted_hops``-th entry from the right is the client; None where
        the list is too short to have come through the trusted proxies.
    """
    direct: str | None = peer if isinstance(peer, str) else None
    if direct is not None and direct.count(":") == 1:  # IPv4 with its port, which nearly all are
        direct = direct.partition(":")[0]
    if not isinstance(forwarded, str):
        return direct
    if not trusted_hops:
        return direct or forwarded
    entries = forwarded.split(",")[:-1]
    return ",".join(entries) if len(entries) >= trusted_hops else None


def _some(record: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first value that says something; Envoy writes null, or - where it formats text."""
    for name in names:
        value = record.get(name)
        if value is not None and value not in ("", "-"):
            return value
    return None


def _asks_a_model(path: Any) -> bool:
    if not isinstance(path, str):
        return False
    return path.partition("?")[0].rstrip("/").lower().endswith(_ENDPOINTS)
