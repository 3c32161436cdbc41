"""Streamed responses put together: chunks, or the text of server-sent events, as one body.

Understood: chunks of OpenAI's chat completions, completions and responses, events of Anthropic's
messages, and what Bedrock stores of a stream (Anthropic's events, Converse's, Titan's, Llama's,
Mistral's). Whatever is no chunk is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stillhunt.readers.nested import decoded, mapping
from stillhunt.readers.records import parse_object

_WHOLE = ("response.completed", "response.incomplete", "response.failed")
_CONVERSE = frozenset(
    {"messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata"}
)
_PIECES = ("outputText", "generation", "completion", "text")
_COUNTS = {
    "input_tokens": ("inputTextTokenCount", "prompt_token_count"),
    "output_tokens": ("totalOutputTextTokenCount", "generation_token_count"),
}
_REASONS = ("stop_reason", "completionReason", "finish_reason")


def whole_body(value: Any) -> Any:
    """Return a response body in one piece, however it was stored.

    Args:
        value: a body, JSON in a string, a list of stream chunks, or the text of an event stream.
    """
    if isinstance(value, str):
        head = value.lstrip()[:6]
        if head.startswith(("data:", "event:", ":", "id:")):
            return assembled(events(value))
        return decoded(value)
    if isinstance(value, list) and value and isinstance(value[0], dict) and _is_chunk(value[0]):
        return assembled(value)
    return value


def events(text: str) -> Iterator[Mapping[str, Any]]:
    """Give the objects in the ``data`` of server-sent events (HTML standard, section 9.2)."""
    held: list[str] = []
    for line in text.splitlines():
        if line.startswith("data:"):
            data = line[5:].lstrip()
            # Nearly all APIs write an event's data on one line; an object that parses is whole.
            found = decoded(data) if not held else None
            if type(found) is dict:
                yield found
                continue
            held.append(data)
            found, _ = parse_object("\n".join(held).encode("utf-8", "replace"))
            if found is not None:
                yield found
                held = []
        elif not line:
            held = []


def assembled(chunks: Iterable[Any]) -> dict[str, Any]:
    """Put the chunks of one stream together, in their order."""
    body: dict[str, Any] = {}
    choices: dict[Any, _Choice] = {}
    blocks: dict[Any, _Block] = {}
    plain: list[str] = []
    for chunk in chunks:
        if not isinstance(chunk, dict):
            continue
        kind = chunk.get("type")
        if kind in _WHOLE:
            return dict(mapping(chunk.get("response")))
        if kind == "response.output_text.delta":
            plain.append(_string(chunk.get("delta")))
        elif isinstance(kind, str) and (kind.startswith(("message_", "content_block_"))):
            _anthropic(chunk, kind, body, blocks)
        elif _CONVERSE & chunk.keys():
            _converse(chunk, body, blocks)
        elif isinstance(found := chunk.get("choices", chunk.get("outputs")), list):
            for choice in found:
                _openai(choice, choices)
            _note(chunk, body)
        else:
            plain += [_string(chunk.get(name)) for name in _PIECES]
            _note(chunk, body)
    if blocks:
        body["content"] = [block.whole() for block in blocks.values()]
    if choices:
        body["choices"] = [choice.whole() for choice in choices.values()]
    elif text := "".join(plain):
        body["text"] = text
    return body


class _Choice:
    """One choice of OpenAI's chunks under way."""

    def __init__(self) -> None:
        self.parts: dict[str, list[str]] = {"content": [], "reasoning_content": []}
        self.calls: dict[Any, dict[str, list[str]]] = {}
        self.reason: Any = None

    def whole(self) -> dict[str, Any]:
        """Return the choice as if it had not been streamed."""
        message: dict[str, Any] = {
            name: "".join(pieces) for name, pieces in self.parts.items() if pieces
        }
        if self.calls:
            message["tool_calls"] = [
                {"function": {key: "".join(pieces) for key, pieces in call.items()}}
                for call in self.calls.values()
            ]
        return {"message": message, "finish_reason": self.reason}


