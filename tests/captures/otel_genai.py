"""Captures of OpenTelemetry's own instrumentation of ``openai``: older events, newer event, span."""

from _clients import Variant, capture

REQUIREMENTS = [
    # The newest openai-v2 goes with neither the newest openai nor the newest util-genai.
    "httpx",
    "openai<3",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-openai-v2==2.4b0",
    "opentelemetry-sdk",
    "opentelemetry-util-genai==0.4b0",
]

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EVENT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
LATEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
OPENAI = ("opentelemetry.instrumentation.openai_v2", "OpenAIInstrumentor")

if __name__ == "__main__":
    capture(
        __file__,
        [
            Variant("older-events-openai", *OPENAI, {CONTENT: "true"}),
            Variant(
                "details-event-openai", *OPENAI, LATEST | {CONTENT: "EVENT_ONLY", EVENT: "true"}
            ),
            Variant("span-openai", *OPENAI, LATEST | {CONTENT: "SPAN_ONLY"}),
        ],
    )
