"""OpenTelemetry's GenAI names, those of OpenLLMetry, and the older ones of both.

Semantic conventions: https://github.com/open-telemetry/semantic-conventions-genai (development).
"""

from __future__ import annotations

from typing import Any

from stillhunt.readers import messages
from stillhunt.readers.nested import decoded, first
from stillhunt.readers.otlp.calls import Call
from stillhunt.readers.otlp.item import Attributes
from stillhunt.readers.otlp.numbered import gathered, gathered_all
from stillhunt.readers.registry import Fields

_INPUTS = ("gen_ai.input.messages", "gen_ai.prompt", "llm.prompts")
_OUTPUTS = ("gen_ai.output.messages", "gen_ai.completion", "llm.completions")


def about_call(call: Call, *, text: bool) -> Fields:
    """Return what a call's attributes and events say of the call itself, not of who made it."""
    a = call.attributes
    outputs = found(a, _OUTPUTS) or call.choices
    finish = decoded(a.get("gen_ai.response.finish_reasons"))
    finish = finish[0] if isinstance(finish, list) and finish else finish
    fields: Fields = {
        "exchange_id": a.get("gen_ai.response.id"),
        "request_model": first(
            a.get("gen_ai.request.model"),
            a.get("llm.request.model"),
            a.get("gen_ai.response.model"),
        ),
        "input_tokens": first(
            a.get("gen_ai.usage.input_tokens"),
            a.get("gen_ai.usage.prompt_tokens"),
            a.get("llm.usage.prompt_tokens"),
        ),
        "output_tokens": first(
            a.get("gen_ai.usage.output_tokens"),
            a.get("gen_ai.usage.completion_tokens"),
            a.get("llm.usage.completion_tokens"),
        ),
        "max_tokens": first(a.get("gen_ai.request.max_tokens"), a.get("llm.request.max_tokens")),
        "temperature": first(a.get("gen_ai.request.temperature"), a.get("llm.temperature")),
        "stream": first(
            a.get("gen_ai.request.stream"),
            a.get("gen_ai.is_streaming"),
            a.get("llm.is_streaming"),
        ),
        "finish_reason": first(finish or None, messages.finish_reason(outputs)),
    }
    if text:
        fields["system"], fields["prompt"] = messages.conversation(
            found(a, _INPUTS) or call.turns,
            first(
                decoded(a.get("gen_ai.tool.definitions")),
                decoded(a.get("gen_ai.request.tools")),
                gathered(a, "llm.request.functions") or None,
            ),
            decoded(a.get("gen_ai.system_instructions")),
        )
        fields["response"] = messages.reply(outputs) if outputs else None
    return fields


def found(attributes: Attributes, names: tuple[str, ...]) -> Any:
    """Return the messages under the first name that has any: a value, or numbered attributes."""
    for name in names:
        if value := decoded(attributes.get(name)):
            return value
    spread = gathered_all(attributes, names[1:])  # the newest was never spread
    for name in names[1:]:
        if value := spread[name]:
            return [
                {key: decoded(inner) for key, inner in one.items()}
                if isinstance(one, dict)
                else one
                for one in value
            ]
    return []
