from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stillhunt.campaigns.lifecycle import Before, Known, Now, Story, tell
from stillhunt.campaigns.replacement import Span

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = START + 7 * DAY
FORTNIGHT = START + 14 * DAY


def span(account: str, first: float, last: float) -> Span:
    return Span(account, account, START + first * DAY, START + last * DAY, 20.0)


def known(campaign: str, account: str, first: float = 0, last: float = 7, **more: Any) -> Known:
    return Known(
        campaign,
        account,
        account,
        START + first * DAY,
        START + last * DAY,
        20.0,
        WEEK,
        WEEK,
        **more,
    )


def now(named: Mapping[str, Mapping[str, Span]], **more: Any) -> Now:
    spans = {a: s for members in named.values() for a, s in members.items()} | more.pop("seen", {})
    return Now(
        now=more.pop("at", FORTNIGHT),
        named=named,
        first_seen={c: min(s.first_seen for s in m.values()) for c, m in named.items()},
        last_seen={c: max(s.last_seen for s in m.values()) for c, m in named.items()},
        spans=spans,
        **more,
    )


def members(*spans: Span) -> dict[str, Span]:
    return {s.account: s for s in spans}


def rows(story: Story) -> set[tuple[str, str | None, str, str | None]]:
    return {(r["campaign"], r["account"], r["change"], r["other"]) for r in story.changes}


BEFORE = Before(WEEK, (known("p", "a"), known("p", "b"), known("p", "c")), frozenset({"p"}))


def test_joined_left_and_kept() -> None:
    present = members(span("a", 0, 14), span("b", 0, 8), span("d", 9, 14))
    story = tell(BEFORE, now({"p": present}, seen=members(span("c", 0, 7.5))))
    assert rows(story) == {
        ("p", None, "kept", None),
        ("p", "a", "kept", None),
        ("p", "b", "left", None),
        ("p", "c", "left", None),
        ("p", "d", "joined", None),
    }
    at = {r["account"]: r["at"] for r in story.changes}
    assert at["b"] == START + 8 * DAY
    assert at["d"] == START + 9 * DAY
    assert story.campaigns["p"]["joined"] == 1
    assert story.campaigns["p"]["left"] == 2
    by_account = {k.account: k for k in story.history}
    assert by_account["a"].first_named == WEEK  # carried on
    assert by_account["d"].first_named == FORTNIGHT
    assert story.campaigns["p"]["days_to_named_median"] == 7.0
    assert story.campaigns["p"]["days_to_named_longest"] == 7.0
    assert by_account["b"].left_at == START + 8 * DAY


def test_an_account_that_pauses_a_night_has_not_left() -> None:
    present = members(span("a", 0, 7.6), span("b", 0, 7.6), span("c", 0, 7.6))
    story = tell(BEFORE, now({"p": present}, at=START + 8 * DAY))
    assert {r["change"] for r in story.changes} == {"kept"}


def test_who_left_is_told_once_and_who_comes_back_again() -> None:
    gone = members(span("a", 0, 14), span("b", 0, 8), span("c", 0, 14))
    second = tell(BEFORE, now({"p": gone}))
    assert ("p", "b", "left", None) in rows(second)
    again = Before(FORTNIGHT, second.history, frozenset({"p"}))
    later = START + 21 * DAY
    still = members(span("a", 0, 21), span("b", 0, 8), span("c", 0, 21))
    third = tell(again, now({"p": still}, at=later))
    assert not [r for r in third.changes if r["account"] == "b"]
    back = members(span("a", 0, 21), span("b", 0, 20.9), span("c", 0, 21))
    third = tell(again, now({"p": back}, at=later))
    assert ("p", "b", "returned", None) in rows(third)
    assert {k.account: k.left_at for k in third.history}["b"] is None
    assert {k.account: k.first_named for k in third.history}["b"] == WEEK


def test_a_replacement_takes_over_what_told_the_other_apart() -> None:
    present = members(span("a", 0, 14), span("b", 0, 8), span("c", 0, 14), span("d", 8.2, 14))
    values = {
        "a": frozenset([("address", "1")]),
        "b": frozenset([("address", "1"), ("payment", "x")]),
        "c": frozenset([("address", "2")]),
        "d": frozenset([("payment", "x")]),
    }
    story = tell(BEFORE, now({"p": present}, values=values))
    assert ("p", "b", "replaced_by", "d") in rows(story)
    assert ("p", "b", "left", None) not in rows(story)
    assert {k.account: k.replaced_by for k in story.history}["b"] == "d"
    again = Before(FORTNIGHT, story.history, frozenset({"p"}))
    third = tell(again, now({"p": present}, values=values, at=START + 15 * DAY))
    assert not [r for r in third.changes if r["change"] == "replaced_by"]


