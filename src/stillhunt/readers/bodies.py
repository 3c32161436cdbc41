"""Request and response bodies of the known APIs, as canonical columns.

Understood: OpenAI's chat completions, completions and responses, Anthropic's messages, Bedrock's
Converse, and what Titan, Llama, Mistral and Cohere models take on Bedrock, each as far as it is
documented. A gateway's log is hostile in its bodies: anything may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillhunt.readers import messages
from stillhunt.readers.nested import decoded, first, mapping
from stillhunt.readers.registry import Fields
from stillhunt.readers.streams import whole_body

_TURNS = ("messages", "input", "prompt", "contents", "inputText", "message")
_SYSTEM = ("system", "instructions", "systemInstruction", "preamble")
_LIMITS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_gen_len",
    "max_tokens_to_sample",
    "maxTokens",
    "max_new_tokens",
    "maxTokenCount",
    "maxOutputTokens",
)
_SETTINGS = ("inferenceConfig", "textGenerationConfig", "generationConfig")
_TEXTS = ("generation", "completion", "outputText")
_LISTS = ("results", "outputs", "generations")
# One word for one thing: OpenAI's, into which gateways translate the others too.
_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "COMPLETE": "stop",
    "FINISH": "stop",
    "FINISHED": "stop",
    "STOP": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "MAX_TOKENS": "length",
    "LENGTH": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filtered": "content_filter",
    "CONTENT_FILTERED": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "content_filter",
    "SAFETY": "content_filter",
}
_INPUT_COUNTS = ("prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount")
_OUTPUT_COUNTS = ("completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount")


def request_fields(body: Any, *, text: bool = True) -> Fields:
    """Return what a request body says.

    Args:
        body: the body, or JSON of it in a string.
        text: whether system and prompt are wanted.

    Returns:
        Of request_model, max_tokens, temperature, stream, system and prompt what there is; no
        account: who asks is not the body's to say.
    """
    body = decoded(body)
    if not isinstance(body, dict):
        return _asked(body) if text else {}
    settings: Mapping[str, Any] = {}
    for key in _SETTINGS:
        if key in body:
            settings = mapping(body[key])
            break
    fields: Fields = {
        "request_model": body.get("model"),
        "max_tokens": _some(body, settings, _LIMITS),
        "temperature": _some(body, settings, ("temperature",)),
        "stream": body.get("stream"),
    }
    if text:
        fields["system"], fields["prompt"] = messages.conversation(
            _of(body, _TURNS), _tools(body), _of(body, _SYSTEM)
        )
    return fields


def response_fields(body: Any, *, text: bool = True) -> Fields:
    """Return what a response body says.

    Args:
        body: the body, JSON of it, a list of stream chunks, or the text of an event stream.
        text: whether the response's text is wanted.

    Returns:
        Of response, finish_reason, input_tokens and output_tokens what there is.
    """
    body = whole_body(body)
    if isinstance(body, str):
        return {"response": body} if text else {}
    if not isinstance(body, dict):
        return {"response": messages.reply(body)} if text and isinstance(body, list) else {}
    usage = body.get("usage")
    if not isinstance(usage, dict):
        usage = mapping(body.get("usageMetadata"))
    inner = None
    reason = messages.finish_reason(body)
    if reason is None or ("choices" not in body and "content" not in body):
        inner = next((body[key] for key in _LISTS if isinstance(body.get(key), list)), None)
        reason = first(
            reason,
            messages.finish_reason(inner),
            mapping(body.get("incomplete_details")).get("reason"),
            body.get("status"),
        )
    fields: Fields = {
        "finish_reason": _REASONS.get(reason, reason) if isinstance(reason, str) else None,
        "input_tokens": _of(usage, _INPUT_COUNTS),
        "output_tokens": _of(usage, _OUTPUT_COUNTS),
    }
    if not usage:
        fields["input_tokens"] = _of(body, ("inputTextTokenCount", "prompt_token_count"))
        fields["output_tokens"] = body.get("generation_token_count")
        if inner is not None and fields["output_tokens"] is None:
            counts = [mapping(item).get("tokenCount") for item in inner]
            fields["output_tokens"] = next((count for count in counts if count is not None), None)
    if text:
        fields["response"] = messages.reply(body) or _said(body, inner)
    return fields


def _of(body: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        if (found := body.get(name)) is not None:
            return found
    return None


def _tools(body: Mapping[str, Any]) -> Any:
    if "tools" in body or "functions" in body:
        return first(body.get("tools"), body.get("functions"))
    return mapping(body["toolConfig"]).get("tools") if "toolConfig" in body else None


def _asked(body: Any) -> Fields:
    system, prompt = messages.conversation(body)
    return {"system": system, "prompt": prompt}


def _said(body: Mapping[str, Any], inner: Any) -> str | None:
    for key in _TEXTS:
        if isinstance(found := body.get(key), str) and found:
            return found
    if inner is None:
        return None
    texts = [
        found
        for item in inner
        if isinstance(item, dict)
        and isinstance(found := first(item.get("outputText"), item.get("text")), str)
    ]
    return "\n\n".join(texts) or None


def _some(body: Mapping[str, Any], settings: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    found = _of(body, names)
    return _of(settings, names) if found is None and settings else found
