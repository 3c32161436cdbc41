from __future__ import annotations

import random

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.fingerprints.winnowing import MARGIN, MOST_RUNS, RUNS_MEMORY, sample


def winnowed(hashes: list[int], budget: int) -> tuple[list[int], int]:
    minima = np.zeros(3 * (len(hashes) + MARGIN), np.uint64)
    minima[: len(hashes)] = hashes
    runs, halves = np.zeros(RUNS_MEMORY, np.uint64), np.zeros(RUNS_MEMORY, np.uint32)
    chosen = np.zeros(MOST_RUNS, np.int32)
    number, window = sample(minima, len(hashes), budget, runs, halves, chosen)
    return chosen[:number].tolist(), window


def expected(hashes: list[int], budget: int) -> tuple[list[int], int]:
    """The minima in order of the smallest window that fits, each once, tried one by one."""
    for window in range(1, len(hashes) + 1):
        minima = oracle.window_minima(hashes, window)
        if oracle.runs(minima) <= budget:
            return list(dict.fromkeys(oracle.signed(least) for least in minima)), window
    raise AssertionError


def check(hashes: list[int], budget: int) -> None:
    chosen, window = winnowed(hashes, budget)
    assert (list(dict.fromkeys(chosen)), window) == expected(hashes, budget)
    assert len(chosen) <= budget


# Few values: runs of equal minima meet. Upper halves alike: the lower ones decide.
values = st.sampled_from(
    [
        st.integers(0, 2**64 - 1),
        st.integers(0, 5),
        st.integers(0, 40),
        st.integers(2**40, 2**40 + 9),
    ]
)


@given(values.flatmap(lambda v: st.lists(v, min_size=1, max_size=150)), st.integers(1, 16))
@settings(max_examples=400, deadline=None)
def test_the_sample_is_that_of_the_smallest_window_that_fits(
    hashes: list[int], budget: int
) -> None:
    check(hashes, budget)


@pytest.mark.parametrize("seed", range(30))
def test_samples_of_long_and_of_regular_texts(seed: int) -> None:
    rng = random.Random(seed)
    period = [rng.randrange(2**64) for _ in range(rng.choice([2, 7, 40, 1000]))]
    hashes = (period * 1000)[: rng.choice([17, 64, 65, 128, 500, 1000])]
    for _ in range(rng.choice([0, 1, 20])):
        hashes[rng.randrange(len(hashes))] = rng.randrange(2**64)
    for budget in (3, 9, 14):
        check(hashes, budget)


@pytest.mark.parametrize("sign", [1, -1])
def test_samples_of_rising_and_falling_hashes(sign: int) -> None:
    for number in (1, 3, 14, 15, 63, 64, 65, 300):
        check([2**63 + sign * 2**35 * i for i in range(number)], 14)
        check([2**63 + sign * i for i in range(number)], 3)
