from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stillhunt.campaigns.matching import MIN_SHARED, free_id, match

MEMBERS = st.frozensets(st.integers(0, 11), min_size=2, max_size=8)
CAMPAIGNS = st.lists(MEMBERS, max_size=5)
WEIGHT = st.dictionaries(st.integers(0, 11), st.integers(0, 50))


def named(prefix: str, campaigns: list[frozenset[int]]) -> dict[str, frozenset[int]]:
    return {f"{prefix}{i}": members for i, members in enumerate(campaigns)}


def may(
    old: frozenset[int], new: frozenset[int], seen_before: set[int], seen_after: set[int]
) -> bool:
    shared = len(old & new)
    return shared >= MIN_SHARED and (
        shared >= len(old & seen_after) / 2 or shared >= len(new & seen_before) / 2
    )


def worth(
    pairs: list[tuple[str, str]],
    before: dict[str, frozenset[int]],
    after: dict[str, frozenset[int]],
    weight: dict[int, int],
) -> tuple[int, int]:
    shared = [before[p] & after[c] for p, c in pairs]
    return sum(map(len, shared)), sum(weight.get(m, 0) for s in shared for m in s)


@given(CAMPAIGNS, CAMPAIGNS, st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), WEIGHT)
def test_no_other_matching_is_worth_more(
    old: list[frozenset[int]],
    new: list[frozenset[int]],
    seen_before: set[int],
    seen_after: set[int],
    weight: dict[int, int],
) -> None:
    before, after = named("p", old), named("c", new)
    found = match(before, after, seen_before, seen_after, weight)
    pairs = [(p, c) for c, p in found.continues.items()]
    assert len({p for p, _ in pairs}) == len(pairs)
    for p, c in pairs:
        assert may(before[p], after[c], seen_before, seen_after)
    got = worth(pairs, before, after, weight)
    # Every way to give each earlier campaign one of the new ones, or none.
    places = [*after, *([None] * len(before))]
    for chosen in set(itertools.permutations(places, len(before))):
        other = [
            (p, c)
            for p, c in zip(before, chosen, strict=True)
            if c is not None and may(before[p], after[c], seen_before, seen_after)
        ]
        assert worth(other, before, after, weight) <= got


@given(CAMPAIGNS, CAMPAIGNS, WEIGHT, st.permutations(range(12)), st.randoms(use_true_random=False))
def test_renaming_members_and_shuffling_changes_nothing(
    old: list[frozenset[int]],
    new: list[frozenset[int]],
    weight: dict[int, int],
    renamed: list[int],
    random: object,
) -> None:
    before, after = named("p", old), named("c", new)
    seen = set(range(12))
    first = match(before, after, seen, seen, weight)

    def shuffled(campaigns: dict[str, frozenset[int]]) -> dict[str, frozenset[int]]:
        order = list(campaigns)
        random.shuffle(order)  # type: ignore[attr-defined]
        return {c: frozenset(renamed[m] for m in campaigns[c]) for c in order}

    second = match(
        shuffled(before), shuffled(after), seen, seen, {renamed[m]: n for m, n in weight.items()}
    )
    assert first == second


def partition(sizes: list[int]) -> list[frozenset[int]]:
    ends = list(itertools.accumulate(sizes))
    return [frozenset(range(end - n, end)) for end, n in zip(ends, sizes, strict=True)]


@given(st.lists(st.integers(2, 9), min_size=1, max_size=6))
def test_the_same_campaigns_are_all_kept(sizes: list[int]) -> None:
    campaigns = partition(sizes)
    seen = set(range(sum(sizes)))
    found = match(named("p", campaigns), named("c", campaigns), seen, seen, {})
    assert found.continues == {f"c{i}": f"p{i}" for i in range(len(sizes))}
    assert not found.merged
    assert not found.split


@given(st.integers(2, 9), st.integers(2, 9))
def test_a_union_is_a_merger_and_the_reverse_a_split(one: int, other: int) -> None:
    parts = partition([one, other])
    both = {"c0": parts[0] | parts[1]}
    seen = set(range(one + other))
    found = match(named("p", parts), both, seen, seen, {})
    larger = "p0" if one >= other else "p1"
    assert found.continues == {"c0": larger}
    assert found.merged == {({"p0", "p1"} - {larger}).pop(): "c0"}
    back = match({"p": parts[0] | parts[1]}, named("c", parts), seen, seen, {})
    assert back.continues == {larger.replace("p", "c"): "p"}
    assert back.split == {({"c0", "c1"} - {larger.replace("p", "c")}).pop(): "p"}


def test_exchanges_decide_between_equals() -> None:
    before = {"a": frozenset({1, 2}), "b": frozenset({3, 4})}
    after = {"c": frozenset({1, 2, 3, 4})}
    assert match(before, after, set(), set(), {3: 5}).continues == {"c": "b"}
    assert match(before, after, set(), set(), {1: 5}).continues == {"c": "a"}


def test_one_account_carries_no_id() -> None:
    found = match({"p": frozenset({1, 2})}, {"c": frozenset({1, 9})}, {1}, {1}, {})
    assert not found.continues
    assert not found.merged
    assert not found.split


def test_few_of_those_still_there_carry_no_id() -> None:
    old, new = frozenset(range(10)), frozenset([0, 1, *range(20, 30)])
    everybody = set(range(40))
    assert not match({"p": old}, {"c": new}, everybody, everybody, {}).continues
    # Where all but three of the old have gone, two are most of those who could be found again.
    assert match({"p": old}, {"c": new}, everybody, {0, 1, 2}, {}).continues == {"c": "p"}


def test_an_id_is_never_given_twice() -> None:
    given_before: set[str] = set()
    for _ in range(4):
        name = free_id("c-0123456789ab", given_before)
        assert name not in given_before
        assert name == free_id("c-0123456789ab", sorted(given_before))
        given_before.add(name)
    assert "c-0123456789ab" in given_before
