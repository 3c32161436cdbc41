"""The window benchmark's own parts: discrepancies against a second formula, splits, thresholds."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from _mmd import REPEATS, Discrepancy, gaussian_kernel
from _windows import Pair, load, mixed, splits, window_scores
from stillhunt.fingerprints.observe import Observer
from window import ATTACK_SHARES, Scores, _detected


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Short normal prompts and long attacks, of one vocabulary."""
    folder = tmp_path_factory.mktemp("corpora")
    rng = np.random.default_rng(0)
    for kind, name, length, rows in (
        ("benign", "mea_normal_x", 8, 300),
        ("extraction", "mea_x", 40, 80),
    ):
        (folder / kind).mkdir()
        with gzip.open(folder / kind / f"{name}.jsonl.gz", "wt") as file:
            for _ in range(rows):
                words = rng.integers(0, 60, rng.poisson(length) + 1)
                file.write(json.dumps({"prompt": " ".join(f"w{w}" for w in words)}) + "\n")
    return load(folder, "x", Observer())


def test_a_score_is_the_mean_of_squared_discrepancies() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(60, 5))
    kernel = gaussian_kernel(vectors, np.arange(40), rng)
    found = Discrepancy(kernel, np.arange(40), 30, np.random.default_rng(2))
    again = np.random.default_rng(2)
    draws = [again.choice(np.arange(40), 30, replace=False) for _ in range(REPEATS)]
    window = np.arange(40, 60)

    def mean(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.mean([[kernel[i, j] for j in other] for i in one]))

    expected = np.mean([mean(window, window) + mean(d, d) - 2 * mean(window, d) for d in draws])
    assert found.score(window) == pytest.approx(expected)


def test_reference_and_tested_rows_are_disjoint(pair: Pair) -> None:
    for split, rng in splits(pair, 3, 100, seed=1):
        window = mixed(pair, split, 100, 0.1, rng)
        assert not set(split.reference) & set(window)
        assert np.isin(window, pair.attack).sum() == 10
        assert set(split.reference) | set(split.tested) == set(pair.normal)


def test_attacks_score_higher_the_more_there_are(pair: Pair) -> None:
    split, rng = next(splits(pair, 1, 100, seed=1))
    windows = [mixed(pair, split, 100, share, rng) for share in (0.0, 0.1, 0.5)]
    scores = window_scores(pair, split, windows, ("known_grams",))
    assert scores[0] < scores[1] < scores[2]


def test_matched_detection_of_what_is_not_there_is_the_rate_itself() -> None:
    rng = np.random.default_rng(3)
    scores: Scores = {share: rng.normal(size=(400, 5)).tolist() for share in (0.0, *ATTACK_SHARES)}
    shown = [float(cell.split(" ")[0]) for cell in _detected(scores, 0.05)]
    assert all(2 <= value <= 8 for value in shown)
