"""Each rung of the evasion ladder has what its name says, and not yet what the next one adds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from simulated import Simulated, days, grouped, runs, sharing

from stillhunt_simulator import load, simulate

Level = Callable[[str], Simulated]
CAMPAIGNS = ("reasoning", "grading", "agents")
RELEASE = 8.6


def together(table: pa.Table, day: str = "day") -> float:
    """The largest share of accounts that are active on one day."""
    rows = table.append_column(day, pc.floor_temporal(table["time"], unit="day"))
    active = max(len(v) for v in grouped(rows, day, "account").values())
    return active / len(set(table["account"].to_pylist()))


def night(table: pa.Table) -> float:
    """Share of what is sent in the quietest quarter of a campaign's day."""
    hours = np.bincount((days(table) % 1 * 24).astype(int), minlength=24).astype(float)
    return float(np.sort(np.convolve(np.tile(hours, 2), np.ones(6), "valid"))[0] / hours.sum())


def first_days(traffic: Simulated, campaign: str) -> np.ndarray:
    """How long before its first exchange each account was opened, in days."""
    who = traffic.members(campaign)
    created = dict(zip(who["account"].to_pylist(), days(who, "created_at"), strict=True))
    rows = traffic.campaign(campaign)
    first: dict[str, float] = {}
    for account, moment in zip(rows["account"].to_pylist(), days(rows), strict=True):
        first.setdefault(account, moment)
    return np.array([first[a] - created[a] for a in first])


@pytest.mark.parametrize("level", [f"e{i}" for i in range(8)])
def test_sizes_and_sweeps(simulated: Level, level: str) -> None:
    traffic = simulated(level)
    for name in CAMPAIGNS:
        rows = traffic.campaign(name)
        assert 0.02 <= rows.num_rows / traffic.exchanges.num_rows <= 0.08
        # Parts of one pool, none of them asked twice.
        assert len(set(rows["prompt"].to_pylist())) == rows.num_rows
        assert rows["organization"].null_count == rows.num_rows
    scenario = load(level)
    for campaign in scenario.campaigns:
        assert 40 <= campaign.accounts[0] <= 100
    expected = sum(p.groups * sum(p.accounts) / 2 for p in scenario.personas)
    assert 2_200 <= expected <= 2_700


def test_e0_is_naive(simulated: Level) -> None:
    traffic = simulated("e0")
    for name in CAMPAIGNS:
        rows = traffic.campaign(name)
        assert len(set(rows["user_agent"].to_pylist())) == 1
        assert len(set(rows["client_address"].to_pylist())) <= 10
        assert night(rows) > 0.15
        assert together(rows) >= 0.85
        assert sharing(traffic.members(name), "payment") > 0.5
        assert np.median(first_days(traffic, name)) < 10


def test_e1_keeps_peoples_hours(simulated: Level) -> None:
    # Rented machines stand in one place; whoever sends through them sleeps.
    scenario = load("e1")
    assert all(c.beat == "throttled" for c in scenario.campaigns)
    weekend = {}
    for level in ("e0", "e1"):
        moments = np.concatenate([days(simulated(level).campaign(c)) for c in CAMPAIGNS])
        weekend[level] = float(((moments % 7) >= 5).mean())
    assert weekend["e1"] < weekend["e0"]


def test_e2_replaces_accounts_and_rotates_keys(simulated: Level) -> None:
    traffic = simulated("e2")
    for name in CAMPAIGNS:
        rows = traffic.campaign(name)
        assert together(rows) < 0.8
        who = traffic.members(name)
        opened = days(who, "created_at")
        # New ones are opened all through the period, each within days of its first use.
        assert np.ptp(opened[opened > 0]) > 5
        assert np.median(first_days(traffic, name)) < 4
    # Keys come one after the other: their times hardly overlap.
    overlaps = total = 0
    for account in set(traffic.campaign("agents")["account"].to_pylist()):
        mine = traffic.campaign("agents")
        mine = mine.filter(pc.equal(mine["account"], account))
        spans = sorted((min(v), max(v)) for v in grouped(mine, "credential", "time").values())
        total += len(spans) - 1
        overlaps += sum(b[0] < a[1] for a, b in pairwise(spans))
    assert total > 5
    assert overlaps == 0


