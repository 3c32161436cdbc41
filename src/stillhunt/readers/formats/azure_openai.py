"""Azure OpenAI's diagnostic log, category RequestResponse: metadata and nothing else.

``properties`` is an object or the JSON of one. There is no text in it, there are no tokens, and
the caller's address has its last part masked, so that it is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stillhunt.readers.nested import first, mapping, text
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

_CATEGORY = "RequestResponse"
_TICKS_TO_1970 = 621_355_968_000_000_000
"""Ticks of .NET, 100 ns each, from the year 1 to 1970."""


@register
class AzureOpenAI(LogFormat):
    """Diagnostics of Azure OpenAI and AI Foundry resources."""

    name = "azure-openai"
    summary = "Azure OpenAI's diagnostic log (RequestResponse): metadata only"
    columns = filled(
        carried="exchange_id account request_model status",
        derived="time stream",
    )
    switches = (
        Switch(
            ("system", "prompt", "response", "input_tokens", "output_tokens", "client_address"),
            "This log cannot carry them: put API Management in front and log its category "
            "GatewayLlmLogs with messages, together with GatewayLogs (--source azure-apim).",
        ),
        Switch(
            ("account",),
            "Let callers sign in with Entra ID: objectId is empty for calls with a key, and all "
            "of them are then one account, the resource.",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of lines that have the category and Azure's names."""
        if sample.container != "json lines" or not sample.records:
            return 0.0
        known = sum(any(_is_call(call) for call in _rows(record)) for record in sample.records)
        return 0.95 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper."""
        return _AzureOpenAIMapper(file)


class _AzureOpenAIMapper(Mapper):
    def __init__(self, file: Opened) -> None:
        self._file = file

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one call, or those of one batch of Event Hubs."""
        for call in _rows(record):
            if "category" not in call:
                raise BadRecordError("no diagnostic log: it has no category")
            if call["category"] != _CATEGORY:
                reason = "diagnostics of other categories"
                self._file.settler.quarantine.skip(self._file.name, reason)
                continue
            yield row, _fields(call)


def _fields(call: Mapping[str, Any]) -> Fields:
    properties = mapping(first(call.get("properties"), call.get("properties_s")))
    streamed = text(properties.get("streamType"))
    resource = first(text(call.get("resourceid")), text(call.get("_resourceid")))
    return {
        "exchange_id": call.get("correlationid"),
        "time": first(
            _ticks(properties.get("requestTime")), call.get("time"), call.get("timegenerated")
        ),
        "account": first(text(properties.get("objectId")), resource),
        "request_model": first(properties.get("modelDeploymentName"), properties.get("modelName")),
        "status": call.get("resultsignature"),
        "stream": None if streamed is None else not streamed.lower().startswith("non"),
    }


def _rows(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    batch = record.get("records")
    for item in batch if isinstance(batch, list) else (record,):
        if isinstance(item, dict):
            # Diagnostic settings and the table AzureDiagnostics differ in case.
            yield {name.lower(): value for name, value in item.items()}


def _is_call(call: Mapping[str, Any]) -> bool:
    return call.get("category") == _CATEGORY and "correlationid" in call


def _ticks(value: Any) -> int | None:
    """Return microseconds since 1970 of .NET's ticks; None for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < _TICKS_TO_1970:
        return None
    return (value - _TICKS_TO_1970) // 10
