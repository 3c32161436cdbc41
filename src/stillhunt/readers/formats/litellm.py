"""LiteLLM: lines of ``StandardLoggingPayload``, and rows of the table ``LiteLLM_SpendLogs``.

Both are read by one mapper, since the second is made from the first. What is taken from where is
told in ``docs/formats.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stillhunt.readers import messages
from stillhunt.readers.nested import decoded, first, mapping, text
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import Fields, LogFormat, Mapper, Opened, Switch, filled, register

_PAYLOAD = frozenset({"litellm_call_id", "call_type", "startTime", "metadata", "model"})
_SPEND_LOG = frozenset({"request_id", "api_key", "startTime", "call_type", "model"})
_WRAPPERS = ("standard_logging_object", "standard_logging_payload")
# LiteLLM's own name for whoever uses the master key: no account.
_NOBODY = frozenset({"default_user_id"})
_AGENT_TAG = "User-Agent: "


@register
class LiteLLM(LogFormat):
    """Logs of the LiteLLM gateway."""

    name = "litellm"
    summary = "LiteLLM's StandardLoggingPayload as JSON lines, or rows of LiteLLM_SpendLogs"
    columns = filled(
        carried="""
            exchange_id time account organization credential user_agent request_model
            input_tokens output_tokens max_tokens temperature stream
        """,
        derived="client_address system prompt response status finish_reason",
    )
    switches = (
        Switch(
            ("system", "prompt", "response"),
            "Set general_settings.store_prompts_in_spend_logs: true; spend logs then keep 2,048 "
            "characters of a text unless MAX_STRING_LENGTH_PROMPT_IN_DB says more. For the payload, "
            "leave turn_off_message_logging at false.",
        ),
        Switch(
            ("client_address",),
            "Set general_settings.use_x_forwarded_for: true, and say with --trusted-hops how many "
            "proxies of your own are in front.",
        ),
        Switch(
            ("account",),
            "Give each key a user_id (/key/generate): without one the key stands for itself.",
        ),
        Switch(("organization",), "Put users into teams or organizations."),
        Switch(
            ("tls_fingerprint",),
            "LiteLLM sees no TLS handshake: let a proxy in front log its JA4 (Envoy's "
            "%TLS_JA4_FINGERPRINT%).",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of records, or the columns, that have the names LiteLLM gives."""
        if sample.container != "json lines":
            return 0.95 if set(sample.columns) >= _SPEND_LOG else 0.0
        if not sample.records:
            return 0.0
        known = sum(
            keys >= _PAYLOAD or keys >= _SPEND_LOG
            for keys in (_unwrapped(record).keys() for record in sample.records)
        )
        return 0.95 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper of both shapes."""
        return _LiteLLMMapper(file.settler.wanted)


class _LiteLLMMapper(Mapper):
    def __init__(self, wanted: Any) -> None:
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one call."""
        call = _unwrapped(record)
        metadata = mapping(call.get("metadata"))
        request = mapping(call.get("proxy_server_request"))
        request = mapping(request.get("body")) or request
        parameters = {**request, **mapping(call.get("model_parameters"))}
        fields = _identity(call, metadata)
        response = decoded(call.get("response"))
        fields |= {
            "time": call.get("startTime"),
            "client_address": first(
                call.get("requester_ip_address"), metadata.get("requester_ip_address")
            ),
            "user_agent": _user_agent(call, metadata),
            "request_model": first(call.get("model_group"), call.get("model")),
            "input_tokens": call.get("prompt_tokens"),
            "output_tokens": call.get("completion_tokens"),
            "max_tokens": first(
                parameters.get("max_tokens"),
                parameters.get("max_completion_tokens"),
                parameters.get("max_output_tokens"),
            ),
            "temperature": parameters.get("temperature"),
            "stream": first(call.get("stream"), parameters.get("stream")),
            "finish_reason": messages.finish_reason(response),
        }
        _outcome(call, metadata, fields)
        if self._text:
            asked = decoded(call.get("messages"))
            if not asked:  # bodies that are not stored are logged as {}
                asked = first(request.get("messages"), request.get("input"), request.get("prompt"))
            fields["system"], fields["prompt"] = messages.conversation(
                asked,
                decoded(parameters.get("tools")),
                first(request.get("system"), parameters.get("instructions")),
            )
            fields["response"] = messages.reply(response)
        return ((row, fields),)


def _unwrapped(record: dict[str, Any]) -> Mapping[str, Any]:
    """Callbacks may write the payload alone or inside the keyword arguments they were given."""
    for key in _WRAPPERS:
        if isinstance(inner := record.get(key), dict):
            return inner
    return record


def _identity(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> Fields:
    """Return id, account, organization and credential.

    The account is the user the key belongs to, for that is who LiteLLM authenticated, else the
    key. ``end_user`` comes from the request's body, where anyone may write anything: it serves
    only where there is no key at all.
    """
    key = first(text(metadata.get("user_api_key_hash")), text(call.get("api_key")))
    user = first(text(metadata.get("user_api_key_user_id")), text(call.get("user")))
    team = first(text(metadata.get("user_api_key_team_id")), text(call.get("team_id")))
    end_user = first(text(call.get("end_user")), text(metadata.get("user_api_key_end_user_id")))
    organization = first(
        text(metadata.get("user_api_key_org_id")), text(call.get("organization_id")), team
    )
    return {
        "exchange_id": first(call.get("id"), call.get("request_id"), call.get("litellm_call_id")),
        "account": first(None if user in _NOBODY else user, key, end_user),
        "organization": organization,
        "credential": key,
    }


def _user_agent(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    """Return the user agent; spend logs keep it only among the tags, once shortened, once whole."""
    found = first(text(call.get("user_agent")), text(metadata.get("user_agent")))
    if found is not None:
        return str(found)
    tags = decoded(call.get("request_tags"))
    agents = [
        tag[len(_AGENT_TAG) :]
        for tag in (tags if isinstance(tags, list) else ())
        if isinstance(tag, str) and tag.startswith(_AGENT_TAG)
    ]
    return max(agents, key=len, default=None)


def _outcome(call: Mapping[str, Any], metadata: Mapping[str, Any], fields: Fields) -> None:
    """Set the HTTP status: 200 for success; of a failure what the log says, else nothing."""
    status = first(call.get("status"), metadata.get("status"))
    if status == "success":
        fields["status"] = 200
    elif status == "failure":
        error = mapping(first(call.get("error_information"), metadata.get("error_information")))
        code = first(error.get("error_code"))
        fields["status"] = code if str(code).isdecimal() else None
        fields["finish_reason"] = fields["finish_reason"] or "error"
