"""Amazon Bedrock's model-invocation logs, as S3 delivery writes them or CloudWatch hands them on.

One line is one ``ModelInvocationLog``. A streamed response is an array of its chunks. Bodies above
100 kB lie in objects of their own, of which the log has only the path: what they hold is not read,
and the quarantine says so for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stillhunt.readers.bodies import request_fields, response_fields
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

_TYPE = "ModelInvocationLog"
_NEEDED = frozenset({"requestId", "timestamp", "modelId"})
# In these roles IAM Identity Center sets the session's name, the person's; in others the caller does.
_PEOPLE = "AWSReservedSSO_"
# What the service answers for each error (API reference of InvokeModel, Errors).
_STATUS = {
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "ValidationException": 400,
}


@register
class Bedrock(LogFormat):
    """Model-invocation logs."""

    name = "bedrock"
    summary = "Amazon Bedrock's model-invocation logs, from S3 or CloudWatch"
    columns = filled(
        carried="""
            exchange_id time request_model input_tokens output_tokens max_tokens
            temperature
        """,
        derived="account credential system prompt response status finish_reason stream",
    )
    switches = (
        Switch(
            ("system", "prompt", "response"),
            "Switch on text in the model-invocation logging settings (textDataDeliveryEnabled).",
        ),
        Switch(
            ("account",),
            "Give each customer a role of its own to call with: identity.arn is the only account "
            "that Bedrock knows.",
        ),
        Switch(
            ("client_address", "user_agent"),
            "Bedrock logs neither; CloudTrail has sourceIPAddress and userAgent by requestId: join "
            "them and read the result with --source mapping.",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of lines that say what they are."""
        if sample.container != "json lines" or not sample.records:
            return 0.0
        known = sum(
            bool(record.get("schemaType") == _TYPE or _wrapped(record)) for record in sample.records
        )
        return 0.97 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper."""
        return _BedrockMapper(file)


class _BedrockMapper(Mapper):
    def __init__(self, file: Opened) -> None:
        self._file = file
        wanted = file.settler.wanted
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one call, or those in one message of CloudWatch."""
        for call in _calls(record):
            if not call.keys() >= _NEEDED:
                raise BadRecordError(
                    "no model-invocation log: requestId, timestamp or modelId missing"
                )
            yield row, self._fields(row, call)

    def _fields(self, row: int, call: Mapping[str, Any]) -> Fields:
        asked, answered = mapping(call.get("input")), mapping(call.get("output"))
        for side, name, body in (
            ("request", "inputBodyS3Path", asked),
            ("response", "outputBodyS3Path", answered),
        ):
            if name in body and body[name] and body.get(name.replace("S3Path", "Json")) is None:
                told = f"the {side} body is in S3 ({name}) and was not read"
                self._file.settler.quarantine.note(self._file.name, row, told)
        request = request_fields(asked.get("inputBodyJson"), text=self._text)
        response = response_fields(answered.get("outputBodyJson"), text=self._text)
        account, session = _principal(call)
        operation = call.get("operation")
        failed = text(call.get("errorCode"))
        return {
            **request,
            **response,
            "exchange_id": call.get("requestId"),
            "time": call.get("timestamp"),
            "account": account,
            "credential": session,
            "request_model": call.get("modelId"),
            "input_tokens": first(asked.get("inputTokenCount"), response.get("input_tokens")),
            "output_tokens": first(answered.get("outputTokenCount"), response.get("output_tokens")),
            "status": first(call.get("status"), _STATUS.get(failed) if failed else None),
            "finish_reason": first(response.get("finish_reason"), "error" if failed else None),
            "stream": "Stream" in operation if isinstance(operation, str) else None,
        }


def _wrapped(record: Mapping[str, Any]) -> bool:
    """Whether a record is CloudWatch's envelope around such logs."""
    message = record.get("message")
    if isinstance(message, str) and _TYPE in message[:4096]:
        return True
    events = record.get("logEvents")
    return isinstance(events, list) and any(
        isinstance(event, dict) and _wrapped(event) for event in events[:1]
    )


def _calls(record: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "requestId" in record:
        yield record
        return
    events = record.get("logEvents")
    for event in events if isinstance(events, list) else (record,):
        if isinstance(event, dict):
            inner = decoded(event.get("message"))
            yield inner if isinstance(inner, dict) else event


def _principal(call: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return account and credential.

    Whoever assumes a role names its session as he likes, and could so split himself into as many
    accounts as he wishes: the account is the role, the session its credential.
    """
    arn = text(mapping(call.get("identity")).get("arn"))
    if arn is None:
        return text(call.get("accountId")), None
    head, found, rest = arn.partition(":assumed-role/")
    role, _, session = rest.rpartition("/")
    if not found or not role or role.rpartition("/")[2].startswith(_PEOPLE):
        return arn, None
    return f"{head}:assumed-role/{role}", session or None
