"""Captures of OpenLLMetry's instrumentations of ``openai`` and ``anthropic``."""

from _clients import Variant, capture

REQUIREMENTS = [
    "anthropic",
    "openai",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-anthropic",
    "opentelemetry-instrumentation-openai",
    "opentelemetry-sdk",
]

if __name__ == "__main__":
    home = "opentelemetry.instrumentation"
    capture(
        __file__,
        [
            Variant("openai", f"{home}.openai", "OpenAIInstrumentor"),
            Variant("anthropic", f"{home}.anthropic", "AnthropicInstrumentor"),
        ],
    )
