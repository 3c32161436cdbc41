"""OpenInference's names: messages spread over numbered attributes, settings as JSON in a string.

Semantic conventions: https://github.com/Arize-ai/openinference/tree/main/spec
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillhunt.readers import messages
from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.nested import decoded, first, mapping
from stillhunt.readers.otlp.calls import Call
from stillhunt.readers.otlp.item import Attributes
from stillhunt.readers.otlp.numbered import gathered, gathered_all
from stillhunt.readers.registry import Fields

_INPUTS, _OUTPUTS = "llm.input_messages", "llm.output_messages"
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def speaks(attributes: Attributes) -> bool:
    """Whether a call is told with these names."""
    return "openinference.span.kind" in attributes or "llm.model_name" in attributes


def about_call(call: Call, *, text: bool) -> Fields:
    """Return what a call's attributes say of the call itself, not of who made it."""
    a = call.attributes
    settings = mapping(a.get("llm.invocation_parameters"))
    fields: Fields = {
        "request_model": first(
            a.get("llm.request.model_name"),
            settings.get("model"),
            a.get("llm.model_name"),
            a.get("embedding.model_name"),
        ),
        "input_tokens": a.get("llm.token_count.prompt"),
        "output_tokens": a.get("llm.token_count.completion"),
        "max_tokens": first(*(settings.get(name) for name in _LIMITS)),
        "temperature": settings.get("temperature"),
        "stream": settings.get("stream"),
        "finish_reason": a.get("llm.finish_reason"),
    }
    if text:
        fields |= _texts(a)
    return fields


def _texts(a: Attributes) -> Fields:
    spread = gathered_all(a, (_INPUTS, _OUTPUTS, "llm.tools"))
    asked = [_message(one) for one in spread[_INPUTS]]
    asked = asked or decoded(a.get(_INPUTS)) or _embedded(a) or []
    tools = [
        decoded(mapping(mapping(one).get("tool")).get("json_schema")) for one in spread["llm.tools"]
    ]
    system, prompt = messages.conversation(asked, tools)
    said = [_message(one) for one in spread[_OUTPUTS]]
    response = messages.reply(said or decoded(a.get(_OUTPUTS)) or [])
    # Some instrumentations leave messages out where they have the whole body.
    if prompt is None and system is None and (body := a.get("input.value")):
        told = request_fields(body)
        system, prompt = told.get("system"), told.get("prompt")
    if response is None and (body := a.get("output.value")):
        response = response_fields(body).get("response")
    return {"system": system, "prompt": prompt, "response": response}


def _embedded(a: Attributes) -> list[Any]:
    found = (mapping(one).get("embedding") for one in gathered(a, "embedding.embeddings"))
    return [
        {"role": "user", "content": content}
        for one in found
        if isinstance(content := mapping(one).get("text"), str)
    ]


def _message(one: Any) -> dict[str, Any]:
    """Return a message in OpenAI's shape."""
    message = mapping(mapping(one).get("message", one))
    calls = [mapping(mapping(call).get("tool_call")) for call in _items(message.get("tool_calls"))]
    parts = [_part(part) for part in _items(message.get("contents"))]
    if calls:  # they are among the parts, too
        parts = [part for part in parts if part.get("type") != "tool_use"]
    return {
        "role": message.get("role"),
        "content": parts or message.get("content"),
        "tool_calls": calls,
    }


def _part(part: Any) -> Mapping[str, Any]:
    outer = mapping(part)
    inner = mapping(outer.get("message_content", outer))
    if "tool_call" in outer or "tool_call" in inner:
        call = mapping(first(outer.get("tool_call"), inner.get("tool_call")))
        return {"type": "tool_use", **mapping(call.get("function"))}
    return inner


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
