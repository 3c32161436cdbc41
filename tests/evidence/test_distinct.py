"""Exchanges and accounts that are one under two names."""

from __future__ import annotations

import numpy as np
import pytest

from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.verify.distinct import check_distinct_accounts, check_distinct_exchanges


def numbers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def test_digests_that_begin_alike_are_not_the_same() -> None:
    check_distinct_exchanges(numbers(), numbers())
    check_distinct_exchanges(numbers(5), numbers(1))
    check_distinct_exchanges(numbers(5, 7, 5, 9, 5), numbers(1, 1, 2, 1, 3))


@pytest.mark.parametrize("rest", [(1, 2, 1), (2, 1, 1), (3, 3, 3)])
def test_an_exchange_twice(rest: tuple[int, ...]) -> None:
    with pytest.raises(Refused) as caught:
        check_distinct_exchanges(numbers(5, 5, 5, 9), numbers(*rest, 1))
    assert caught.value.code is Code.LEAVES_DUPLICATE


def test_accounts() -> None:
    names = np.frombuffer(bytes(32) + b"\x01" * 32 + bytes(32), dtype="V32")
    check_distinct_accounts(names[:2])
    with pytest.raises(Refused) as caught:
        check_distinct_accounts(names)
    assert caught.value.code is Code.LEAVES_ORDER
