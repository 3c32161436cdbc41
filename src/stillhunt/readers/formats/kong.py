"""Kong AI Gateway: what its file-log and http-log plugins write, one request a line.

``ai`` holds one object for each AI plugin that had to do with the request. Statistics come with
``logging.log_statistics``, bodies with ``logging.log_payloads``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.headers import forwarded_or, header
from stillhunt.readers.nested import first, mapping, text
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import Fields, LogFormat, Mapper, Opened, Switch, filled, register

_KNOWN = frozenset({"client_ip", "started_at", "request"})
_NO_PLUGINS = frozenset({"payload"})


@register
class Kong(LogFormat):
    """Kong's log serializer with AI plugins."""

    name = "kong"
    summary = "Kong AI Gateway's file-log and http-log lines"
    columns = filled(
        carried="""
            exchange_id time account credential client_address user_agent request_model
            input_tokens output_tokens max_tokens status finish_reason temperature stream
        """,
        derived="system prompt response",
    )
    switches = (
        Switch(
            ("system", "prompt", "response"),
            "Set config.logging.log_payloads: true on the AI proxy plugin.",
        ),
        Switch(
            ("input_tokens", "output_tokens", "request_model"),
            "Set config.logging.log_statistics: true on the AI proxy plugin.",
        ),
        Switch(
            ("account",), "Put an authentication plugin before the AI proxy: it names the consumer."
        ),
        Switch(
            ("client_address",),
            "Set trusted_ips and real_ip_header in kong.conf, or read with --trusted-hops.",
        ),
        Switch(
            ("tls_fingerprint",),
            "Kong computes none: let the balancer in front do so and read with --source mapping.",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of lines that have Kong's names and those of an AI plugin."""
        if sample.container != "json lines" or not sample.records:
            return 0.0
        of_kong = [record for record in sample.records if record.keys() >= _KNOWN]
        if not any(isinstance(record.get("ai"), dict) for record in of_kong):
            return 0.0
        return 0.95 * len(of_kong) / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper."""
        return _KongMapper(file, self.options.trusted_hops)


class _KongMapper(Mapper):
    def __init__(self, file: Opened, trusted_hops: int) -> None:
        self._file = file
        self._trusted_hops = trusted_hops
        wanted = file.settler.wanted
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one request; those that no AI plugin saw are no exchanges."""
        ai = mapping(record.get("ai"))
        plugin = _plugin(ai)
        if plugin is None:
            self._file.settler.quarantine.skip(self._file.name, "requests that no AI plugin saw")
            return ()
        meta, usage = mapping(plugin.get("meta")), mapping(plugin.get("usage"))
        payload = mapping(plugin.get("payload"))
        request = mapping(record.get("request"))
        headers = mapping(request.get("headers"))
        consumer = mapping(record.get("consumer"))
        asked = request_fields(
            first(payload.get("request"), mapping(ai.get("payload")).get("request")),
            text=self._text,
        )
        answered = response_fields(payload.get("response"), text=self._text)
        fields: Fields = {
            **asked,
            **answered,
            "exchange_id": first(
                request.get("id"),
                header(headers, "x-kong-request-id"),
                header(headers, "x-request-id"),
            ),
            "time": record.get("started_at"),
            "account": first(
                text(consumer.get("custom_id")),
                text(consumer.get("username")),
                text(consumer.get("id")),
            ),
            "credential": mapping(record.get("authenticated_entity")).get("id"),
            "client_address": forwarded_or(headers, record.get("client_ip"), self._trusted_hops),
            "user_agent": header(headers, "user-agent"),
            "request_model": first(
                meta.get("request_model"), asked.get("request_model"), meta.get("response_model")
            ),
            "input_tokens": first(
                usage.get("prompt_tokens"), usage.get("prompt_token"), answered.get("input_tokens")
            ),
            "output_tokens": first(
                usage.get("completion_tokens"),
                usage.get("completion_token"),
                answered.get("output_tokens"),
            ),
            "status": first(
                mapping(record.get("response")).get("status"), record.get("upstream_status")
            ),
        }
        return ((row, fields),)


def _plugin(ai: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the plugin that called the model says: the proxy, where several had a part."""
    found = [
        plugin
        for name, plugin in ai.items()
        if name not in _NO_PLUGINS and isinstance(plugin, dict)
    ]
    called = [plugin for plugin in found if "meta" in plugin or "usage" in plugin]
    proxies = [
        plugin for name, plugin in ai.items() if isinstance(name, str) and "proxy" in name
        and isinstance(plugin, dict)
    ]  # fmt: skip
    return next(iter(proxies or called or found), None)
