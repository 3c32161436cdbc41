"""Says in words what changed; from bins and shares alone, never from a prompt."""

from __future__ import annotations

import numpy as np

from stillhunt.scoring.window.histogram import Bins, Feature
from stillhunt.scoring.window.judge import Change
from stillhunt.scoring.window.rows import cue_names

_COUNTED = {
    "words": "prompts of {} words",
    "guarantee": "prompts whose sampled runs guarantee {} words",
    "input_tokens": "requests of {} input tokens",
    "output_tokens": "answers of {} tokens",
    "response_bytes": "answers of {} bytes",
    "max_tokens": "requests that allow {} tokens",
    "temperature": "requests at a temperature of {}",
}
_FAMILIAR = {"known_pairs": "word pairs", "known_grams": "phrases of six words"}
_NAMED = {
    "model": "requests to one model",
    "system": "requests with one system prompt",
    "finish": "answers that finished in one way",
    "status": "answers with one status",
    "stream": "requests that set streaming one way",
}


def change_words(change: Change, bins: Bins) -> str:
    """One change, with its shares: ``prompts of 21 to 57 words: 31 % (12 % before)``."""
    shares = f"{change.now:.1%} ({change.before:.1%} before)".replace("%", " %")
    return f"{_what(change, bins.features[change.feature])}: {shares}"


def _what(change: Change, feature: Feature) -> str:
    if feature.name == "cues":
        return f"prompts whose cue says: {cue_names()[change.low]}"
    if feature.edges is None:
        return _NAMED[feature.name]
    low = float(feature.edges[change.low - 1]) if change.low > 0 else -np.inf
    high = float(feature.edges[change.high - 1]) if change.high < feature.bins else np.inf
    return _in_range(feature.name, low, high)


def _in_range(name: str, low: float, high: float) -> str:
    if name == "repeat":
        return "prompts sent before, word for word" if low >= 0 else "prompts not sent before"
    if name == "burst":
        return f"prompts with a skeleton {_range(2**low, 2**high)} times as common as before"
    if name in _FAMILIAR:
        return f"prompts whose {_FAMILIAR[name]} are {_how_known(low, high)}"
    return _COUNTED[name].format(_range(low, high))


def _range(low: float, high: float) -> str:
    if low <= 0 and np.isinf(high):
        return "any number of"
    if np.isinf(high):
        return f"more than {low:,.4g}"
    return f"at most {high:,.4g}" if np.isinf(low) or low <= 0 else f"{low:,.4g} to {high:,.4g}"


def _how_known(low: float, high: float) -> str:
    if np.isinf(low):
        return f"little known (familiarity up to {high:.2f})"
    if np.isinf(high):
        return f"well known (familiarity above {low:.2f})"
    return f"known to a degree (familiarity {low:.2f} to {high:.2f})"
