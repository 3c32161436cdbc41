"""Which campaign of an earlier hunt a cluster of this one continues: matching by members in common."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

MIN_SHARED = 2
"""Members in common below which nothing is carried on: one account is no campaign."""

Members = Mapping[str, Set[int]]
"""Id to members: hashes of accounts and of the organizations they belong to."""


@dataclass(frozen=True)
class Matching:
    """How earlier campaigns and new clusters belong together.

    Attributes:
        continues: new id to the earlier id it carries on; one to one.
        merged: earlier id that nothing carries on, to the new id most of it is in.
        split: new id that carries nothing on, to the earlier id most of it was in.
    """

    continues: dict[str, str]
    merged: dict[str, str]
    split: dict[str, str]


def match(
    before: Members,
    after: Members,
    seen_before: Set[int],
    seen_after: Set[int],
    weight: Mapping[int, int],
) -> Matching:
    """Match earlier campaigns with new ones, one to one, so that most members are kept.

    A pair may be matched where it shares MIN_SHARED members or more, and these are at least half of
    the earlier campaign's members that are seen at all in the new logs, or half of the new one's that
    the earlier hunt saw at all. Of all matchings of such pairs the one with most shared members is
    taken; among those, the one whose shared members weigh most (maximum-weight bipartite matching,
    Crouse 2016 as in SciPy). Remaining ties fall by the order of ids.

    Args:
        before, after: members by id.
        seen_before, seen_after: members that the earlier, the new logs hold, whatever they did there.
        weight: of a member, its earlier exchanges; absent: 0.
    """
    old, new = sorted(before), sorted(after)
    shared = np.zeros((len(old), len(new)), dtype=np.int64)
    heavy = np.zeros((len(old), len(new)), dtype=np.int64)
    goes = np.zeros((len(old), len(new)), dtype=bool)
    comes = np.zeros((len(old), len(new)), dtype=bool)
    survivors = {p: len(before[p] & seen_after) for p in old}
    forerunners = {c: len(after[c] & seen_before) for c in new}
    place = {c: j for j, c in enumerate(new)}
    homes: dict[int, list[str]] = {}
    for c in new:
        for member in after[c]:
            homes.setdefault(member, []).append(c)
    for i, p in enumerate(old):
        for member in before[p]:
            for c in homes.get(member, ()):
                shared[i, place[c]] += 1
                heavy[i, place[c]] += weight.get(member, 0)
        for j, c in enumerate(new):
            n = int(shared[i, j])
            goes[i, j] = n >= MIN_SHARED and 2 * n >= survivors[p]
            comes[i, j] = n >= MIN_SHARED and 2 * n >= forerunners[c]
    worth = np.where(goes | comes, shared * (1 + int(heavy.sum())) + heavy, 0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    pairs = [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if worth[i, j]]
    kept = {i for i, _ in pairs}
    carried = {j for _, j in pairs}
    rank = np.where(goes, worth, 0)
    origin = np.where(comes, worth, 0)
    return Matching(
        continues={new[j]: old[i] for i, j in pairs},
        merged={
            p: new[int(np.argmax(rank[i]))]
            for i, p in enumerate(old)
            if i not in kept and goes[i].any()
        },
        split={
            c: old[int(np.argmax(origin[:, j]))]
            for j, c in enumerate(new)
            if j not in carried and comes[:, j].any()
        },
    )


def free_id(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, or an id made from it, so that no id that was ever given is given again."""
    name, attempt = wanted, 0
    while name in taken:
        attempt += 1
        digest = hashlib.blake2b(f"{wanted}/{attempt}".encode(), digest_size=6)
        name = "c-" + digest.hexdigest()
    return name
