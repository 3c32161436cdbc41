"""Pairs of values that entities carry together, against the product of the whole matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stillhunt.linking.together as the_module
from stillhunt.linking.indicators import Totals
from stillhunt.linking.null_model import NullModel, tail
from stillhunt.linking.together import lists_of, together

Pairs = set[tuple[int, int, int]]


def counted(
    x: np.ndarray, y: np.ndarray, kinds: tuple[np.ndarray, np.ndarray], least: np.ndarray,
    ordered: bool, threads: int,
) -> list[tuple[int, ...]]:  # fmt: skip
    """Of two 0/1 matrices (entities, values)."""
    entity, value = np.nonzero(x)
    entities = lists_of(value.astype(np.int32), entity.astype(np.int32), x.shape[1])
    entity, value = np.nonzero(y)
    values = lists_of(entity.astype(np.int32), value.astype(np.int32), len(y))
    found = together(entities, values, kinds, least, ordered=ordered, threads=threads)
    return list(zip(*(column.tolist() for column in found), strict=True))


def brute(
    x: np.ndarray, y: np.ndarray, kinds: tuple[np.ndarray, np.ndarray], least: np.ndarray,
    ordered: bool,
) -> Pairs:  # fmt: skip
    product = x.T.astype(int) @ y.astype(int)
    return {
        (i, j, int(product[i, j]))
        for i in range(product.shape[0])
        for j in range(product.shape[1])
        if product[i, j] >= least[kinds[0][i], kinds[1][j]] and (j > i or not ordered)
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 3))
def test_pairs_are_those_of_the_product(seed: int, same: bool, threads: int) -> None:
    rng = np.random.default_rng(seed)
    entities = int(rng.integers(1, 30))
    x = rng.random((entities, int(rng.integers(1, 20)))) < rng.random()
    y = x if same else rng.random((entities, int(rng.integers(1, 20)))) < rng.random()
    kinds = tuple(rng.integers(0, 3, m.shape[1]).astype(np.int32) for m in (x, y))
    least = rng.integers(1, 5, (3, 3)).astype(np.int32)
    found = counted(x, y, kinds, least, same, threads)  # type: ignore[arg-type]
    assert found == sorted(found)
    assert set(found) == brute(x, y, kinds, least, same)  # type: ignore[arg-type]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("share", [1, 7])
def test_many_shares_lose_nothing(monkeypatch: pytest.MonkeyPatch, share: int) -> None:
    monkeypatch.setattr(the_module, "_SHARE", share)
    rng = np.random.default_rng(share)
    x, y = (rng.random((40, 23)) < 0.4 for _ in range(2))
    kinds = (np.zeros(23, np.int32), np.zeros(23, np.int32))
    least = np.full((1, 1), 2, np.int32)
    assert set(counted(x, y, kinds, least, False, 2)) == brute(x, y, kinds, least, False)


@pytest.mark.parametrize("level", [0.5, 0.05, 0.01, 1e-4])
def test_what_is_asked_for_is_what_a_tail_of_the_level_needs(level: float) -> None:
    classes = np.array([[1, 2, 5, 40], [50, 30, 9, 2]])
    joint = np.array([[1, 2, 5, 40, 40], [2, 1, 40, 5, 40], [30, 20, 5, 5, 2]])
    totals = Totals(
        entities=91, edges={}, shareable={}, joint={("address", "template"): joint},
        degrees={"address": classes, "template": classes},
        popularities={"address": classes, "template": classes},
    )  # fmt: skip
    null = NullModel(totals)
    least = null.least("address", "template", level)
    for i, dx in enumerate(classes[0]):
        for j, dy in enumerate(classes[0]):
            expected = null.pairs("address", "template", np.array([dx]), np.array([dy]))
            n = least[i, j]
            assert n >= 2
            assert tail(np.array([n]), expected)[0] <= level * (1 + 1e-6)
            assert n == 2 or tail(np.array([n - 1]), expected)[0] > level
