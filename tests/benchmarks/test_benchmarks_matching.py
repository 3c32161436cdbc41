"""The benchmark's bookkeeping, on findings and truths made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from _matching import Lawful, Outcome, _assign, judge
from stillhunt.records.findings import ACCOUNTS, CAMPAIGNS, EXCHANGES

PLANTED = {"p": "one", "q": "two"}
LICENSED = {f"l{i}" for i in range(4)}


def _members(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


def _judge(
    folder: Path,
    found: dict[str, list[str]],
    *,
    intervals: dict[str, tuple[int, int]] | None = None,
    licences_known: bool = True,
    clusters: dict[str, list[str]] | None = None,
) -> Outcome:
    """Planted: one (p0..p9), two (q0..q19). Lawful: 30 campus, 4 licensed. One exchange each.

    ``found`` names accounts by campaign; each found campaign counts its accounts' exchanges.
    """
    accounts = _members("p", 10) + _members("q", 20) + _members("c", 30) + sorted(LICENSED)
    truth, findings = folder / "truth", folder / "findings"
    truth.mkdir()
    findings.mkdir()
    campaign_of = [PLANTED.get(a[0]) for a in accounts]
    personas = [{"c": "campus", "l": "licensed"}.get(a[0], "campaign") for a in accounts]
    pq.write_table(
        pa.table({"account": accounts, "persona": personas, "campaign": campaign_of}),
        truth / "accounts.parquet",
    )
    pq.write_table(
        pa.table({"exchange_id": [f"x-{a}" for a in accounts], "campaign": campaign_of}),
        truth / "exchanges.parquet",
    )
    licence = [a if a in LICENSED else None for a in accounts]
    pq.write_table(pa.table({"account": accounts, "licence": licence}), folder / "accounts.parquet")

    day = datetime(2026, 1, 1, tzinfo=UTC)
    campaigns, named, exchanges = [], [], []
    for campaign, members in found.items():
        low, high = (intervals or {}).get(campaign, (len(members), len(members)))
        campaigns.append(
            {
                "campaign": campaign, "probability": 0.9, "link_p": 0.0, "q_value": 0.0,
                "accounts": len(members), "entities": len(members), "exchanges": len(members),
                "exchanges_low": low, "exchanges_high": high, "first_seen": day, "last_seen": day,
                "kinds": [], "summary": "",
            }
        )  # fmt: skip
        for account in members:
            exchanges.append(
                {"exchange_id": f"x-{account}", "account": account, "campaign": campaign}
            )
            named.append(
                {
                    "account": account, "entity": account, "campaign": campaign,
                    "membership_probability": 0.9, "exchanges": 1, "campaign_exchanges": 1,
                    "reasons": [],
                }
            )  # fmt: skip
    for name, rows, schema in (
        ("campaigns", campaigns, CAMPAIGNS),
        ("accounts", named, ACCOUNTS),
        ("exchanges", exchanges, EXCHANGES),
    ):
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), findings / f"{name}.parquet")
    cluster_of = {a: cluster for cluster, of in (clusters or {}).items() for a in of}
    pq.write_table(
        pa.table(
            {
                "account": accounts,
                "cluster": pa.array([cluster_of.get(a) for a in accounts], pa.string()),
            }
        ),
        findings / "profiles.parquet",
    )
    return judge(folder, findings, licences_known=licences_known)


def test_two_campaigns_found_each_as_its_own(tmp_path: Path) -> None:
    outcome = _judge(
        tmp_path,
        {"b": _members("p", 9), "a": [*_members("q", 20), "c0"]},
        intervals={"b": (9, 10), "a": (21, 22)},
    )
    one, two = outcome.planted
    assert (one.name, one.matched, one.found, one.right, one.named) == ("one", "b", True, 9, 9)
    assert (two.name, two.matched, two.found, two.right) == ("two", "a", True, 20)
    assert (outcome.merged, outcome.split, outcome.unmatched) == (0, 0, 0)
    assert (outcome.right, outcome.accounts, outcome.named) == (29, 30, 30)
    assert outcome.lawful == {"campus": Lawful(30, 1), "licensed": Lawful(4, 0)}
    assert (one.exchanges, one.attributed, one.attributed_right) == (10, 9, 9)
    assert one.count_error == pytest.approx(-0.1)
    assert one.covered
    assert (two.attributed, two.attributed_right) == (21, 20)
    assert two.count_error == pytest.approx(0.05)
    assert not two.covered


def test_a_merged_campaign_is_the_match_of_one_only(tmp_path: Path) -> None:
    outcome = _judge(tmp_path, {"a": _members("p", 10) + _members("q", 20)})
    one, two = outcome.planted
    assert (one.found, two.found) == (False, True)
    assert (one.right, one.named) == (0, 10)
    assert (outcome.merged, outcome.split) == (1, 0)
    # The ten of the other campaign are named in a campaign that is not theirs.
    assert (outcome.right, outcome.named, outcome.lawful_named) == (20, 30, 0)


def test_a_few_of_another_campaign_do_not_make_a_merger(tmp_path: Path) -> None:
    outcome = _judge(tmp_path, {"a": [*_members("q", 20), "p0", "p1"], "b": _members("p", 10)[2:]})
    assert outcome.merged == 0
    assert outcome.split == 1  # 2 of campaign one's 10 named accounts are a part of 20 %
    assert [p.found for p in outcome.planted] == [True, True]


def test_a_campaign_in_halves_is_split_and_not_found(tmp_path: Path) -> None:
    outcome = _judge(tmp_path, {"a": _members("q", 20)[:10], "b": _members("q", 20)[10:]})
    one, two = outcome.planted
    assert not one.found
    assert one.matched is None
    assert (one.count_error, one.covered) == (-1.0, False)
    assert not two.found
    assert (two.right, two.named) == (10, 20)
    assert (outcome.split, outcome.unmatched) == (1, 1)


def test_the_assignment_is_the_best_one_and_not_the_first(tmp_path: Path) -> None:
    found = {"a": [*_members("p", 6), *_members("q", 8)], "b": [*_members("p", 10)[6:]]}
    outcome = _judge(tmp_path, found)
    one, two = outcome.planted
    assert (one.matched, two.matched) == ("b", "a")
    assert outcome.right == 12
    assert not one.found  # most of its named accounts stand in the other


def test_an_account_in_two_campaigns_is_right_once(tmp_path: Path) -> None:
    outcome = _judge(tmp_path, {"a": _members("q", 20), "b": ["q0", "c0"]})
    assert (outcome.right, outcome.named) == (20, 22)
    assert outcome.planted[1].named == outcome.planted_named == 20
    assert (outcome.unmatched, outcome.lawful_named) == (1, 1)


def test_licensed_accounts_are_wrong_where_licences_were_known(tmp_path: Path) -> None:
    outcome = _judge(tmp_path, {"a": _members("p", 10), "b": sorted(LICENSED)})
    assert (outcome.right, outcome.named, outcome.unmatched) == (10, 14, 1)
    assert (outcome.lawful["licensed"].named, outcome.apart, outcome.campaigns_apart) == (4, 0, 0)


def test_licensed_accounts_stand_apart_where_they_were_not(tmp_path: Path) -> None:
    found = {"a": [*_members("p", 10), "l3"], "b": ["l0", "l1", "l2"]}
    outcome = _judge(tmp_path, found, licences_known=False)
    assert (outcome.right, outcome.named, outcome.unmatched) == (10, 10, 0)
    assert (outcome.lawful_named, outcome.apart, outcome.campaigns_apart) == (0, 4, 1)


def test_what_linking_found_is_told_from_what_was_named(tmp_path: Path) -> None:
    clusters = {"x": _members("p", 8), "y": [*_members("q", 15), "c0", "p8"], "z": ["c1", "c2"]}
    outcome = _judge(tmp_path, {"x": _members("p", 8)}, clusters=clusters)
    assert outcome.right == 8
    assert (outcome.linked, outcome.linked_with) == (8 + 15, 8 + 17)


def test_nothing_found(tmp_path: Path) -> None:
    outcome = _judge(tmp_path, {})
    assert [p.found for p in outcome.planted] == [False, False]
    assert (outcome.campaigns, outcome.named, outcome.merged, outcome.split) == (0, 0, 0, 0)
    assert outcome.accounts == 30


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=1, max_size=4
        )
    )
)
def test_no_other_matching_agrees_on_more_accounts(table: list[list[int]]) -> None:
    overlap = np.array(table)
    match = _assign(overlap)
    assert len(set(match.values())) == len(match)
    planted, found = overlap.shape
    # Every way to give the planted ones different found ones, or none.
    choices = [*range(found), *[None] * planted]
    best = max(
        sum(overlap[row, column] for row, column in enumerate(way) if column is not None)
        for way in permutations(choices, planted)
    )
    assert sum(overlap[pair] for pair in match.items()) == best
    assert all(overlap[pair] > 0 for pair in match.items())
