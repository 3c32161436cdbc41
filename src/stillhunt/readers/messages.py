"""Chat messages as plain text: one convention for every format.

``system`` holds system and developer turns, joined by blank lines, then the definitions of the
tools, one compact JSON line each. ``prompt`` holds the other turns: a single user turn stays as it
is; several become paragraphs ``User: ...``, ``Assistant: ...``, ``Tool: ...``. Images, audio and
files become ``[image]``, ``[audio]``, ``[file]``; tool calls ``[tool call: name arguments]``.

Understood shapes: OpenAI chat completions and responses, Anthropic messages, Bedrock's Converse,
OpenTelemetry's ``parts``. Anything else is passed over: logs hold what customers sent, which may be anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

_SYSTEM = frozenset({"system", "developer"})
_NAMES = {
    "user": "User",
    "human": "User",
    "assistant": "Assistant",
    "model": "Assistant",
    "ai": "Assistant",
    "tool": "Tool",
    "function": "Tool",
}
_MEDIA = (("image", "[image]"), ("audio", "[audio]"), ("video", "[video]"))
_FILES = frozenset({"file", "input_file", "document", "blob", "uri"})
_CALLS = frozenset(
    {"tool_call", "tool_use", "function_call", "server_tool_call", "server_tool_use"}
)
_RESULTS = frozenset(
    {
        "tool_call_response",
        "tool_result",
        "function_call_output",
        "server_tool_call_response",
        "web_search_tool_result",
    }
)
_REASONS = ("finish_reason", "stop_reason", "stopReason", "finishReason", "completionReason")
# Bedrock's Converse names a part by its only key instead of a type.
_KEYED_MEDIA = {
    "image": "[image]", "audio": "[audio]", "video": "[video]", "document": "[file]",
}  # fmt: skip
_KEYED = ("reasoningContent", "reasoningText", "guardContent")
_CONTENTS = ("reasoning_content", "content", "parts", "text")
_ANSWERS = ("response", "result", "output", "content")
_DEEPEST = 16


def conversation(
    messages: Any, tools: Any = None, instructions: Any = None
) -> tuple[str | None, str | None]:
    """Return (system, prompt) of a request; each None where there is nothing of it.

    Args:
        messages: a list of messages, or a bare prompt.
        tools: a list of tool definitions.
        instructions: the system text where the API keeps it apart from the messages.
    """
    system = [text for text in (content_text(instructions),) if text]
    turns: list[tuple[str, str]] = []
    for role, text in _turns(messages):
        if role in _SYSTEM:
            system.append(text)
        else:
            turns.append((role, text))
    if isinstance(tools, list):
        definitions = "\n".join(compact(tool) for tool in tools if tool is not None)
        if definitions:
            system.append(definitions)
    return ("\n\n".join(system) if system else None), _prompt(turns)


def reply(response: Any, depth: int = 0) -> str | None:
    """Return what the model said: its text, its reasoning where logged, its tool calls.

    Args:
        response: a response body, a list of choices or of messages, or bare text.
        depth: how far down this is.
    """
    if isinstance(response, str):
        return response
    if depth > _DEEPEST:
        return None
    if isinstance(response, list):
        texts = [text for item in response if (text := reply(item, depth + 1))]
        return "\n\n".join(texts) or None
    if not isinstance(response, dict):
        return None
    for key in ("choices", "output", "message", "candidates"):
        inner = response.get(key)
        if isinstance(inner, (list, dict)) and inner:
            return reply(inner, depth + 1)
    return _message_text(response) or None


def finish_reason(response: Any) -> str | None:
    """Return why the model stopped, of the first choice that says so."""
    if isinstance(response, list):
        return next((found for item in response if (found := finish_reason(item))), None)
    if not isinstance(response, dict):
        return None
    for key in _REASONS:
        if isinstance(found := response.get(key), str) and found:
            return found
    return finish_reason(response.get("choices")) if "choices" in response else None


def content_text(content: Any, depth: int = 0) -> str:
    """Return the text of a message's content: a string, a part, or a list of parts."""
    if isinstance(content, str):
        return content
    if depth > _DEEPEST:
        return ""
    if isinstance(content, list):
        texts = [text for part in content if (text := content_text(part, depth + 1))]
        return "\n".join(texts)
    if isinstance(content, dict):
        return _part_text(content, depth)
    return ""