def test_merged_split_new_and_ended() -> None:
    before = Before(
        WEEK,
        tuple(known(c, a) for c, a in ("pa", "pb", "qc", "qd", "re", "rf", "sg", "sh")),
        frozenset("pqrs"),
    )
    story = tell(
        before,
        now(
            {
                "p": members(*(span(a, 0, 14) for a in "abcd")),
                "n": members(span("x", 8, 14), span("y", 8, 14)),
                "t": members(span("g", 0, 14), span("z", 8, 14)),
            },
            merged={"q": "p"},
            split={"t": "s"},
            seen=members(span("e", 0, 8), span("f", 0, 8), span("h", 0, 14)),
        ),
    )
    assert {r for r in rows(story) if r[1] is None} == {
        ("p", None, "kept", None),
        ("q", None, "merged_into", "p"),
        ("n", None, "new", None),
        ("t", None, "split_from", "s"),
        ("r", None, "ended", None),
        ("s", None, "no_longer_named", None),
    }
    assert ("p", "c", "joined", "q") in rows(story)
    assert ("q", "c", "moved_to", "p") in rows(story)
    assert ("t", "g", "joined", "s") in rows(story)
    assert ("s", "h", "no_longer_named", None) in rows(story)
    named = {(k.campaign, k.account): k for k in story.history}
    assert named["q", "c"].merged_into == "p"
    assert named["p", "c"].first_named == WEEK  # it was named before, in q
    assert named["t", "z"].first_named == FORTNIGHT
    # What merged stays told, and is never told again.
    again = tell(
        Before(FORTNIGHT, story.history, frozenset("pnt")),
        now({"p": members(*(span(a, 0, 15) for a in "abcd"))}, at=START + 15 * DAY),
    )
    assert not [r for r in again.changes if r["campaign"] in "qrs"]
    assert {k.merged_into for k in again.history if k.campaign == "q"} == {"p"}


def test_all_accounts_gone_is_the_end_though_the_logs_still_show_it() -> None:
    story = tell(BEFORE, now({"p": members(*(span(a, 0, 8) for a in "abc"))}))
    assert ("p", None, "ended", None) in rows(story)


def test_a_campaign_that_was_lost_may_return() -> None:
    lost = replace(BEFORE, active=frozenset())
    story = tell(lost, now({"p": members(*(span(a, 0, 14) for a in "abc"))}))
    assert ("p", None, "returned", None) in rows(story)


ACCOUNTS = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.sampled_from("pq"), st.floats(0, 6), st.floats(6.1, 7)),
    min_size=1,
)
LATER = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.sampled_from("pqr"), st.floats(0, 10), st.floats(10, 14)),
    min_size=1,
)


def two_hunts(
    old: dict[str, tuple[str, float, float]],
    new: dict[str, tuple[str, float, float]],
    rename: Mapping[str, str],
    order: list[str],
) -> Story:
    history = tuple(known(old[a][0], rename[a], *old[a][1:]) for a in order if a in old)
    named: dict[str, dict[str, Span]] = {}
    for a in order:
        if a in new:
            c, first, last = new[a]
            named.setdefault(c, {})[rename[a]] = span(rename[a], first, last)
    before = Before(WEEK, history, frozenset(c for c, *_ in old.values()))
    return tell(before, now(named))


@given(ACCOUNTS, LATER, st.permutations("abcdefgh"), st.permutations("ABCDEFGH"))
def test_order_and_names_change_nothing(
    old: dict[str, tuple[str, float, float]],
    new: dict[str, tuple[str, float, float]],
    order: list[str],
    names: list[str],
) -> None:
    same = {a: a for a in "abcdefgh"}
    renamed = dict(zip("abcdefgh", names, strict=True))
    back = {v: k for k, v in renamed.items()}
    one = two_hunts(old, new, same, list("abcdefgh"))
    other = two_hunts(old, new, renamed, order)
    assert rows(one) == {
        (c, back.get(a, a) if a else a, change, back.get(o, o) if o else o)
        for c, a, change, o in rows(other)
    }
    assert one.campaigns == other.campaigns


@given(ACCOUNTS)
def test_the_same_hunt_again_keeps_all(old: dict[str, tuple[str, float, float]]) -> None:
    named: dict[str, dict[str, Span]] = {}
    for a, (c, first, last) in old.items():
        named.setdefault(c, {})[a] = span(a, first, last)
    history = tuple(known(c, a, first, last) for a, (c, first, last) in old.items())
    story = tell(Before(WEEK, history, frozenset(named)), now(named, at=WEEK))
    assert {r["change"] for r in story.changes} == {"kept"}
    assert set(story.history) == set(history)


@given(ACCOUNTS, LATER)
def test_every_account_is_handed_on(
    old: dict[str, tuple[str, float, float]], new: dict[str, tuple[str, float, float]]
) -> None:
    story = two_hunts(old, new, {a: a for a in "abcdefgh"}, list("abcdefgh"))
    expected = {(c, a) for a, (c, *_) in old.items()} | {(c, a) for a, (c, *_) in new.items()}
    assert {(k.campaign, k.account) for k in story.history} == expected
    assert len(story.history) == len(expected)
    for k in story.history:
        assert k.first_named == (WEEK if k.account in old else FORTNIGHT)
        assert k.first_seen <= k.last_seen
