"""Arrival times, lives of accounts, and the figures that were fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stillhunt_simulator import load
from stillhunt_simulator.clock import Presence, rank, times
from stillhunt_simulator.columns import _Answers
from stillhunt_simulator.lifetimes import spans
from stillhunt_simulator.scenario import Beat
from stillhunt_simulator.traces import CHAT, CODE, GAPS, log_normal

DAY = 86_400.0


def presence(opened: list[float], closed: list[float], zones: list[float]) -> Presence:
    """Accounts without waves; days and seconds."""
    return Presence(
        np.array(opened) * DAY,
        np.array(closed) * DAY,
        np.array(zones),
        np.zeros(len(opened), dtype=np.int64),
        np.ones((1, 15)),
    )


@pytest.mark.parametrize("beat", ["sessions", "service", "runs", "nightly", "throttled", "steady"])
def test_times_stay_within_presence(beat: Beat) -> None:
    rng = np.random.default_rng(9)
    who = np.repeat(np.arange(5), [1, 40, 300, 0, 70])
    there = presence([0, 0, 3, 5, 9.5], [14, 2, 4, 6, 14], [0.0, 3600.0, -7200.0, 0.0, 36_000.0])
    seconds = times(rng, beat, who, there, pool=30)
    assert seconds.shape == who.shape
    assert (seconds >= there.opened[who]).all()
    assert (seconds <= there.closed[who]).all()


def test_people_sleep_and_machines_do_not() -> None:
    who = np.zeros(20_000, dtype=np.int64)
    night = {}
    for beat in ("throttled", "steady"):
        made = times(np.random.default_rng(4), beat, who, presence([0], [14], [0.0]))
        hours = made % DAY / 3600
        night[beat] = float(((hours >= 1) & (hours < 6)).mean())
    assert night["throttled"] < 0.06
    assert night["steady"] == pytest.approx(5 / 24, abs=0.02)


def test_the_day_is_that_of_the_zone() -> None:
    who = np.zeros(20_000, dtype=np.int64)
    zone = 7 * 3600.0
    made = times(np.random.default_rng(4), "throttled", who, presence([0], [14], [zone]))
    hours = (made + zone) % DAY / 3600
    assert float(((hours >= 1) & (hours < 6)).mean()) < 0.06


def test_gaps_are_as_bursty_as_fitted() -> None:
    n = 4_000
    who = np.repeat(np.arange(30), n)
    there = presence([0.0] * 30, [14.0] * 30, [0.0] * 30)
    for beat, wanted in (("steady", GAPS["service"]), ("throttled", None)):
        made = times(np.random.default_rng(5), beat, who, there).reshape(30, n)
        gaps = np.diff(made, axis=1)
        measured = float(np.median(gaps.std(axis=1) / gaps.mean(axis=1)))
        if wanted:
            assert measured == pytest.approx(wanted, rel=0.1)
        else:
            # A Poisson process, but for the hours of the day.
            assert 1.0 < measured < 1.8


def test_waves_are_a_groups_own() -> None:
    who = np.repeat(np.arange(2), 5_000)
    waves = np.ones((2, 15))
    waves[1, 4] = 30.0
    there = replace(presence([0, 0], [14, 14], [0.0, 0.0]), groups=np.arange(2), waves=waves)
    day = (times(np.random.default_rng(4), "steady", who, there) // DAY).reshape(2, 5_000)
    assert (day[0] == 4).mean() < 0.15
    assert (day[1] == 4).mean() > 0.5


def test_nightly_runs_come_at_one_hour_in_order() -> None:
    who = np.zeros(90, dtype=np.int64)
    seconds = times(np.random.default_rng(4), "nightly", who, presence([0], [14], [0.0]), pool=30)
    assert (np.diff(seconds) > 0).all()
    assert np.ptp(seconds % DAY) < 3600
    assert set(np.floor(seconds / DAY)) == {0.0, 1.0, 2.0}


def test_rank_counts_within_accounts() -> None:
    assert rank(np.array([0, 0, 2, 2, 2])).tolist() == [0, 1, 0, 1, 2]
    assert rank(np.array([], dtype=np.int64)).tolist() == []


def test_replaced_accounts_follow_one_another() -> None:
    scenario = load("e2")
    campaign = scenario.campaigns[0]
    lives = spans(np.random.default_rng(1), scenario, campaign, 60)
    assert len(lives) == 60
    assert all(0 <= life.first < life.last <= scenario.seconds for life in lives)
    assert all(life.created < life.first for life in lives)
    lasting = np.array([life.last - life.first for life in lives]) / DAY
    assert np.mean(lasting) == pytest.approx(campaign.lifetime_days, rel=0.25)
    # A seat is free for some hours only.
    ends = sorted(life.last for life in lives if life.last < scenario.seconds)
    starts = np.array([life.first for life in lives])
    assert all(((starts > end) & (starts < end + 8.1 * 3600)).any() for end in ends)


def test_accounts_are_as_old_as_said() -> None:
    scenario = load("e7")
    ages = {}
    for joined in ("long_ago", "recently", "for_this"):
        persona = replace(scenario.campaigns[0], joined=joined, lifetime_days=None)
        lives = spans(np.random.default_rng(1), scenario, persona, 400)
        ages[joined] = np.median([-life.created for life in lives if life.created < 0]) / DAY
    assert ages["long_ago"] > 100
    assert 10 < ages["recently"] < 100
    assert ages["for_this"] < 3


@pytest.mark.parametrize(
    ("lengths", "measured"),
    [
        # Quantiles of Azure code, output: 5, 25, 50, 75 and 95 %.
        (CODE, (6, 9, 13, 23, 86)),
        (log_normal(100.0, 0.5), (44, 71, 100, 140, 228)),
    ],
)
def test_answers_are_drawn_as_fitted(lengths: object, measured: tuple[int, ...]) -> None:
    answers = _Answers([CHAT, lengths])  # type: ignore[list-item]
    drawn = answers.draw(np.random.default_rng(1), np.ones(40_000, dtype=np.int64))
    got = np.quantile(drawn, (0.05, 0.25, 0.5, 0.75, 0.95))
    assert got == pytest.approx(measured, rel=0.12)