def compact(value: Any) -> str:
    """Return a value as one line of JSON without spaces."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):
        return json.dumps(value, separators=(",", ":"), default=str)


def _turns(messages: Any) -> Iterator[tuple[str, str]]:
    if isinstance(messages, str):
        if messages:
            yield "user", messages
        return
    if isinstance(messages, dict):
        inner = messages.get("messages", messages.get("input", messages.get("prompt")))
        if inner is not None:
            if isinstance(system := messages.get("system"), str | list):
                yield "system", content_text(system)
            if not isinstance(inner, dict):
                yield from _turns(inner)
            return
        messages = [messages] if messages else []
    if not isinstance(messages, list):
        return
    for message in messages:
        if isinstance(message, str):
            yield "user", message
        elif isinstance(message, dict) and (text := _message_text(message)):
            yield _role(message), text


def _role(message: Mapping[str, Any]) -> str:
    role = message.get("role")
    if isinstance(role, str) and role:
        return role.lower()
    kind = message.get("type")
    if not isinstance(kind, str):
        return "user"
    if kind in _RESULTS:
        return "tool"
    return "assistant" if kind in _CALLS or kind == "reasoning" else "user"


def _prompt(turns: list[tuple[str, str]]) -> str | None:
    if not turns:
        return None
    if len(turns) == 1 and _NAMES.get(turns[0][0], "User") == "User":
        return turns[0][1]
    return "\n\n".join(f"{_NAMES.get(role, 'User')}: {text}" for role, text in turns)


def _message_text(message: Mapping[str, Any]) -> str:
    """Return reasoning, content and tool calls of one message, in that order."""
    if len(message) == 2 and isinstance(content := message.get("content"), str):
        return content  # role and content: what nearly all are
    texts = [text for key in _CONTENTS if key in message and (text := content_text(message[key]))]
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        texts += [_call(call) for call in calls if isinstance(call, dict)]
    elif isinstance(call := message.get("function_call"), dict):
        texts.append(_call(call))
    if not texts and "type" in message:
        return _part_text(message, 0)
    return "\n".join(texts)


def _part_text(part: Mapping[str, Any], depth: int) -> str:
    kind = part.get("type")
    kind = kind if isinstance(kind, str) else ""
    if kind == "text":  # what nearly all are
        for key in ("text", "content"):
            if isinstance(found := part.get(key), str) and found:
                return found
    if kind in _CALLS:
        return _call(part)
    if kind in _RESULTS:
        found = next((part[key] for key in _ANSWERS if part.get(key) is not None), "")
        return content_text(found, depth + 1) or compact(found)
    if mark := _medium(kind, part.get("modality")):
        return mark
    for key in ("text", "content", "thinking", "summary", "parts", "refusal", "reasoning"):
        if key in part and (text := content_text(part[key], depth + 1)):
            return text
    return "" if kind else _keyed_text(part, depth)


def _keyed_text(part: Mapping[str, Any], depth: int) -> str:
    if isinstance(use := part.get("toolUse"), dict):
        return _call(use)
    if isinstance(result := part.get("toolResult"), dict):
        found = result.get("content")
        return content_text(found, depth + 1) or compact(found)
    if "json" in part:
        return compact(part["json"])
    for key in _KEYED:
        if text := content_text(part.get(key), depth + 1):
            return text
    return next((mark for key, mark in _KEYED_MEDIA.items() if key in part), "")


def _medium(kind: str, modality: Any) -> str:
    for word, mark in _MEDIA:
        if word in kind or modality == word:
            return mark
    return "[file]" if kind in _FILES else ""


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    arguments = inner.get("arguments", inner.get("input"))
    written = "" if arguments is None else f" {compact(arguments)}"
    return f"[tool call: {compact(inner.get('name') or '')}{written}]"
