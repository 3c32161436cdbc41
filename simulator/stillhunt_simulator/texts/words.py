"""The words of one simulation: those of the vocabulary, and many more that its seed invents."""

from __future__ import annotations

import numpy as np

from stillhunt_simulator.texts.vocabulary import ENDINGS, STEMS, SYLLABLES, WORDS

_NAMES = 12_000
_NUMBERS = 4_000
_INVENTED = {"N": 5_000, "A": 2_500, "V": 2_500, "I": 2_000}


def words_of(rng: np.random.Generator) -> dict[tuple[str, str], list[str]]:
    """Word lists by language and class, frequent words first.

    The seed decides which real words are frequent, and invents proper names, numbers and, behind
    the real words, thousands of rarer ones from the syllables of each language.
    """
    names, numbers = _names(rng), _numbers(rng)
    invented = {
        language: {key: _coined(rng, language, key, n) for key, n in _INVENTED.items()}
        for language in STEMS
    }
    out: dict[tuple[str, str], list[str]] = {}
    for language, classes in WORDS.items():
        for key, words in classes.items():
            real = words.split()
            rng.shuffle(real)
            coined = invented.get("en" if language == "any" else language, {}).get(key, [])
            out[language, key] = list(dict.fromkeys(real + coined))
        out[language, "E"] = names
        out[language, "#"] = numbers
    return out


def _coined(rng: np.random.Generator, language: str, key: str, n: int) -> list[str]:
    """Words that no dictionary has: two or three syllables and an ending of the class."""
    stems, endings = STEMS[language].split(), ENDINGS[language][key].split()
    picks = rng.integers(len(stems), size=(n, 3))
    lengths = rng.choice((2, 3) if language != "zh" else (1, 2), size=n, p=(0.6, 0.4))
    ends = rng.integers(len(endings), size=n)
    words = [
        "".join(stems[i] for i in row[:length]) + endings[end].strip("-")
        for row, length, end in zip(picks.tolist(), lengths.tolist(), ends.tolist(), strict=True)
    ]
    return [word.capitalize() for word in words] if (language, key) == ("de", "N") else words


def _names(rng: np.random.Generator) -> list[str]:
    """Proper names that belong to no one: two to four syllables."""
    syllables = SYLLABLES.split()
    picks = rng.integers(len(syllables), size=(_NAMES, 4)).tolist()
    lengths = rng.choice((2, 3, 4), size=_NAMES, p=(0.3, 0.55, 0.15)).tolist()
    names = (
        "".join(syllables[i] for i in row[:length]).capitalize()
        for row, length in zip(picks, lengths, strict=True)
    )
    return list(dict.fromkeys(names))


def _numbers(rng: np.random.Generator) -> list[str]:
    whole = np.maximum(2, np.exp(rng.normal(4.2, 1.8, _NUMBERS))).astype(np.int64).tolist()
    tenths = (rng.random(_NUMBERS) < 0.2).tolist()
    return [f"{w}.{w % 9 + 1}" if t else str(w) for w, t in zip(whole, tenths, strict=True)]
