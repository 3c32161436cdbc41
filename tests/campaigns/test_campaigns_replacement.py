from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.campaigns.replacement import (
    GONE,
    MIN_TAKEN_OVER,
    Span,
    Value,
    find_replacements,
    is_gone,
    pace,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def span(account: str, first: float, last: float, entity: str | None = None) -> Span:
    return Span(account, entity or account, START + first * DAY, START + last * DAY, 10.0)


def value(n: int) -> Value:
    return "address", f"203.0.113.{n}"


def share(left: str, came: str, values: dict[str, frozenset[Value]]) -> float:
    """By the definition, without any shortcut."""
    weight = {
        v: math.log(len(values) / sum(v in carried for carried in values.values()))
        for carried in values.values()
        for v in carried
    }
    whole = sum(weight[v] for v in values[left])
    return sum(weight[v] for v in values[left] & values[came]) / whole if whole > 1e-12 else 0.0


VALUES = st.frozensets(st.integers(0, 7).map(value), max_size=5)


@given(
    st.lists(st.tuples(VALUES, st.integers(0, 6)), max_size=4),
    st.lists(st.tuples(VALUES, st.integers(3, 9)), max_size=4),
    st.randoms(use_true_random=False),
)
def test_no_other_assignment_takes_over_more(
    old: list[tuple[frozenset[Value], int]],
    new: list[tuple[frozenset[Value], int]],
    random: object,
) -> None:
    gone = [span(f"old{i}", 0, last) for i, (_, last) in enumerate(old)]
    came = [span(f"new{i}", first + 0.01, 10) for i, (_, first) in enumerate(new)]
    values = {f"old{i}": v for i, (v, _) in enumerate(old)}
    values |= {f"new{i}": v for i, (v, _) in enumerate(new)}
    # Sums of logarithms that come out at the limit itself may fall on either side of it.
    shares = {
        (a.account, b.account): share(a.account, b.account, values) for a in gone for b in came
    }
    if any(abs(s - MIN_TAKEN_OVER) < 1e-9 for s in shares.values()):
        return
    may = {
        (a.account, b.account)
        for a in gone
        for b in came
        if b.first_seen > a.last_seen and shares[a.account, b.account] >= MIN_TAKEN_OVER
    }
    found = find_replacements(gone, came, values)
    assert set(found.items()) <= may
    assert len(set(found.values())) == len(found)
    total = sum(shares[pair] for pair in found.items())
    places = [*(b.account for b in came), *([None] * len(gone))]
    for chosen in set(itertools.permutations(places, len(gone))):
        pairs = [(a.account, c) for a, c in zip(gone, chosen, strict=True) if c is not None]
        assert sum(shares[p] for p in pairs if p in may) <= total + 1e-4
    random.shuffle(gone)  # type: ignore[attr-defined]
    random.shuffle(came)  # type: ignore[attr-defined]
    shuffled = dict(sorted(values.items(), reverse=True))
    assert find_replacements(gone, came, shuffled) == found


def test_what_all_carry_tells_nobody_apart() -> None:
    values = {a: frozenset([value(1)]) for a in ("old", "new", "other")}
    assert find_replacements([span("old", 0, 3)], [span("new", 4, 6)], values) == {}
    values["old"] |= {value(2)}
    values["new"] |= {value(2)}
    assert find_replacements([span("old", 0, 3)], [span("new", 4, 6)], values) == {"old": "new"}


def test_who_began_before_the_other_stopped_is_no_replacement() -> None:
    values = {"old": frozenset([value(2)]), "new": frozenset([value(2)]), "x": frozenset()}
    assert find_replacements([span("old", 0, 3)], [span("new", 2.9, 6)], values) == {}


def test_accounts_of_one_organization_do_not_replace_one_another() -> None:
    values = {"old": frozenset([value(2)]), "new": frozenset([value(2)]), "x": frozenset()}
    found = find_replacements([span("old", 0, 3, "acme")], [span("new", 4, 6, "acme")], values)
    assert found == {}


def test_of_equals_the_one_who_came_soonest() -> None:
    values = {a: frozenset([value(2)]) for a in ("old", "soon", "late")} | {
        f"x{i}": frozenset([value(9)]) for i in range(5)
    }
    gone, came = [span("old", 0, 3)], [span("late", 6, 9), span("soon", 3.2, 9)]
    assert find_replacements(gone, came, values) == {"old": "soon"}


def test_twenty_thousand_accounts_of_one_pool_take_no_square() -> None:
    # Everybody shares a common address; each predecessor shares a rare one with its successor.
    n = 10_000
    common = ("network", "203.0.113.0/24")
    values = {f"old{i}": frozenset([common, value(i)]) for i in range(n)}
    values |= {f"new{i}": frozenset([common, value(i)]) for i in range(n)}
    gone = [span(f"old{i}", 0, 3) for i in range(n)]
    came = [span(f"new{i}", 4, 6) for i in range(n)]
    assert find_replacements(gone, came, values) == {f"old{i}": f"new{i}" for i in range(n)}


@pytest.mark.parametrize(
    ("per_day", "silent", "gone"),
    [(1000.0, 0.9, False), (1000.0, 1.1, True), (1.0, 3.0, False), (1.0, 5.0, True)],
)
def test_gone_is_silence_that_its_own_pace_does_not_explain(
    per_day: float, silent: float, gone: bool
) -> None:
    assert is_gone(START, per_day, START + silent * DAY) is gone
    assert (math.exp(-per_day * silent) <= GONE and silent >= 1) is gone


def test_pace_is_over_a_day_at_least() -> None:
    assert pace(30, START, START + 3 * DAY) == 10.0
    assert pace(30, START, START) == 30.0
