"""When exchanges happen: one function per beat, over whole personas at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator.scenario import Beat

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DAY = 86_400.0
_HOUR = 3_600.0

# Share of requests by local hour: people, and the applications that people use.
_PEOPLE = np.array(
    [2, 1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 7, 8, 8, 8, 7, 6, 6, 7, 7, 6, 4], dtype=np.float64
)
_SERVICE = _PEOPLE + 4.0
# The period starts on a Monday.
_WEEKEND = 0.55


@dataclass(frozen=True, slots=True)
class Presence:
    """When each account is there; arrays of shape (accounts,), in seconds.

    Attributes:
        opened: from the start of the period to the account's first possible moment.
        closed: to its last.
        zones: offset of its owner's day from UTC.
    """

    opened: Floats
    closed: Floats
    zones: Floats

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
        n seconds from the start, within each account's presence; not sorted.
    """
    if beat == "nightly":
        return _nightly(rng, who, presence, pool)
    return _BEATS[beat](rng, who, presence)


def _sessions(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """People: a few sittings of some minutes each."""
    counts = np.bincount(who, minlength=len(presence.opened))
    sittings = np.ceil(counts / rng.uniform(1.5, 4.0, len(counts))).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(sittings)))
    owner = np.repeat(np.arange(len(counts)), sittings)
    starts = _moments(rng, owner, presence, _PEOPLE)
    mine = first[who] + (rng.random(len(who)) * sittings[who]).astype(np.int64)
    return _within(starts[mine] + rng.exponential(900.0, len(who)), who, presence)


def _service(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Applications: all day, more when people are awake."""
    return _moments(rng, who, presence, _SERVICE)


def _throttled(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Machines that keep people's hours, without sittings."""
    return _moments(rng, who, presence, _PEOPLE)


def _steady(rng: np.random.Generator, who: Ints, presence: Presence) -> Floats:
    """Machines that never sleep."""
    return presence.opened[who] + rng.random(len(who)) * presence.span[who]


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


def _moments(rng: np.random.Generator, who: Ints, presence: Presence, hours: Floats) -> Floats:
    """Moments in each account's presence, by local hour and day of the week."""
    low, span, zone = presence.opened[who], presence.span[who], presence.zones[who]
    moment = low + rng.random(len(who)) * span
    pending = np.arange(len(who))
    # Redraw what falls on an unlikely hour or a weekend; a few rounds settle nearly all.
    for _ in range(8):
        local = moment[pending] + zone[pending]
        weight = hours[((local % _DAY) // _HOUR).astype(np.int64)] / hours.max()
        weight = np.where((local // _DAY) % 7 >= 5, weight * _WEEKEND, weight)
        pending = pending[rng.random(len(pending)) > weight]
        moment[pending] = low[pending] + rng.random(len(pending)) * span[pending]
    return moment


def _within(moment: Floats, who: Ints, presence: Presence) -> Floats:
    """Fold what overshoots an account's presence back into it."""
    low = presence.opened[who]
    folded: Floats = low + (moment - low) % presence.span[who]
    return folded
