"""Randomised incidences, and what the benchmark says of p-values that are valid and that are not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import _null
from _randomised import configuration, swapped


def _incidence() -> tuple[np.ndarray, np.ndarray]:
    """60 entities with 1 to 6 of 40 values, popular ones more often."""
    chance = np.random.default_rng(1)
    popularity = 1 / np.arange(1, 41)
    pairs = [
        (entity, value)
        for entity in range(60)
        for value in chance.choice(40, 1 + entity % 6, False, popularity / popularity.sum())
    ]
    return np.array([e for e, _ in pairs]), np.array([v for _, v in pairs])


def test_swapping_keeps_both_degrees_and_changes_the_rest() -> None:
    entity, value = _incidence()
    new_entity, new_value = swapped(entity, value, np.random.default_rng(2))
    assert Counter(new_entity.tolist()) == Counter(entity.tolist())
    assert Counter(new_value.tolist()) == Counter(value.tolist())
    pairs = set(zip(new_entity.tolist(), new_value.tolist(), strict=True))
    assert len(pairs) == len(new_entity)
    assert len(pairs & set(zip(entity.tolist(), value.tolist(), strict=True))) < 0.8 * len(pairs)


def test_the_configuration_model_has_the_degrees_as_means() -> None:
    entity, value = _incidence()
    chance = np.random.default_rng(3)
    draws = [configuration(entity, value, chance) for _ in range(400)]
    for given, at in ((entity, 0), (value, 1)):
        mean = np.bincount(np.concatenate([d[at] for d in draws]), minlength=60) / 400
        wanted = np.bincount(given, minlength=60)
        # Sums of independent indicators: variance at most the mean.
        assert np.all(np.abs(mean - wanted) <= 5 * np.sqrt(np.maximum(wanted, 1e-9) / 400))


def _seeds(scale: float) -> list[dict[str, object]]:
    """Eight seeds of 5,000 p-values: uniform for scale 1, too small by so much below it."""
    chance = np.random.default_rng(4)
    found = []
    for _ in range(8):
        counts: dict[str, dict[str, object]] = {}
        _null._count(counts, "tests", chance.random(5000) * scale, 5000, _null.CLUSTER_T)
        found.append({"counts": counts, "any_link": dict.fromkeys(_null.SHUFFLES, 0), "draws": 2})
    return found


def test_uniform_p_values_are_within_their_limits_and_small_ones_are_not() -> None:
    for scale, ratio in ((1.0, 1.0), (0.5, 2.0)):
        summary = _null.summed(_seeds(scale))
        at = {c["t"]: c["share"] / c["t"] for c in summary["curves"]}
        assert at[0.1] == pytest.approx(ratio, rel=0.1)
        assert at[0.2] == pytest.approx(ratio, rel=0.1)
    assert summary["draws"] == 16


def test_links_p_values_are_valid_on_a_small_clean_traffic() -> None:
    found = _null.one_seed(1, 6_000, 1)
    summary = _null.summed([found])
    checked = [c for c in summary["curves"] if c["tests"] and ":" not in c["what"]]
    assert {c["what"].split(",")[0] for c in checked} == {"conjunctions", "held out"}
    for curve in checked:
        # So many p-values so low, were they uniform and independent, less than once in a million.
        spread = 5 * np.sqrt(curve["tests"] * curve["t"]) + 5
        assert curve["hits"] <= curve["tests"] * curve["t"] + spread, curve
    assert any(c["hits"] for c in checked)
    printed = "\n".join(_null.tables(summary))
    assert "link anybody at q ≤ 0.01" in printed
