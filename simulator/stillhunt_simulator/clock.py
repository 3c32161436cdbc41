"""When exchanges happen: one function per beat, over whole personas at a time.

Arrivals are renewal processes with gamma gaps, as bursty as measured traffic (``traces.GAPS``), on a
clock that runs with the hours of the day and stands nearly still where nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator.scenario import Beat
from stillhunt_simulator.traces import GAPS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DAY = 86_400.0
_HOUR = 3_600.0

# Share of requests by local hour: people, and the applications that people use.
_PEOPLE = np.array(
    [2, 1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 7, 8, 8, 8, 7, 6, 6, 7, 7, 6, 4], dtype=np.float64
)
_SERVICE = _PEOPLE + 4.0
_ALWAYS = np.ones(24)
# The period starts on a Monday.
_WEEKEND = 0.55


@dataclass(frozen=True, slots=True)
class Presence:
    """When each account is there; arrays of shape (accounts,), in seconds.

    Attributes:
        opened: from the start of the period to the account's first possible moment.
        closed: to its last.
        zones: offset of its owner's day from UTC.
        groups: row of ``waves`` that each account follows.
        waves: activity of each group by day; shape (groups, days or more).
    """

    opened: Floats
    closed: Floats
    zones: Floats
    groups: Ints
    waves: Floats

    @property
    def span(self) -> Floats:
        """How long each account is there."""
        span: Floats = np.maximum(self.closed - self.opened, 1.0)
        return span


def times(
    rng: np.random.Generator, beat: Beat, who: Ints, presence: Presence, pool: int = 0
) -> Floats:
    """Draw arrival times.

    Args:
        rng: source of chance.
        beat: how they come.
        who: n account indices, sorted.
        presence: when each account is there.
        pool: items in one nightly run.

    Returns:
        n seconds from the start, within each account's presence; in order within an account,
        except for runs and nights.
    """
    if beat == "nightly":
        return _nightly(rng, who, presence, pool)
    return _BEATS[beat](rng, who, presence)


def _sessions(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """People: a few sittings of some minutes each."""
    return _renewals(rng, who, presence, _PEOPLE, GAPS["sessions"])


def _service(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Applications: all day, more when people are awake."""
    return _renewals(rng, who, presence, _SERVICE, GAPS["service"])


def _throttled(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Machines that keep people's hours, without sittings."""
    return _renewals(rng, who, presence, _PEOPLE, 1.0)


def _steady(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Machines that never sleep, nor keep weekends."""
    return _renewals(rng, who, presence, _ALWAYS, GAPS["service"], weekend=1.0)


def _runs(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Batch jobs: one to three runs of some hours."""
    accounts, runs = len(presence.opened), 3
    latest = presence.span[:, None] * 0.9
    starts = presence.opened[:, None] + rng.random((accounts, runs)) * latest
    lasting = rng.uniform(2.0, 9.0, (accounts, runs)) * _HOUR
    used = rng.integers(1, runs + 1, accounts)
    run = (rng.random(len(who)) * used[who]).astype(np.int64)
    return _within(starts[who, run] + rng.random(len(who)) * lasting[who, run], who, presence)


def _nightly(rng: np.random.Generator, who: Ints, presence: Presence, pool: int) -> Floats:
    """The same list, once a night, in order."""
    place = rank(who)
    night, position = place // pool, place % pool
    nights = np.maximum(1.0, presence.span // _DAY)
    hour = (2.0 * _HOUR - presence.zones) % _DAY
    start = presence.opened[who] + (night % nights[who]) * _DAY + hour[who]
    return _within(start + position * 7.0 + rng.random(len(who)) * 5.0, who, presence)


_Beat = Callable[[np.random.Generator, Ints, Presence], Floats]
_BEATS: dict[Beat, _Beat] = {
    "sessions": _sessions,
    "service": _service,
    "runs": _runs,
    "throttled": _throttled,
    "steady": _steady,
}


def rank(who: Ints) -> Ints:
    """Place of each row among its account's rows, from 0. ``who`` must be sorted."""
    counts = np.bincount(who) if len(who) else np.zeros(0, dtype=np.int64)
    firsts = np.cumsum(counts) - counts
    place: Ints = np.arange(len(who)) - firsts[who]
    return place


def _renewals(
    rng: np.random.Generator,
    who: Ints,
    presence: Presence,
    hours: Floats,
    variation: float,
    weekend: float = _WEEKEND,
) -> Floats:
    """Renewals with gamma gaps, in operational time, brought to each account's own day.

    Args:
        rng: source of chance.
        who: n account indices, sorted.
        presence: when each account is there.
        hours: intensity by local hour.
        variation: coefficient of variation of the gaps; 1 is a Poisson process.
        weekend: intensity on Saturdays and Sundays, of that on other days.
    """
    accounts = len(presence.opened)
    counts = np.bincount(who, minlength=accounts)
    # Before the first arrival and after the last there is an ordinary wait each.
    shape = variation**-2
    gaps = rng.gamma(shape, 1.0 / shape, len(who))
    gaps += 1e-9
    lead, tail = rng.exponential(1.0, (2, accounts))
    sums = np.cumsum(gaps)
    firsts = np.cumsum(counts) - counts
    # From an account's first arrival to each of its arrivals.
    since = sums - sums[firsts[who]]
    whole = (lead + tail)[who] + since[(firsts + counts - 1)[who]]
    share = (lead[who] + since) / whole
    out = np.empty(len(who))
    for zone, group in np.unique(np.column_stack((presence.zones, presence.groups)), axis=0):
        mine = ((presence.zones == zone) & (presence.groups == group))[who]
        edges, work = _work(presence, zone, hours, weekend, presence.waves[int(group)])
        low = np.interp(presence.opened, edges, work)[who[mine]]
        high = np.interp(presence.closed, edges, work)[who[mine]]
        out[mine] = np.interp(low + share[mine] * (high - low), work, edges)
    return np.clip(out, presence.opened[who], presence.closed[who])


def _work(
    presence: Presence, zone: float, hours: Floats, weekend: float, waves: Floats
) -> tuple[Floats, Floats]:
    """Hour by hour, how much of the operational time of a zone and a group has passed."""
    count = int(np.ceil(presence.closed.max() / _HOUR)) + 1
    edges: Floats = np.arange(count + 1, dtype=np.float64) * _HOUR
    local = edges[:-1] + zone
    rate: Floats = hours[((local % _DAY) // _HOUR).astype(np.int64)]
    rate = np.where((local // _DAY) % 7 >= 5, rate * weekend, rate)
    rate = rate * waves[np.minimum((edges[:-1] // _DAY).astype(np.int64), len(waves) - 1)]
    work: Floats = np.concatenate((np.zeros(1), np.cumsum(rate)))
    return edges, work


def _within(moment: Floats, who: Ints, presence: Presence) -> Floats:
    """Fold what overshoots an account's presence back into it."""
    low = presence.opened[who]
    folded: Floats = low + (moment - low) % presence.span[who]
    return folded
