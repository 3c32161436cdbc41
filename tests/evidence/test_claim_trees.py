"""Sum search trees: against a plain recursion, and what their proofs prove."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.evidence.audit import Rates, plan, with_replacement
from stillhunt.evidence.binary import Reader, put_increasing, put_number
from stillhunt.evidence.claim.answer import exchanges_to_open
from stillhunt.evidence.claim.rows import ClaimTrees, in_order
from stillhunt.evidence.claim.tree import (
    SumTree,
    Walk,
    Weights,
    exchange_hashes,
    separators,
)
from stillhunt.evidence.refusal import Code, Refused

BIG = st.integers(0, 2**64 - 1)


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def plain_root(
    leaves: list[bytes], weights: list[Weights], between: list[int]
) -> tuple[Weights, bytes]:
    """As docs/evidence.md says it, by recursion."""
    if len(leaves) == 1:
        return weights[0], leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    left = plain_root(leaves[:k], weights[:k], between[: k - 1])
    right = plain_root(leaves[k:], weights[k:], between[k:])
    said = b"\x32" + number(between[k - 1])
    said += b"".join(number(n) for n in (*left[0], *right[0])) + left[1] + right[1]
    total = tuple(a + b for a, b in zip(left[0], right[0], strict=True))
    return total, hashlib.sha256(said).digest()  # type: ignore[return-value]


def tree_of(size: int, seed: int = 0) -> tuple[SumTree, np.ndarray, np.ndarray]:
    """A tree of exchanges, their keys and their (position, input, output)."""
    rng = np.random.default_rng(seed)
    keys = np.unique(rng.integers(0, 2**64 - 1, size * 2, dtype=np.uint64))[:size]
    rows = rng.integers(0, 1000, (3, size)).astype(np.uint64)
    weights = np.stack([np.ones(size, dtype=np.uint64), rows[1], rows[2]], axis=1)
    between = separators(keys, rng.integers(0, 2**64 - 1, size, dtype=np.uint64))
    return SumTree.build(between, weights, exchange_hashes(*rows)), keys, rows


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100])
def test_the_root_is_that_of_the_recursion(size: int) -> None:
    tree, _, rows = tree_of(size, size)
    leaves = [
        hashlib.sha256(b"\x30" + b"".join(number(int(n)) for n in row)).digest() for row in rows.T
    ]
    weights = [(1, int(row[1]), int(row[2])) for row in rows.T]
    found = plain_root(leaves, weights, tree.separators.tolist())
    assert found == (tree.weights(0, size), tree.root)


@given(st.lists(BIG, min_size=1, max_size=40, unique=True), st.integers(0, 2**32))
def test_separators_stand_between_keys(keys: list[int], seed: int) -> None:
    sorted_keys = np.array(sorted(keys), dtype=np.uint64)
    random = np.random.default_rng(seed).integers(0, 2**64 - 1, len(keys), dtype=np.uint64)
    between = separators(sorted_keys, random)
    assert len(between) == len(keys) - 1
    assert bool((sorted_keys[:-1] <= between).all())
    assert bool((between < sorted_keys[1:]).all())


@given(st.integers(1, 40), st.data())
def test_a_proof_opens_leaves_at_their_places(size: int, data: st.DataObject) -> None:
    tree, keys, rows = tree_of(size)
    opened = sorted(data.draw(st.sets(st.integers(0, size - 1))))
    out = bytearray()
    told: list[int] = []
    tree.prove(opened, out, told.append, counted=False)
    assert told == opened
    reader = Reader(out, Code.AUDIT_MALFORMED)
    walk = Walk(reader, opened, counted=False, start=(0, 0, 0))
    closed: list[tuple[Weights, Weights]] = []

    def leaf(index: int, low: int, high: int) -> tuple[Weights, bytes]:
        assert low <= int(keys[index]) <= high
        assert all(not low <= int(key) <= high for i, key in enumerate(keys) if i != index)
        assert walk.before == tree.weights(0, index)
        return (1, int(rows[1][index]), int(rows[2][index])), tree.levels[0][index].tobytes()

    found = walk.root(size, leaf, lambda before, weights, *_: closed.append((before, weights)))
    reader.end()
    assert found == (tree.weights(0, size), tree.root)
    assert walk.before == tree.weights(0, size)
    assert sum(weights[0] for _, weights in closed) == size - len(opened)


@given(st.integers(2, 20), st.data())
def test_a_changed_proof_leads_elsewhere(size: int, data: st.DataObject) -> None:
    tree, _, rows = tree_of(size)
    out = bytearray()
    tree.prove([1], out, lambda _: None, counted=False)
    at = data.draw(st.integers(0, len(out) - 1))
    out[at] ^= data.draw(st.integers(1, 255))

    def leaf(index: int, _low: int, _high: int) -> tuple[Weights, bytes]:
        return (1, int(rows[1][index]), int(rows[2][index])), tree.levels[0][index].tobytes()

    reader = Reader(out, Code.AUDIT_MALFORMED)
    try:
        walk = Walk(reader, [1], counted=False, start=(0, 0, 0))
        found = walk.root(size, leaf, lambda *_: None)
        reader.end()
    except Refused:
        return
    assert found[1] != tree.root


@given(st.lists(BIG))
def test_numbers_are_read_back_and_have_one_form(values: list[int]) -> None:
    out = bytearray()
    for value in values:
        put_number(out, value)
    reader = Reader(out, Code.AUDIT_MALFORMED)
    assert [reader.number() for _ in values] == values
    reader.end()


@pytest.mark.parametrize("body", [b"", b"\x80", b"\x80\x00", b"\xff" * 10, b"\xff" * 9 + b"\x02"])
def test_other_forms_of_numbers_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        Reader(body, Code.AUDIT_MALFORMED).number()


@given(st.sets(st.integers(0, 500)))
def test_increasing_numbers_are_read_back(values: set[int]) -> None:
    out = bytearray()
    put_increasing(out, sorted(values))
    assert Reader(out, Code.AUDIT_MALFORMED).increasing(501) == sorted(values)
    if values:
        with pytest.raises(Refused):
            Reader(out, Code.AUDIT_MALFORMED).increasing(max(values))


def test_rows_are_in_one_order_whatever_order_they_come_in() -> None:
    rng = np.random.default_rng(3)
    n = 200
    account = rng.integers(-5, 5, n)
    digest = np.frombuffer(rng.bytes(16 * n), dtype="V16").copy()
    digest[:20] = digest[20:40]
    account[:20] = account[20:40]
    columns = [account, digest, np.arange(n), rng.integers(0, 9, n), rng.integers(0, 9, n)]
    rows, repeated = in_order(*columns)
    assert repeated == 20
    order = rng.permutation(n)
    again, _ = in_order(*(column[order] for column in columns))
    for name in ("account", "starts", "key", "position", "inputs", "outputs"):
        assert np.array_equal(getattr(rows, name), getattr(again, name))
    assert bool((rows.account[1:] > rows.account[:-1]).all())
    assert ClaimTrees(rows, b"k" * 32).top.root == ClaimTrees(again, b"k" * 32).top.root
    assert ClaimTrees(rows, b"k" * 32).top.root != ClaimTrees(rows, b"l" * 32).top.root


def test_what_is_opened_answers_the_plan() -> None:
    rng = np.random.default_rng(4)
    n = 400
    rows, _ = in_order(
        rng.integers(0, 60, n),
        np.frombuffer(rng.bytes(16 * n), dtype="V16"),
        np.arange(n),
        rng.integers(0, 5, n),
        rng.integers(0, 50, n),
    )
    drawn = plan(len(rows.account), rows.weights, Rates(0.1, 0.1, 0.9), b"s" * 32)
    opened = exchanges_to_open(ClaimTrees(rows, b"k" * 32), drawn)
    assert set(drawn.exchanges) <= set(opened)
    for numbers, column in ((drawn.inputs, rows.inputs), (drawn.outputs, rows.outputs)):
        bounds = np.concatenate([[0], np.cumsum(column)]).astype(int)
        for unit in numbers:
            (owner,) = np.flatnonzero((bounds[:-1] <= unit) & (unit < bounds[1:]))
            assert int(owner) in opened
    owners = {int(np.searchsorted(rows.starts, j, side="right")) - 1 for j in opened}
    assert set(drawn.accounts) <= owners


@pytest.mark.parametrize(
    ("error", "miss"), [(0.01, 0.001), (0.5, 0.5), (0.02, 1e-9), (0.3, 0.0999)]
)
def test_samples_with_replacement_are_the_least(error: float, miss: float) -> None:
    from fractions import Fraction

    n = with_replacement(error, Fraction(repr(miss)))
    good = 1 - Fraction(repr(error))
    assert good**n <= Fraction(repr(miss))
    assert n == 0 or good ** (n - 1) > Fraction(repr(miss))
