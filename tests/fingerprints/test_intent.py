# ruff: noqa: RUF001 -- letters of many scripts are what is tested.
from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.errors import UsageError
from stillhunt.fingerprints.cues import (
    CUE_GROUPS,
    MAX_GROUPS,
    MAX_PHRASE_TOKENS,
    cue_names,
    phrase_table,
    reference_cues,
)
from stillhunt.fingerprints.intent import (
    OUTCOMES,
    IntentWeights,
    harvest_log_odds,
    kind_log_odds,
    read_weights,
    shipped_weights,
)
from stillhunt.fingerprints.tokens import reference_tokens
from stillhunt.records.findings import KINDS

# Texts of our own, none of them in any corpus.
HARVESTS = {
    "cot_elicitation": "Here is a puzzle. Think step by step and write out your reasoning process "
    "in full, inside think tags, before giving the final answer.",
    "rubric_grading": "You are an impartial judge. Using the rubric, rate each reply on a scale of "
    "1 to 5 for helpfulness and truthfulness, then say which response is preferred.",
    "synthetic_data": "Generate 25 diverse new questions inspired by the seed task. They become "
    "training data for a language model, so avoid repetition.",
    "agentic_tool_use": "You have the following tools. Give your thought, action and action input; "
    'the function call is {"type": "object", "properties": {}}.',
}
ORDINARY_TEXTS = (
    "Hello, my boss wants a cover letter by noon, could you please help? Thank you!",
    "I'm getting this error message since I updated Ubuntu and my code doesn't work any more.",
    "Summarize the following article for our meeting notes in five bullet points.",
    "Translate this to French.",
)


def mask(text: str) -> int:
    return reference_cues(reference_tokens(text.encode()))


def test_tokens_follow_the_rules_on_lead_bytes() -> None:
    text = "Don’t STOP_it! Café 3.14 x2 Шаг　「请ab」ＡＢ 한글\0สว😀\u00a0z".encode()
    assert reference_tokens(text) == [
        token.encode()
        for token in [
            "don",
            "t",
            "stop_it",
            "café",
            "0",
            "0",
            "x2",
            "Шаг",
            "请",
            "ab",
            "한",
            "글",
            "ส",
            "ว",
            "😀",
            "z",
        ]
    ]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (b"a\xc2b", [b"a", b"b"]),
        (b"a\xe2\x80b", [b"a", b"b"]),
        (b"\xe3\x80", []),
        (b"\xef\xbc\x91\xefa", [b"\xefa"]),
        (b"a\xe4\xbdb", [b"a", b"\xe4\xbd", b"b"]),
        (b"\xe3\x81\x82\x83\x84", [b"\xe3\x81\x82", b"\x83\x84"]),
        (b"\xf0\x9f\x98\x80\x80A", [b"\xf0\x9f\x98\x80", b"\x80a"]),
        (b"\xe0\xb8\xe0\xa4\x95", [b"\xe0\xb8", b"\xe0\xa4\x95"]),
        (b"007 00x \xd9\xa1", [b"0", b"00x", b"\xd9\xa1"]),
    ],
)
def test_tokens_of_invalid_utf8(text: bytes, tokens: list[bytes]) -> None:
    assert reference_tokens(text) == tokens


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_tokens_of_any_bytes(first: bytes, second: bytes) -> None:
    tokens = reference_tokens(first)
    assert all(tokens)
    assert reference_tokens(b" ".join(tokens)) == tokens
    # A line feed separates everywhere, whatever stands before it.
    assert reference_tokens(first + b"\n" + second) == tokens + reference_tokens(second)


def test_phrases_fit_the_kernel() -> None:
    table = phrase_table()
    assert len(CUE_GROUPS) <= MAX_GROUPS
    assert len({group.name for group in CUE_GROUPS}) == len(CUE_GROUPS)
    assert {bit for _, bit in table} == set(range(len(CUE_GROUPS)))
    assert all(1 <= len(phrase) <= MAX_PHRASE_TOKENS for phrase, _ in table)
    assert len(set(table)) == len(table)
    assert all(set(group.speaks_for) <= set(OUTCOMES) for group in CUE_GROUPS)


def test_every_phrase_is_found_and_only_as_a_whole() -> None:
    for phrase, bit in phrase_table():
        assert reference_cues([b"x", *phrase, b"x"]) >> bit & 1
    assert reference_cues([b"step", b"by"]) == 0
    assert cue_names(mask("Think STEP, by\nstep")) == ["step_by_step"]


def test_language_is_no_cue_by_itself() -> None:
    """One request in six languages has one reading; a neutral sentence has none in any."""
    same = (
        "explain, step by step",
        "paso a paso",
        "étape par étape",
        "Schritt für Schritt",
        "шаг за шагом",
        "一步一步",
    )
    assert {mask(text) for text in same} == {1}
    neutral = ("The sky was grey.", "El cielo era gris.", "Небо было серым.", "天空是灰色的。")
    assert [mask(text) for text in neutral] == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", HARVESTS)
def test_harvests_by_definition(kind: str) -> None:
    cues = np.array([mask(HARVESTS[kind])])
    assert OUTCOMES[int(kind_log_odds(cues)[0].argmax())] == kind
    assert harvest_log_odds(cues)[0] > 0.5


@pytest.mark.parametrize("text", ORDINARY_TEXTS)
def test_ordinary_use(text: str) -> None:
    cues = np.array([mask(text)])
    assert OUTCOMES[int(kind_log_odds(cues)[0].argmax())] == "ordinary"
    assert harvest_log_odds(cues)[0] < 0


def test_no_cue_is_no_evidence() -> None:
    cues = np.zeros(3, np.int64)
    assert harvest_log_odds(cues).tolist() == [0.0, 0.0, 0.0]
    expected = [1 / 18] * len(KINDS) + [0.5]
    np.testing.assert_allclose(np.exp(kind_log_odds(cues)), [expected] * 3, rtol=1e-12)


@given(st.lists(st.integers(0, 2**63 - 1), max_size=20))
def test_any_mask_gives_probabilities(masks: list[int]) -> None:
    cues = np.array(masks, np.int64)
    log_p = kind_log_odds(cues)
    odds = harvest_log_odds(cues)
    assert log_p.shape == (len(masks), len(OUTCOMES))
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1.0, rtol=1e-9)
    p = np.exp(log_p)
    harvest = p[:, : len(KINDS)].sum(axis=1)
    np.testing.assert_allclose(odds, np.log(harvest) - log_p[:, -1], rtol=1e-6, atol=1e-9)


def test_shipped_weights_are_a_small_table() -> None:
    weights = shipped_weights()
    assert np.isfinite(weights.table).all()
    assert np.abs(weights.table).max() < 5
    np.testing.assert_array_equal(weights.table, np.round(weights.table, 2))


def test_weights_of_other_groups_are_refused() -> None:
    text = files("stillhunt.fingerprints").joinpath("intent_weights.json").read_text("utf-8")
    document = json.loads(text)
    document["weights"]["another"] = document["weights"].pop(CUE_GROUPS[0].name)
    with pytest.raises(UsageError, match="cue groups"):
        read_weights(json.dumps(document))
    with pytest.raises(UsageError, match="shape"):
        IntentWeights((*KINDS, "chat"), np.zeros((2, 10)))
    with pytest.raises(UsageError, match="Classes"):
        IntentWeights(KINDS, np.zeros((len(CUE_GROUPS), len(KINDS))))
