from __future__ import annotations

import pytest

from stillhunt.errors import UsageError
from stillhunt.report import wording
from stillhunt.report.facts import MOST_ROWS, facts
from stillhunt.report.price import price_of
from stillhunt.scoring.calibration import estimative_word


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.003, "almost no chance"), (0.3, "unlikely"), (0.5, "roughly even chance"),
        (0.55, "likely"), (0.79, "likely"), (0.8, "very likely"), (0.95, "almost certain"),
        (0.9999, "almost certain"),
    ],
)  # fmt: skip
def test_words_follow_the_number(probability: float, word: str) -> None:
    assert estimative_word(probability) == word


def test_no_number_looks_rounder_than_it_is() -> None:
    assert wording.percent(0.99999) == "more than 99.9 %"
    assert wording.percent(0.00001) == "less than 0.1 %"
    assert wording.percent(1.0) == "100 %"
    assert wording.percent(0.0) == "0 %"
    assert wording.percent(0.957) == "95.7 %"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not known"), (0.0, "below 10⁻³⁰⁰"),
        (0.0312, "0.0312"), (3.2e-41, "3.2 \u00d7 10⁻⁴¹"),
        (9.99e-5, "1.0 \u00d7 10⁻⁴"), (5e-324, "4.9 \u00d7 10⁻³²⁴"), (1.0, "1"),
    ],
)  # fmt: skip
def test_p_values(value: float | None, text: str) -> None:
    assert wording.p_value(value) == text


def test_weights_and_sizes() -> None:
    assert wording.weight(3.0) == "20 times more likely"
    assert wording.weight(-0.62) == "1.9 times less likely"
    assert wording.weight(900.0) == "over a million times more likely"
    assert wording.weight(0.0) == "changes nothing to speak of"
    assert wording.size(48_211_000) == "48.2 MB"
    assert wording.size(12) == "12 bytes"
    assert wording.signed(-0.62) == "\u22120.62"


def test_a_licence_has_two_prices_or_none() -> None:
    assert price_of(None, None) is None
    price = price_of(3.0, 15.0)
    assert price is not None
    assert price.of(2_000_000, 1_000_000) == 21.0
    assert price.of(None, None) is None
    for pair in ((3.0, None), (None, 3.0), (-1.0, 3.0), (float("nan"), 3.0), (float("inf"), 1.0)):
        with pytest.raises(UsageError):
            price_of(*pair)


def test_facts_flatten_any_shape_and_end() -> None:
    assert facts({"a_b": 1234, "c": {"d": [1, 2], "e": None}, "f": [{"g": True}]}) == [
        ("a b", "1,234"), ("c · d", "1, 2"), ("c · e", "not given"), ("f · 1 · g", "yes"),
    ]  # fmt: skip
    deep: object = 1
    for _ in range(500):
        deep = {"x": deep}
    assert facts(deep)[0][1] == "see hunt.json"
    assert len(facts({str(i): i for i in range(10_000)})) == MOST_ROWS + 1
