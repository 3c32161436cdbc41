"""Gives this hunt's clusters the ids under which an earlier hunt knew them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.investigate import Investigation
from stillhunt.campaigns.lifecycle import Known
from stillhunt.campaigns.matching import free_id, match
from stillhunt.campaigns.previous import Previous
from stillhunt.engines.base import Engine
from stillhunt.fingerprints.hashing import hash64


@dataclass(frozen=True)
class Identities:
    """How earlier campaigns went on.

    Attributes:
        merged: earlier id to the campaign it went into; split: campaign to the earlier id it came out of.
        given: every id given so far, this hunt's campaigns included.
    """

    merged: Mapping[str, str]
    split: Mapping[str, str]
    given: frozenset[str]


def hashes(names: Iterable[str], domain: str) -> dict[str, int]:
    """Name to the hash that the engine knows it by."""
    ordered = sorted(set(names))
    values = np.asarray(hash64(pa.array(ordered, pa.string()), domain)).tolist()
    return dict(zip(ordered, values, strict=True))


def carry_ids(
    engine: Engine, found: Investigation, previous: Previous, history: Iterable[Known]
) -> tuple[Investigation, Identities]:
    """Name clusters as the earlier hunt did; campaigns first, then clusters that are none.

    A cluster that carries on no campaign keeps the id it came with, unless that was ever given.

    Args:
        engine: after ``investigate``.
        found: what was concluded.
        previous: the earlier hunt.
        history: accounts ever named that may still be told of.
    """
    known = [k for k in history if k.merged_into is None]
    account = hashes((k.account for k in known), "account")
    owner = hashes((k.entity for k in known if k.entity != k.account), "organization")
    before: dict[str, set[int]] = {}
    for k in known:
        before.setdefault(k.campaign, set()).add(account[k.account])
        if k.entity in owner:
            before[k.campaign].add(owner[k.entity])
    after = _members(engine, found)
    seen_before = _seen_before(previous, after.values())
    seen_after = _seen_after(engine, before.values())
    of = hashes(previous.exchanges, "account")
    weight = {of[a]: n for a, n in previous.exchanges.items()}
    # Under numbers, since provisional ids may repeat earlier ones.
    names = {i: f"{v.campaign}/{i}" for i, v in enumerate(found.verdicts)}
    campaigns = {names[i]: after[i] for i, v in enumerate(found.verdicts) if v.is_campaign}
    others = {names[i]: after[i] for i, v in enumerate(found.verdicts) if not v.is_campaign}
    first = match(before, campaigns, seen_before, seen_after, weight)
    left = before.keys() - set(first.continues.values()) - first.merged.keys()
    rest = {p: before[p] for p in left}
    second = match(rest, others, seen_before, seen_after, weight)
    carried = first.continues | second.continues
    taken = set(previous.ids) | set(carried.values())
    final: dict[str, str] = {}
    order = sorted(names, key=lambda i: (not found.verdicts[i].is_campaign, names[i]))
    for i in order:
        name = carried.get(names[i]) or free_id(found.verdicts[i].campaign, taken)
        final[names[i]] = name
        taken.add(name)
    verdicts = tuple(replace(v, campaign=final[names[i]]) for i, v in enumerate(found.verdicts))
    named = {v.campaign for v in verdicts if v.is_campaign}
    return replace(found, verdicts=verdicts), Identities(
        merged={p: final[c] for p, c in first.merged.items()},
        split={final[c]: p for c, p in first.split.items()},
        given=previous.ids | named,
    )


def _members(engine: Engine, found: Investigation) -> dict[int, set[int]]:
    """Accounts of each cluster and the organizations they belong to; of campaigns the named ones."""
    rows = engine.query(
        """
        SELECT c.cluster, m.account, m.entity
        FROM cluster_of AS c JOIN account_entity AS m ON m.entity = c.entity
        """
    )
    counted = [{m.entity for m in v.named} if v.is_campaign else None for v in found.verdicts]
    out: dict[int, set[int]] = {i: set() for i in range(len(found.verdicts))}
    for cluster, account, entity in zip(*(c.to_pylist() for c in rows.columns), strict=True):
        only = counted[cluster]
        if only is None or entity in only:
            out[cluster] |= {account, entity}
    return out


def _seen_before(previous: Previous, members: Iterable[Set[int]]) -> set[int]:
    wanted = np.array(sorted(set().union(*members)), dtype=np.int64)
    named = hashes((k.account for k in previous.before.history), "account")
    seen = np.concatenate(
        [
            np.asarray(hash64(previous.accounts, "account")),
            np.asarray(hash64(previous.entities, "organization")),
            np.array(list(named.values()), dtype=np.int64),
        ]
    )
    return set(wanted[np.isin(wanted, seen)].tolist())


def _seen_after(engine: Engine, members: Iterable[Set[int]]) -> set[int]:
    wanted = sorted(set().union(*members))
    engine.load("earlier_member", pa.table({"member": pa.array(wanted, pa.int64())}))
    rows = engine.query(
        """
        SELECT e.member FROM earlier_member AS e JOIN account_entity AS m ON m.account = e.member
        UNION
        SELECT e.member FROM earlier_member AS e JOIN account_entity AS m ON m.entity = e.member
        """
    )
    return set(rows.column("member").to_pylist())
