"""OpenInference spans in OTLP, which Envoy AI Gateway's tracing writes unless told otherwise.

They are read as OpenTelemetry's are; a file may hold both. The format has a name of its own since
what an operator can switch on is another thing.
"""

from __future__ import annotations

from itertools import islice

from stillhunt.readers.formats.otel import ACCOUNT, CLIENT, COLUMNS, OpenTelemetry
from stillhunt.readers.otlp.frames import framing_of
from stillhunt.readers.otlp.json_items import json_items
from stillhunt.readers.otlp.openinference import speaks
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import Switch, register

_SPANS = 50
_SIGN = b"openinference.span.kind"


@register
class OpenInference(OpenTelemetry):
    """OTLP with OpenInference spans."""

    name = "openinference"
    summary = "OpenInference spans, as Envoy AI Gateway's tracing writes them: OTLP as above"
    columns = COLUMNS
    switches = (
        ACCOUNT,
        CLIENT,
        Switch(
            ("system", "prompt", "response"),
            "Leave OPENINFERENCE_HIDE_INPUTS and OPENINFERENCE_HIDE_OUTPUTS unset.",
        ),
    )

    def sniff(self, sample: Sample) -> float:
        """By the share of spans that have OpenInference's names, or by one in the first bytes."""
        if not sample.records:
            return 0.95 if framing_of(sample.head) and _SIGN in sample.head else 0.0
        otlp = super().sniff(sample)
        if otlp == 0.0:
            return 0.0
        items = (item for record in sample.records for item in json_items(1, record))
        spans = [item.attributes for item in islice(items, _SPANS)]
        told = sum(speaks(attributes) for attributes in spans)
        return otlp + 0.02 if told * 2 > len(spans) else 0.0
