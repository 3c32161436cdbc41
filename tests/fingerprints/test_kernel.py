# ruff: noqa: RUF001 -- letters of many scripts are what is tested.
from __future__ import annotations

import random

import numpy as np
import oracle
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stillhunt.fingerprints.cues import CUE_GROUPS, phrase_table, reference_cues
from stillhunt.fingerprints.kernel import GRAMS, RUN, SYSTEM_GRAMS, cue_table
from stillhunt.fingerprints.text import TextFingerprints, fingerprint_text
from stillhunt.fingerprints.tokens import reference_tokens

TABLE = cue_table(phrase_table())
SCRIPTS = "aZ_9 .-\n\t\0é’“ßШагяحقप्रक्रिया한글日本語、。「」ＡＢﾊสวัສ😀\u00a0\u2028€½"
WORDS = ("the", "a", "model", "answer", "step", "7", "2024", "naïve", "шаг", "思", "考", "x_1")
PHRASES = sorted({" ".join(t.decode() for t in tokens) for tokens, _ in phrase_table()})


def column(texts: list[bytes | None]) -> pa.LargeStringArray:
    """A text column of any bytes, valid UTF-8 or not."""
    data = b"".join(text or b"" for text in texts)
    ends = np.cumsum([0] + [len(text or b"") for text in texts]).astype(np.int64)
    valid = pa.array([text is not None for text in texts], pa.bool_())
    mask = None if all(text is not None for text in texts) else valid.buffers()[1]
    return pa.LargeStringArray.from_buffers(
        len(texts), pa.py_buffer(ends.tobytes()), pa.py_buffer(data), mask
    )


def read(
    prompts: list[bytes | None], systems: list[bytes | None] | None = None, threads: int = 1
) -> TextFingerprints:
    return fingerprint_text(
        column(systems or [None] * len(prompts)), column(prompts), TABLE, threads
    )


def grams(fingerprints: TextFingerprints, row: int) -> set[int]:
    return set(fingerprints.grams[row, : fingerprints.count[row]].tolist())


def same(a: TextFingerprints, b: TextFingerprints) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


texts = st.one_of(
    st.binary(max_size=200),
    st.text(st.sampled_from(SCRIPTS), max_size=120).map(str.encode),
    st.lists(
        st.one_of(
            st.text(st.sampled_from(SCRIPTS), max_size=6).map(str.encode),
            st.sampled_from([b"\xe2", b"\xe3\x80", b"\xef\xbc", b"\xe0\xb8", b"\xf0\x9f", b"\xc2"]),
            st.sampled_from([b"a" * n for n in (7, 8, 9, 15, 16, 17, 57, 64, 65, 200)]),
        ),
        max_size=40,
    ).map(b"".join),
)


# Tokens and cues.


@given(texts)
@settings(max_examples=600, deadline=None)
@example(b"")
@example(b"a" * 63 + b"\xe2\x80\x99" + b"b" * 70)
@example(b"\xe4\xe4\xe4" * 30)
@example(b"\x80" * 100 + b"\xc2")
@example("0\N{THAI CHARACTER KO KAI}".encode())
def test_tokens_are_those_of_the_reference(text: bytes) -> None:
    tokens = reference_tokens(text)
    # Texts with the same tokens are the same item, wherever a byte of theirs lies in a buffer.
    spelled = b" . ".join(tokens)
    out = read([text, spelled, b"x", text])
    assert out.words[0] == out.words[1] == len(tokens)
    exact = [token for token in tokens if token != b"0"]
    if len(exact) == len(tokens):  # digits are kept apart in the item
        assert out.item[0] == out.item[1]
    assert grams(out, 0) == grams(out, 1)
    assert out.item[0] == out.item[3]
    assert grams(out, 0) == grams(out, 3)


@given(st.lists(st.one_of(st.sampled_from(PHRASES), texts.map(lambda t: t)), max_size=8))
@settings(max_examples=300, deadline=None)
def test_cues_are_those_of_the_reference(parts: list[str | bytes]) -> None:
    text = b" ".join(p.encode() if isinstance(p, str) else p for p in parts)
    assert read([text]).cues[0] == reference_cues(reference_tokens(text))


def test_every_phrase_is_a_cue_by_itself_and_inside_a_text() -> None:
    alone = read([phrase.encode() for phrase in PHRASES])
    inside = read([f"qqq {phrase} qqq".encode() for phrase in PHRASES])
    for row, phrase in enumerate(PHRASES):
        expected = reference_cues(reference_tokens(phrase.encode()))
        assert alone.cues[row] == expected
        assert inside.cues[row] == expected
    assert np.bitwise_or.reduce(alone.cues) == (1 << len(CUE_GROUPS)) - 1


