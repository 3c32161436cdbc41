"""Word pairs, held to a second implementation that hashes one pair at a time."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.fingerprints import kernel
from stillhunt.fingerprints.pairs import PAIRS, word_pairs
from stillhunt.fingerprints.tokens import reference_tokens


def pairs_of(*texts: str | None) -> list[list[int]]:
    found: list[list[int]] = word_pairs(pa.array(texts, pa.large_string())).to_pylist()
    return found


def one_by_one(text: str) -> list[int]:
    """Hashes of the text's pairs, each taken from a text of its own."""
    tokens = reference_tokens(text.encode())
    alone = {a + b" " + b for a, b in pairwise(tokens)}
    hashes = {h for both in alone for h in pairs_of(both.decode("utf-8", "replace"))[0]}
    return sorted(hashes)[:PAIRS]


def test_pairs_are_the_least_hashes_of_neighbours() -> None:
    for text in ("the cat sat on the mat", "1 2 three 44", "Ein Übel, ein Übel!", "a " * 90):
        assert pairs_of(text) == [one_by_one(text)]


def test_long_texts_keep_the_least() -> None:
    text = " ".join(f"w{i * 7919 % 1000}" for i in range(900))
    found = pairs_of(text)[0]
    assert len(found) == PAIRS
    assert found == one_by_one(text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab cé 1日.", max_size=60), st.text(alphabet="ab cé 1日.", max_size=60))
def test_what_a_part_keeps_the_whole_keeps_too(one: str, other: str) -> None:
    """Consistent sampling: while there is room, a longer text has the pairs of its part."""
    part, whole = pairs_of(one, f"{one} . {other}")
    assert set(part) <= set(whole)
    assert whole == sorted(set(whole))


def test_no_text_no_pairs() -> None:
    assert pairs_of(None, "", "alone", "two words", None) == [
        [],
        [],
        [],
        pairs_of("two words")[0],
        [],
    ]
    assert pairs_of() == []


def test_tokens_are_the_kernels() -> None:
    assert pairs_of("The CAT  sat!") == pairs_of("the cat sat")
    assert kernel.BEFORE >= 1
