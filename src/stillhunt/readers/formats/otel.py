"""OpenTelemetry GenAI: OTLP of spans and events, as JSON lines, as one JSON document, as protobuf.

An exchange is a span of a model call, or the event ``gen_ai.client.inference.operation.details``. What
belongs to the same span (content on events) is joined within a window of some thousand calls of one
file. What a span is told with decides how it is read: ``readers/otlp`` knows the names.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhunt.readers.options import ReadBatch
from stillhunt.readers.otlp.frames import framing_of
from stillhunt.readers.otlp.reading import OtlpMapper, binary_exchanges
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import Gathered, LogFormat, Mapper, Opened, Switch, register

COLUMNS = {
    "exchange_id": "derived",
    "time": "carried",
    "account": "carried",
    "client_address": "carried",
    "tls_fingerprint": "carried",
    "user_agent": "carried",
    "request_model": "carried",
    "system": "derived",
    "prompt": "derived",
    "response": "derived",
    "input_tokens": "carried",
    "output_tokens": "carried",
    "max_tokens": "carried",
    "status": "carried",
    "finish_reason": "derived",
    "temperature": "carried",
    "stream": "carried",
}
"""What a span can carry, whichever names it is told with."""

ACCOUNT = Switch(
    ("account",),
    "Have the gateway set user.id on its spans to whom it authenticated; without an account a row is"
    " lost.",
)
CLIENT = Switch(
    ("client_address", "user_agent", "tls_fingerprint"),
    "Have the gateway set client.address, user_agent.original and tls.client.ja4 on its spans.",
)


_LENGTH = frozenset(bytes([first]) for first in range(5))
"""First bytes of a length of 4 bytes that may be."""


@register
class OpenTelemetry(LogFormat):
    """OTLP with GenAI spans or events."""

    name = "otel"
    summary = "OpenTelemetry GenAI spans and events: OTLP as JSON lines, JSON or protobuf"
    columns = COLUMNS
    switches = (
        ACCOUNT,
        CLIENT,
        Switch(
            ("system", "prompt", "response"),
            "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only (or true, for older"
            " instrumentations), so that spans carry content.",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of lines that are OTLP, or by the first bytes."""
        if sample.container != "json lines":
            return 0.0
        if not sample.records:
            return 0.9 if framing_of(sample.head) else 0.0
        known = sum("resourceSpans" in r or "resourceLogs" in r for r in sample.records)
        return 0.95 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return a mapper with a window of its own."""
        return OtlpMapper(file, self.options.trusted_hops)

    def read(self, file: Opened) -> Iterator[ReadBatch]:
        """Read JSON record by record, protobuf request by request."""
        head = file.sample.head
        framing = None if file.sample.records else framing_of(head)
        if framing is None and not file.sample.records and head[:1] in _LENGTH:
            framing = "4 bytes"  # no text begins so: that it is OTLP was said
        if framing is None:
            yield from super().read(file)
            return
        gathered = Gathered(file)
        mapper = OtlpMapper(file, self.options.trusted_hops)
        for produced, size in binary_exchanges(file, framing, mapper):
            gathered.extend(produced, size)
            if gathered.full:
                yield from gathered.settle()
        yield from gathered.settle()
