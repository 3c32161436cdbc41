"""Instrumented ``openai`` and ``anthropic`` clients at work, and what OpenTelemetry's SDK exports.

The real clients talk to a fake upstream; the OpenTelemetry SDK exports over OTLP/HTTP to a sink on
this machine. Each instrumentation runs in a process of its own, for they patch the same clients. What
the sink was sent is written twice: as the bytes that came, each request preceded by its length in
4 bytes, as the collector's file exporter does with ``format: proto``; and as JSON lines.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from _upstream import upstream

WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PICTURE = "iVBORw0KGgo="


class Sink(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    protocol_version = "HTTP/1.1"
    kept: list[tuple[str, bytes]] = []  # noqa: RUF012 - of the one server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Keep one request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()


@dataclass(frozen=True)
class Variant:
    """One way to instrument a client.

    Attributes:
        name: of the files that are written.
        module, instrumentor: where the instrumentation's class is, and its name.
        settings: environment variables that it is told by.
    """

    name: str
    module: str
    instrumentor: str
    settings: dict[str, str] = field(default_factory=dict)


def child(variant: Variant, api: str, sink: str) -> None:
    """Instrument, call, export; the clients are imported only once the settings are there."""
    import importlib

    from opentelemetry._logs import set_logger_provider
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    class Caller(SpanProcessor):
        """What a gateway knows of its callers, on every span, as it would put it there."""

        def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002
            span.set_attribute("user.id", "user-ada")
            span.set_attribute("client.address", "203.0.113.7")
            span.set_attribute("user_agent.original", "OpenAI/Python 2.8.1")

    resource = Resource.create(
        {"service.name": "gateway", "host.name": "gateway-1", "user.id": "user-ada"}
    )
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(Caller())
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{sink}/v1/traces")))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{sink}/v1/logs"))
    )
    set_logger_provider(loggers)
    instrumentor = getattr(importlib.import_module(variant.module), variant.instrumentor)()
    instrumentor.instrument(tracer_provider=tracers, logger_provider=loggers)
    if variant.name.endswith("anthropic"):
        _anthropic_calls(api)
    else:
        asyncio.run(_openai_calls(api))
    tracers.shutdown()
    loggers.shutdown()


async def _openai_calls(api: str) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{api}/v1", api_key="fake", max_retries=0)
    chat = client.chat.completions
    ask: Any = {"model": "atlas-4", "messages": [{"role": "user", "content": "Six times seven?"}]}
    chat.create(**ask)
    brief: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    chat.create(model="atlas-4", messages=brief, max_tokens=64, temperature=0.2)
    options: Any = {"include_usage": True}
    for _ in chat.create(**ask, stream=True, stream_options=options):
        pass
    tools: Any = [{"type": "function", "function": WEATHER}]
    weather: Any = [{"role": "user", "content": "Weather in Lisbon?"}]
    chat.create(model="atlas-4", messages=weather, tools=tools)
    call = {"name": "get_weather", "arguments": '{"city":"Lisbon"}'}
    after: Any = [
        *weather,
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "22 degrees"},
    ]  # fmt: skip
    chat.create(model="atlas-4", messages=after)
    picture = {"url": f"data:image/png;base64,{PICTURE}"}
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": picture},
    ]
    chat.create(model="atlas-4", messages=[{"role": "user", "content": parts}])
    with suppress(openai.APIStatusError):
        chat.create(model="atlas-broken", messages=ask["messages"])
    client.embeddings.create(model="atlas-embed", input="embed me")
    client.responses.create(model="atlas-4", input="Respond.", instructions="Be kind.")
    other = openai.AsyncOpenAI(base_url=f"{api}/v1", api_key="fake", max_retries=0)
    await other.chat.completions.create(**ask)


def _anthropic_calls(api: str) -> None:
    import anthropic

    client = anthropic.Anthropic(base_url=api, api_key="fake", max_retries=0)
    ask: Any = {"model": "atlas-5", "max_tokens": 64}
    hello: Any = [{"role": "user", "content": "Dis bonjour."}]
    client.messages.create(**ask, messages=hello)
    client.messages.create(**ask, messages=hello, system="Be brief.")
    for _ in client.messages.create(**ask, messages=hello, stream=True):
        pass
    tool = {"name": "get_weather", "description": "Weather of a city"}
    tools: Any = [{**tool, "input_schema": WEATHER["parameters"]}]
    client.messages.create(**ask, messages=hello, tools=tools)
    used = {"type": "tool_use", "id": "toolu_1", "name": "get_weather"}
    after: Any = [
        *hello,
        {"role": "assistant", "content": [{**used, "input": {"city": "Lisbon"}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "22 degrees"}],
        },
    ]
    client.messages.create(**ask, messages=after)
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    parts: Any = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]
    client.messages.create(**ask, messages=[{"role": "user", "content": parts}])
    with suppress(anthropic.APIStatusError):
        client.messages.create(model="atlas-broken", max_tokens=64, messages=hello)


def lines(path: str, body: bytes) -> str:
    """One request as a line of OTLP's JSON, in which ids are hex (proto3's JSON has base64)."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    kind = ExportLogsServiceRequest if path.endswith("logs") else ExportTraceServiceRequest
    document = MessageToDict(kind.FromString(body), use_integers_for_enums=True)

    def hexed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: base64.b64decode(inner).hex()
                if key in ("traceId", "spanId", "parentSpanId")
                else hexed(inner)
                for key, inner in value.items()
            }
        return [hexed(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(hexed(document)) + "\n"


def capture(script: str, variants: Sequence[Variant]) -> None:
    """Run every variant and write its two files into the folder named on the command line."""
    if sys.argv[1:2] == ["--child"]:
        chosen = next(one for one in variants if one.name == sys.argv[2])
        child(chosen, *sys.argv[3:5])
        return
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {script} OUT")
    out = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sink = f"http://127.0.0.1:{server.server_address[1]}"
    with upstream() as api:
        for variant in variants:
            Sink.kept.clear()
            subprocess.run(
                [sys.executable, script, "--child", variant.name, api, sink],
                check=True,
                env={**os.environ, **variant.settings},
            )
            kept = sorted(Sink.kept)
            framed = b"".join(struct.pack(">I", len(body)) + body for _, body in kept)
            (out / f"{variant.name}.otlp").write_bytes(framed)
            (out / f"{variant.name}.jsonl").write_text("".join(lines(*one) for one in kept))
            print(f"  {variant.name}: {len(kept)} requests", flush=True)
    server.shutdown()
