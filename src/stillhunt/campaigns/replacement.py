"""Who stepped in for whom: an account that began after another had stopped, and took over its values.

Only what tells the accounts of a campaign apart counts. A value v that k_v of a campaign's m accounts
carry weighs ln(m / k_v): what all carry weighs nothing. Of what L carried, N takes over

    sum over values of both of ln(m / k_v)  /  sum over values of L of ln(m / k_v)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MIN_TAKEN_OVER = 0.5
"""A replacement takes over at least this share of what told its predecessor apart."""

GONE = 0.01
"""An account is gone if so long a silence were that improbable at its own pace."""

_DAY = timedelta(days=1)
_DIGITS = 1_000_000
_MINUTES = 1 << 20  # two years; longer gaps are alike

Value = tuple[str, str]
"""Family and value, as the findings show it."""


@dataclass(frozen=True)
class Span:
    """When an account was at work: its first and last exchange, and exchanges a day between them."""

    account: str
    entity: str
    first_seen: datetime
    last_seen: datetime
    per_day: float


def pace(exchanges: int, first_seen: datetime, last_seen: datetime) -> float:
    """Exchanges a day, over a day at least."""
    return exchanges / max((last_seen - first_seen) / _DAY, 1.0)


def is_gone(last_seen: datetime, per_day: float, now: datetime) -> bool:
    """Whether an account has stopped: silent for a day, and improbably long at its own pace.

    Were it still at work, exchanges coming at random at its pace, a silence of t days would have
    probability exp(-pace t); a night or a weekend of a slow account is no departure.
    """
    silent = (now - last_seen) / _DAY
    return silent >= 1.0 and math.exp(-per_day * silent) <= GONE


def find_replacements(
    gone: Sequence[Span], newcomers: Sequence[Span], values: Mapping[str, Set[Value]]
) -> dict[str, str]:
    """Account that stopped to the account that stepped in for it; one to one.

    Args:
        gone: accounts of one campaign that have stopped.
        newcomers: accounts of it that were not named before.
        values: of every account of the campaign for which they are known, without templates.

    Of all assignments of newcomers that began later than the other stopped, belong to another entity
    and take over MIN_TAKEN_OVER or more, the one that takes over most is chosen; among those the one
    with the shortest gaps.
    """
    carriers = Counter(value for carried in values.values() for value in carried)
    among = len(values)
    telling = {v: math.log(among / k) for v, k in carriers.items()}
    old = sorted(gone, key=lambda s: (s.last_seen, s.account))
    new = sorted(newcomers, key=lambda s: (s.first_seen, s.account))
    holders: dict[Value, list[int]] = {}
    for j, came in enumerate(new):
        for value in values.get(came.account, ()):
            holders.setdefault(value, []).append(j)
    edges: dict[tuple[int, int], int] = {}
    for i, left in enumerate(old):
        own = sorted(values.get(left.account, ()), key=lambda v: (-telling[v], v))
        whole = math.fsum(telling[v] for v in own)
        for j in _candidates(own, telling, whole, holders):
            came = new[j]
            if came.first_seen <= left.last_seen or came.entity == left.entity:
                continue
            carried = values[came.account]
            share = math.fsum(telling[v] for v in own if v in carried) / whole
            if share >= MIN_TAKEN_OVER:
                gap = int((came.first_seen - left.last_seen) / timedelta(minutes=1))
                closeness = _MINUTES - 1 - min(gap, _MINUTES - 1)
                edges[i, j] = round(share * _DIGITS) * _MINUTES + closeness
    return {old[i].account: new[j].account for i, j in _assign(edges, len(old), len(new))}


def _candidates(
    own: Sequence[Value],
    telling: Mapping[Value, float],
    whole: float,
    holders: Mapping[Value, Sequence[int]],
) -> list[int]:
    """Newcomers that may take over enough: they hold one of the values without which it is too little."""
    if whole <= 0:
        return []
    found: set[int] = set()
    rest = whole
    for value in own:
        if rest < MIN_TAKEN_OVER * whole or telling[value] <= 0:
            break
        found.update(holders.get(value, ()))
        rest -= telling[value]
    return sorted(found)


def _assign(edges: Mapping[tuple[int, int], int], old: int, new: int) -> list[tuple[int, int]]:
    """Maximum-weight matching, one connected part after another."""
    if not edges:
        return []
    ends = np.array(list(edges), dtype=np.int64)
    ones = np.ones(len(ends))
    graph = coo_array((ones, (ends[:, 0], old + ends[:, 1])), shape=(old + new, old + new))
    _, part = connected_components(graph, directed=False)
    by_part: dict[int, list[tuple[int, int]]] = {}
    for i, j in sorted(edges):
        by_part.setdefault(int(part[i]), []).append((i, j))
    out = []
    for pairs in by_part.values():
        rows = sorted({i for i, _ in pairs})
        columns = sorted({j for _, j in pairs})
        worth = np.zeros((len(rows), len(columns)))
        for i, j in pairs:
            worth[rows.index(i), columns.index(j)] = edges[i, j]
        for r, c in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
            if worth[r, c]:
                out.append((rows[r], columns[c]))
    return sorted(out)
