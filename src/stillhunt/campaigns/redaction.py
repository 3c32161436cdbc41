"""What of a prompt may be kept: capped, and without what looks personal or secret."""

from __future__ import annotations

import re

CAP = 600
"""Characters of an exemplar that are kept."""

# No pattern nests one repetition in another that could match the same characters, and the text is
# short, so matching is linear.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\beyJ[-_A-Za-z0-9]{8,}(?:\.[-_A-Za-z0-9]+){0,2}"), "[secret]"),
    (
        re.compile(
            r"\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|hf|xox[abeoprs]|AKIA|ASIA|AIza)[-_A-Za-z0-9]{12,}"
        ),
        "[secret]",
    ),
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"), "[e-mail]"),
    (re.compile(r"\bhttps?://[^\s<>\"']+"), "[link]"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "[address]"),
    (
        re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){1,7}(?::[0-9A-Fa-f]{1,4}){1,7}(?!\w)"),
        "[address]",
    ),
    (re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?!\w)"), "[address]"),
    (re.compile(r"\+?\d[\d ().-]{7,20}\d"), "[number]"),
    (re.compile(r"\b[A-Fa-f0-9]{32,}\b"), "[secret]"),
)


def redact(text: str, cap: int) -> str:
    """A text's beginning without e-mail addresses, links, network addresses, long numbers and keys.

    Args:
        text: any text.
        cap: characters kept; a cut is marked.
    """
    # A little more than the cap is looked at, so that nothing is left half redacted at the cut.
    beginning = text[: cap + 400]
    for pattern, stand_in in _PATTERNS:
        beginning = pattern.sub(stand_in, beginning)
    return beginning if len(text) <= cap and len(beginning) <= cap else beginning[:cap] + "…"


def capped(text: str, cap: int = CAP) -> str:
    """A redacted text's beginning; a cut is marked."""
    return text if len(text) <= cap else text[:cap] + "…"
