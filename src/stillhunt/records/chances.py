"""Words for probabilities, so that one word means one thing everywhere."""

from __future__ import annotations

ICD_203: tuple[tuple[float, float, str], ...] = (
    (0.01, 0.05, "almost no chance"),
    (0.05, 0.20, "very unlikely"),
    (0.20, 0.45, "unlikely"),
    (0.45, 0.55, "roughly even chance"),
    (0.55, 0.80, "likely"),
    (0.80, 0.95, "very likely"),
    (0.95, 0.99, "almost certain"),
)
"""The words of Intelligence Community Directive 203 (2015) and the probabilities they stand for."""


def estimative_word(chance: float) -> str:
    """The word for a probability; beyond the table's ends the outermost word holds."""
    return next((word for _, high, word in ICD_203 if chance < high), ICD_203[-1][2])