def test_e3_hides_among_households(simulated: Level) -> None:
    traffic = simulated("e3")
    lawful = traffic.exchanges.filter(pc.is_null(traffic.exchanges["operator"]))
    honest = set(lawful["client_address"].to_pylist())
    for name in CAMPAIGNS:
        rows = traffic.campaign(name)
        used = [len(v) for v in grouped(rows, "account", "client_address").values()]
        assert np.median(used) >= 4
        assert len(set(rows["user_agent"].to_pylist())) >= 2
        # Honest people come out of the same exits.
        assert len(set(rows["client_address"].to_pylist()) & honest) >= 5
    everybody = traffic.exchanges.filter(pc.is_valid(traffic.exchanges["operator"]))
    assert sharing(everybody, "client_address") > 0.9


@pytest.mark.parametrize("level", ["e4", "e5", "e6"])
def test_e4_mixes_with_honest_traffic_on_the_same_accounts(simulated: Level, level: str) -> None:
    traffic = simulated(level)
    for name in CAMPAIGNS:
        behind = traffic.exchanges.filter(
            pc.equal(traffic.exchanges["operator"], f"operator of {name}")
        )
        harvest = pc.sum(pc.is_valid(behind["campaign"])).as_py() / behind.num_rows
        assert harvest == pytest.approx(0.3, abs=0.04)
        honest = behind.filter(pc.is_null(behind["campaign"]))
        assert set(honest["persona"].to_pylist()) == {"resold"}
        both = {
            account
            for account, kinds in grouped(behind, "account", "persona").items()
            if kinds == {"campaign", "resold"}
        }
        assert len(both) > 0.8 * traffic.members(name).num_rows


def common(traffic: Simulated, name: str) -> float:
    """How much two accounts of a campaign say word for word alike, in runs of eight words.

    Of the runs that an account says in two prompts or more, the share that another account of the
    campaign says too; the mean over pairs.
    """
    prompts: dict[str, list[str]] = defaultdict(list)
    rows = traffic.campaign(name)
    for account, prompt in zip(
        rows["account"].to_pylist(), rows["prompt"].to_pylist(), strict=True
    ):
        prompts[account].append(prompt)
    said = []
    for mine in prompts.values():
        counts = Counter(run for prompt in mine for run in runs([prompt], 8))
        said.append({run for run, count in counts.items() if count > 1})
    said = [runs_ for runs_ in said if runs_]
    return float(np.mean([len(a & b) / len(a) for a in said for b in said if a is not b]))


def test_e5_rewords_for_each_account(simulated: Level) -> None:
    for name in CAMPAIGNS:
        before, after = (common(simulated(level), name) for level in ("e4", "e5"))
        assert after < 0.6 * before
        # Reworded is not rewritten: phrases stay.
        assert after > 0.02


def test_e6_is_all_at_once_and_slow(simulated: Level) -> None:
    scenario = load("e6")
    for campaign in scenario.campaigns:
        assert campaign.lifetime_days
        assert campaign.network.place == "proxies"
        assert campaign.resold == 0.7
        assert campaign.writing.reword > 0
    pace = {}
    for level in ("e5", "e6"):
        traffic = simulated(level)
        pace[level] = sum(traffic.campaign(c).num_rows for c in CAMPAIGNS) / sum(
            traffic.members(c).num_rows for c in CAMPAIGNS
        )
    assert pace["e6"] < 0.8 * pace["e5"]


def test_e7_shares_nothing_beyond_chance(simulated: Level) -> None:
    traffic = simulated("e7")
    rows = traffic.exchanges.filter(pc.is_valid(traffic.exchanges["campaign"]))
    who = traffic.accounts.filter(pc.is_valid(traffic.accounts["campaign"]))
    network = pc.replace_substring_regex(rows["client_address"], r"[.:][^.:]*$", "")
    rows = rows.append_column("network", network)
    people = traffic.of("hobbyist")
    network = pc.replace_substring_regex(people["client_address"], r"[.:][^.:]*$", "")
    people = people.append_column("network", network)
    assert sharing(who, "payment") == 0.0
    for column, most in (("client_address", 0.15), ("network", 0.3)):
        assert sharing(rows, column) <= min(most, sharing(people, column) + 0.1), column
    private = who.filter(pc.match_substring(who["email_domain"], "-"))
    assert private.num_rows > 0
    assert sharing(private, "email_domain") == 0.0
    # Webmail and clients are as crowded as with strangers.
    for column, of in (("email_domain", "accounts"), ("user_agent", "exchanges")):
        table = getattr(traffic, of)
        mine = table.filter(pc.is_valid(table["campaign"]))
        theirs = table.filter(pc.equal(table["persona"], "hobbyist"))
        assert meeting(mine, column) < 1.5 * meeting(theirs, column)


