"""Captures of OpenInference's instrumentations of ``openai`` and ``anthropic``."""

from _clients import Variant, capture

REQUIREMENTS = [
    "anthropic",
    "openai",
    "openinference-instrumentation-anthropic",
    "openinference-instrumentation-openai",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-sdk",
]

if __name__ == "__main__":
    home = "openinference.instrumentation"
    capture(
        __file__,
        [
            Variant("openai", f"{home}.openai", "OpenAIInstrumentor"),
            Variant("anthropic", f"{home}.anthropic", "AnthropicInstrumentor"),
        ],
    )