def test_no_cue_spans_system_and_prompt() -> None:
    out = read([b"by step", b"step by step", None], [b"step", None, b"step by step"])
    assert out.cues[0] == reference_cues([b"step"]) | reference_cues([b"by", b"step"])
    assert out.cues[1] == out.cues[2] != out.cues[0]


# The sample.


def sentences(rng: random.Random, words: int, repeat: float = 0.0) -> list[bytes]:
    """Words from a big or a tiny vocabulary, or a phrase over and over."""
    if rng.random() < repeat:
        phrase = [rng.choice(WORDS).encode() for _ in range(rng.randint(1, 9))]
        return (phrase * (words // len(phrase) + 1))[:words]
    size = rng.choice([3, 50, 10**6])
    return [b"w%dx" % rng.randrange(size) for _ in range(words)]


@pytest.mark.parametrize("seed", range(40))
def test_sample_is_winnowing_with_the_smallest_window_that_fits(seed: int) -> None:
    rng = random.Random(seed)
    words = rng.choice([6, 7, 15, 21, 22, 23, 60, 110, 300, 900])
    text = b" ".join(sentences(rng, words, repeat=0.3))
    for budget, out in (
        (GRAMS, read([text])),
        (SYSTEM_GRAMS, read([None], [text])),
    ):
        window = int(out.guarantee[0]) - RUN + 1
        assert grams(out, 0) == oracle.sampled(text, window)
        assert oracle.fits(text, window, budget)
        assert window == 1 or not oracle.fits(text, window - 1, budget)


@pytest.mark.parametrize("seed", range(250))
def test_a_shared_run_of_the_guaranteed_length_shares_a_gram(seed: int) -> None:
    rng = random.Random(1000 + seed)

    def around(shared: list[bytes]) -> bytes:
        before = sentences(rng, rng.choice([0, 1, 5, 40, 300]), repeat=0.3)
        after = sentences(rng, rng.choice([0, 1, 5, 40, 300]), repeat=0.3)
        return b" ".join([*before, *shared, *after])

    script = rng.choice(["words", "repeats", "wide"])
    length = rng.choice([6, 8, 12, 20, 40, 80, 200])
    if script == "wide":
        shared = [chr(rng.randrange(0x4E00, 0x4E00 + 500)).encode() for _ in range(length)]
    else:
        shared = sentences(rng, length, repeat=float(script == "repeats"))
    one, two = around(shared), around(shared)
    out = read([one, two, None, b"hello", two], [None, None, two, one, one])
    for a in range(5):
        for b in range(5):
            if length >= max(out.guarantee[a], out.guarantee[b]):
                assert grams(out, a) & grams(out, b)


def test_the_guarantee_is_no_empty_promise() -> None:
    rng = random.Random(5)
    text = b" ".join(sentences(random.Random(3), 110))
    out = read([text, b" ".join(b"u%d" % rng.randrange(10**9) for _ in range(1000))])
    assert 14 <= out.guarantee[0] <= 30  # about 2 n / GRAMS + RUN
    assert 100 <= out.guarantee[1] <= 200
    assert 11 <= out.count[0] <= GRAMS  # two of them the ends


def test_short_texts_share_a_gram_exactly_if_they_are_equal() -> None:
    out = read([b"one two", b"One, TWO!", b"two one", b"one", b"one two three", b""])
    assert grams(out, 0) == grams(out, 1)
    assert len({*grams(out, 0), *grams(out, 2), *grams(out, 3), *grams(out, 4)}) == 4
    assert out.count.tolist() == [1, 1, 1, 1, 1, 0]
    assert set(out.guarantee.tolist()) == {RUN}


def test_a_repeated_phrase_spoils_no_guarantee() -> None:
    rng = random.Random(7)
    text = b" ".join(sentences(rng, 60))
    out = read([text, text + b" -" * 9 + b" ok go" * 5000])
    assert out.guarantee[1] <= 2 * out.guarantee[0]
    assert grams(out, 0) & grams(out, 1)


@given(st.lists(st.tuples(st.none() | texts, st.none() | texts), max_size=8))
@settings(max_examples=150, deadline=None)
def test_grams_are_distinct_and_within_their_budgets(rows: list[tuple[bytes, bytes]]) -> None:
    out = read([prompt for _, prompt in rows], [system for system, _ in rows])
    only = read([None] * len(rows), [system for system, _ in rows])
    for row, (system, prompt) in enumerate(rows):
        used = out.grams[row, : out.count[row]].tolist()
        assert len(set(used)) == len(used) <= GRAMS
        assert only.count[row] <= SYSTEM_GRAMS
        assert grams(only, row) <= set(used)
        assert not out.grams[row, out.count[row] :].any()
        assert (out.count[row] > 0) == (out.words[row] > 0)
        assert (out.system[row] != 0) == bool(reference_tokens(system or b""))
        assert out.words[row] == len(
            reference_tokens(system or b"") + reference_tokens(prompt or b"")
        )


# Items.


def test_digits_change_the_item_and_not_the_grams() -> None:
    out = read(
        [b"order 17 of 2024 is late by 3 days", b"order 99 of 1 is late by 44444444444 days"]
    )
    assert out.item[0] != out.item[1]
    assert grams(out, 0) == grams(out, 1)
    mixed = read([b"a b c d e f7", b"a b c d e f8", b"a b c d e 7f", b"a b c d e 8f"])
    assert len({frozenset(grams(mixed, row)) for row in range(4)}) == 4


def test_item_knows_which_words_were_the_system_text() -> None:
    out = read([b"a b c", b"b c", b"c", None, b""], [None, b"a", b"a b", b"a b c", b" a B c."])
    assert len(set(out.item[:4].tolist())) == 4
    assert out.item[3] == out.item[4]
    assert out.system[3] == out.system[4] != 0
    assert out.system[0] == 0


# The same whatever the batches, slices and threads.


@given(
    st.lists(st.tuples(st.none() | texts, st.none() | texts), min_size=1, max_size=12),
    st.integers(1, 3),
    st.data(),
)
@settings(max_examples=100, deadline=None)
def test_slices_and_threads_change_nothing(
    rows: list[tuple[bytes, bytes]], threads: int, data: st.DataObject
) -> None:
    systems, prompts = column([s for s, _ in rows]), column([p for _, p in rows])
    whole = fingerprint_text(systems, prompts, TABLE, 1)
    assert same(whole, fingerprint_text(systems, prompts, TABLE, threads))
    first = data.draw(st.integers(0, len(rows)))
    last = data.draw(st.integers(first, len(rows)))
    part = fingerprint_text(
        systems.slice(first, last - first), prompts.slice(first, last - first), TABLE, threads
    )
    for name, values in vars(part).items():
        assert np.array_equal(values, getattr(whole, name)[first:last])


# Hostile texts.


def test_huge_texts() -> None:
    million = b"spam " * 10**6
    token = b"x" * 10**7
    prose = b"the quick brown fox number %d jumps over it\n"
    lines = b"".join(prose % i for i in range(240_000))
    wide = "思考".encode() * 1_700_000
    bad = b"\xe4" * 10**6
    rising = [million, token, lines, wide, bad, b"\0" * 10**7, b"7" * 10**7, b"\xf0\x9f" * 10**6]
    out = read(rising, threads=2)
    assert out.words.tolist()[:2] == [10**6, 1]
    assert out.words.tolist()[3:] == [3_400_000, 10**6, 0, 1, 10**6]
    assert out.words[2] == len(reference_tokens(lines))
    assert out.count.tolist() == [1, 1, out.count[2], 2, 1, 0, 1, 1]  # the wide one ends on another
    assert 1 <= out.count[2] <= GRAMS
    assert out.guarantee[[0, 3]].tolist() == [RUN, RUN + 1]


def test_a_text_at_the_very_end_of_its_buffer_is_read_no_further() -> None:
    for size in range(1, 140):
        text = bytes(97 + i % 26 if i % 9 else 32 for i in range(size))
        exact = np.frombuffer(text, np.uint8).copy()
        alone = pa.LargeStringArray.from_buffers(
            1, pa.py_buffer(np.array([0, size], np.int64)), pa.py_buffer(exact)
        )
        none = pa.nulls(1, pa.large_string())
        padded = read([text, b"x" * 200])
        out = fingerprint_text(none, alone, TABLE, 1)
        assert out.item[0] == padded.item[0]
        assert grams(out, 0) == grams(padded, 0)


def test_empty_columns_and_zero_rows() -> None:
    out = read([None, b"", b" .,\n\0"], [b"", None, b"\xe2\x80\x99"])
    assert not out.words.any()
    assert not out.count.any()
    assert not out.cues.any()
    assert read([]).grams.shape == (0, GRAMS)