def meeting(table: pa.Table, column: str) -> float:
    """Share of pairs of accounts that have a value in common."""
    pairs = sum(len(v) * (len(v) - 1) for v in grouped(table, column, "account").values())
    accounts = len(set(table["account"].to_pylist()))
    return pairs / (accounts * (accounts - 1))


def test_e7_leaves_content_and_timing(simulated: Level) -> None:
    traffic = simulated("e7")
    for name in CAMPAIGNS:
        alike = common(traffic, name)
        assert 0.01 < alike < 0.6
        assert load("e7").campaigns[0].zone == "group"
        # An operator's hours: there is a night.
        assert night(traffic.campaign(name)) < 0.12
    # One public template is in use by campaigns, by laboratories and by a licensed customer.
    label = "cot_elicitation:well-known"
    users = [p for p in load("e7").personas if label in p.writing.public]
    assert {p.campaign or p.name for p in users} == {*CAMPAIGNS, "benchmarker", "licensed"}
    said = {
        p.campaign or p.name: runs(
            (traffic.campaign(p.campaign) if p.campaign else traffic.of(p.name))[
                "prompt"
            ].to_pylist(),
            8,
        )
        for p in users
    }
    for a, b in combinations(said.values(), 2):
        assert a & b


@pytest.mark.parametrize("level", ["e0", "e3"])
def test_half_of_a_campaign_moves_to_a_new_model_within_a_day(simulated: Level, level: str) -> None:
    traffic = simulated(level)
    planted = pc.is_valid(traffic.exchanges["campaign"])
    moved = {}
    for name, of in (("campaign", planted), ("lawful", pc.invert(planted))):
        rows = traffic.exchanges.filter(of)
        moments = days(rows)
        new = pc.equal(rows["request_model"], "corvus-3").to_numpy(zero_copy_only=False)
        assert not new[moments < RELEASE].any()
        later = (moments > RELEASE + 1) & (moments < RELEASE + 2)
        moved[name] = float(new[later].mean())
    assert moved["campaign"] > 0.4
    assert moved["lawful"] < 0.25


def test_a_dozen_and_a_trickle(simulated: Level) -> None:
    dozen, trickle = simulated("e3-dozen"), simulated("e3-trickle")
    assert dozen.members("reasoning").num_rows == 12
    share = trickle.campaign("reasoning").num_rows / trickle.exchanges.num_rows
    assert share == pytest.approx(0.001, rel=0.2)
    thousands = simulated("e3-thousands")
    # At a size of 24,000 of 200,000.
    assert thousands.members("reasoning").num_rows == pytest.approx(240, rel=0.02)


def test_a_larger_simulation_has_more_of_the_same(tmp_path: Path) -> None:
    sizes = (30_000, 90_000)
    made = []
    for size in sizes:
        simulate(tmp_path / str(size), seed=3, exchanges=size, scenario="e3")
        made.append(Simulated(tmp_path / str(size)))
    little, large = made
    assert large.accounts.num_rows == pytest.approx(3 * little.accounts.num_rows, rel=0.15)
    for name in CAMPAIGNS:
        rows = [traffic.campaign(name) for traffic in made]
        members = [traffic.members(name).num_rows for traffic in made]
        share = [part.num_rows / size for part, size in zip(rows, sizes, strict=True)]
        pace = [part.num_rows / count for part, count in zip(rows, members, strict=True)]
        crowd = [
            len(set(part["client_address"].to_pylist())) / count
            for part, count in zip(rows, members, strict=True)
        ]
        assert share[0] == pytest.approx(share[1], rel=0.02)
        assert pace[0] == pytest.approx(pace[1], rel=0.3)
        assert crowd[0] == pytest.approx(crowd[1], rel=0.5)