class _Block:
    """One block of content of Anthropic's or Converse's events under way."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = dict(start)
        self.text: list[str] = []
        self.arguments: list[str] = []

    def whole(self) -> dict[str, Any]:
        """Return the block as if it had not been streamed."""
        block = self.start
        if self.arguments:
            block["input"] = decoded("".join(self.arguments))
        if self.text:
            key = "thinking" if block.get("type") == "thinking" else "text"
            block[key] = _string(block.get(key)) + "".join(self.text)
        return block


def _is_chunk(item: Mapping[str, Any]) -> bool:
    if item.keys() & _CONVERSE or item.keys() & {"outputText", "generation", "outputs"}:
        return True
    kind = item.get("type")
    if isinstance(kind, str) and kind.startswith(("message_", "content_block_", "response.")):
        return True
    choices = item.get("choices")
    return isinstance(choices, list) and "object" in item


def _openai(choice: Any, choices: dict[Any, _Choice]) -> None:
    if not isinstance(choice, dict):
        return
    held = choices.setdefault(_key(choice.get("index")), _Choice())
    delta = choice.get("delta")
    delta = delta if isinstance(delta, dict) else choice
    for name, source in (
        ("content", "content"), ("content", "text"), ("content", "refusal"),
        ("reasoning_content", "reasoning_content"), ("reasoning_content", "reasoning"),
    ):  # fmt: skip
        if isinstance(piece := delta.get(source), str) and piece:
            held.parts[name].append(piece)
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            under_way = held.calls.setdefault(
                _key(call.get("index")), {"name": [], "arguments": []}
            )
            function = mapping(call.get("function"))
            for key, pieces in under_way.items():
                pieces.append(_string(function.get(key)))
    held.reason = choice.get("finish_reason") or choice.get("stop_reason") or held.reason


def _anthropic(
    event: Mapping[str, Any], kind: str, body: dict[str, Any], blocks: dict[Any, _Block]
) -> None:
    if kind == "message_start":
        message = mapping(event.get("message"))
        body |= {key: message.get(key) for key in ("id", "model", "role")}
        body["usage"] = dict(mapping(message.get("usage")))
    elif kind == "content_block_start":
        blocks[_key(event.get("index"))] = _Block(mapping(event.get("content_block")))
    elif kind == "content_block_delta":
        block = blocks.setdefault(_key(event.get("index")), _Block({"type": "text"}))
        delta = mapping(event.get("delta"))
        block.text += [_string(delta.get("text")), _string(delta.get("thinking"))]
        if piece := _string(delta.get("partial_json")):
            block.arguments.append(piece)
    elif kind == "message_delta":
        body["stop_reason"] = mapping(event.get("delta")).get("stop_reason")
        body["usage"] = {**mapping(body.get("usage")), **mapping(event.get("usage"))}


def _converse(event: Mapping[str, Any], body: dict[str, Any], blocks: dict[Any, _Block]) -> None:
    if "contentBlockStart" in event:
        start = mapping(event["contentBlockStart"])
        use = mapping(mapping(start.get("start")).get("toolUse"))
        block = {"type": "tool_use", "name": use.get("name")} if use else {"type": "text"}
        blocks[_key(start.get("contentBlockIndex"))] = _Block(block)
    elif "contentBlockDelta" in event:
        inner = mapping(event["contentBlockDelta"])
        delta = mapping(inner.get("delta"))
        reasoning = _string(mapping(delta.get("reasoningContent")).get("text"))
        kind = "thinking" if reasoning else "text"
        block_ = blocks.setdefault(_key(inner.get("contentBlockIndex")), _Block({"type": kind}))
        block_.text += [_string(delta.get("text")), reasoning]
        if piece := _string(mapping(delta.get("toolUse")).get("input")):
            block_.arguments.append(piece)
    elif "messageStop" in event:
        body["stop_reason"] = mapping(event["messageStop"]).get("stopReason")
    elif "metadata" in event:
        body["usage"] = dict(mapping(mapping(event["metadata"]).get("usage")))


def _note(chunk: Mapping[str, Any], body: dict[str, Any]) -> None:
    """Keep what chunks say beside the text; later ones say it better."""
    for key in ("id", "model", "created", "usage"):
        if chunk.get(key):
            body[key] = chunk[key]
    if "choices" in chunk:
        return
    for key in _REASONS:
        if isinstance(reason := chunk.get(key), str) and reason:
            body["stop_reason"] = reason
    for name, keys in _COUNTS.items():
        for key in keys:
            if chunk.get(key) is not None:
                body["usage"] = {**mapping(body.get("usage")), name: chunk[key]}


def _key(index: Any) -> Any:
    """Return an index that can be a key; what is none stands for the first."""
    return index if isinstance(index, int | str) else 0


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
