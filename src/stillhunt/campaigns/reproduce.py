"""Whether a claim's finding reproduces: its links, recomputed from what its bundle shows.

A pseudonymous claim shows the campaign's exchanges and accounts under names made for it, and rows of
the degree totals that were sealed with them. From these the conjunctions that its entities share are
tested again, by the same null model as in a hunt, in each sealed stretch by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt.campaigns.degree_totals import totals_of
from stillhunt.errors import UsageError
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.report import FAILED, PASSED, Check, Report
from stillhunt.evidence.totals.gathered import templates_of
from stillhunt.evidence.totals.member import NOTHING, ShownTotals, Stretch
from stillhunt.evidence.totals.rows import FAMILIES, parse_template_row
from stillhunt.evidence.verify.context import Context
from stillhunt.evidence.verify.shown import ShownLeaves
from stillhunt.linking.links import Carried, Links
from stillhunt.linking.recomputed import components, recompute_links
from stillhunt.records.leaf import GRAMS

_REFERRED = {"organization": 0, "address": 1, "network": 2, "client": 3}
"""Kind to its column in what leaves refer to."""

_GRAMS_AT = 150 - 4 * GRAMS  # the block what ends with the grams
_GRAM_COUNT_AT = 1


@dataclass(frozen=True)
class StretchLinks:
    """What came out for one stretch.

    Attributes:
        batch: whose totals they are; entities: how many claimed ones are active in it.
        links: recomputed.
    """

    batch: int
    entities: int
    links: Links


@dataclass(frozen=True)
class Reproduction:
    """Whether a finding reproduces.

    Attributes:
        entities: that are claimed; stretches: with totals, in order.
        joined: entities that have a link; together: entities in the largest component of links.
        level: q-value that a link must not exceed; worst_q: the largest of those counted, or None.
    """

    entities: int
    stretches: tuple[StretchLinks, ...]
    joined: int
    together: int
    level: float
    worst_q: float | None

    @property
    def reproduces(self) -> bool:
        """Most claimed entities are joined with one another by links that were recomputed."""
        return 2 * self.together > self.entities

    def sentence(self) -> str:
        """What came out, in words and numbers."""
        links = sum(len(stretch.links) for stretch in self.stretches)
        many = f"in {len(self.stretches)} sealed stretches" if len(self.stretches) > 1 else ""
        said = (
            f"Recomputed from what is shown: {links:,} links {many + ' ' if many else ''}at q <= "
            f"{self.level:g} join {self.together:,} of the {self.entities:,} claimed entities with one "
            "another."
        )
        if self.joined > self.together:
            said += f" {self.joined - self.together:,} more are linked among themselves."
        left = self.entities - self.joined
        if left:
            said += (
                f" {left:,} have no link of their own here: what the finding says of them (adoption, "
                "sweeps, or traffic outside what is claimed) is not recomputed."
            )
        return said + (
            " The finding reproduces." if self.reproduces else " The finding does not reproduce."
        )


def reproduce(
    leaves: ShownLeaves, totals: ShownTotals | None, level: float, stretches: int = 1
) -> Reproduction:
    """Recompute the links of a verified pseudonymous bundle.

    Args:
        leaves, totals: as ``evidence.verify`` has read and checked them.
        level: bound on the false discovery rate that the claim states.
        stretches: that were committed to, where they may be more than are shown.

    Raises:
        UsageError: the bundle does not show enough.
        Refused: what it shows contradicts itself.
    """
    if totals is None or not leaves.names:
        raise _too_little()
    entity = _entities(leaves, totals)
    entities = int(entity.max(initial=-1)) + 1
    found = []
    for stretch in totals.stretches:
        carried, active = _carried(leaves, totals, stretch, entity, entities)
        try:
            links = recompute_links(
                totals_of(stretch.header),
                carried,
                level,
                stretches=max(stretches, len(totals.stretches)),
            )
        except ValueError as error:
            raise Refused(Code.TOTALS_MALFORMED, f"In the totals {error}.") from error
        found.append(StretchLinks(stretch.batch, active, links))
    label = components([stretch.links for stretch in found], entities)
    linked = label[label >= 0]
    joined, together = len(linked), int(np.bincount(linked).max(initial=0))
    q = [float(s.links.q_value.max()) for s in found if len(s.links)]
    return Reproduction(entities, tuple(found), joined, together, level, max(q, default=None))


MOST_LEVEL = 0.05
"""False discovery rate above which links prove nothing: a claimant states his own."""

NUMBER = 16
"""Of this check, after those that need no engine."""


def add_reproduction(report: Report, read: Context) -> None:
    """Add to the report of a bundle that holds whether its finding reproduces.

    Raises:
        UsageError: the bundle does not show enough.
    """
    source = "docs/evidence.md"
    predicate = read.statement.predicate
    level = predicate["method"]["parameters"].get("fdr")
    if read.leaves is None or not isinstance(level, float) or not 0 < level < 1:
        raise _too_little()
    if level > MOST_LEVEL:
        raise UsageError(
            f"The claim's finding rests on links at q <= {level:g}, which would join strangers.",
            f"Ask for a finding at {MOST_LEVEL:g} or less.",
        )
    try:
        committed = sum(batch.totals is not None for batch in read.batches or ())
        found = reproduce(read.leaves, read.totals, level, committed)
    except Refused as error:
        report.checks.append(
            Check(NUMBER, "reproduction", FAILED, error.problem, source, error.code)
        )
        return
    good = found.reproduces
    report.checks.append(
        Check(
            NUMBER,
            "reproduction",
            PASSED if good else FAILED,
            found.sentence(),
            source,
            None if good else Code.NOT_REPRODUCED,
        )
    )
    report.shown.append(found.sentence())
    report.figures["reproduction"] = {
        "entities": found.entities,
        "joined": found.joined,
        "together": found.together,
        "links": sum(len(stretch.links) for stretch in found.stretches),
        "stretches": len(found.stretches),
        "level": level,
        "worst_q": found.worst_q,
    }


def _too_little() -> UsageError:
    return UsageError(
        "The bundle shows too little to recompute its links.",
        "Ask for a claim of pseudonymous depth from a log that was sealed with totals.",
    )


def _entities(leaves: ShownLeaves, totals: ShownTotals) -> np.ndarray:
    """Number of each claimed account's entity, int64 (m,)."""
    accounts = len(leaves.accounts)
    place = {row.tobytes(): i for i, row in enumerate(totals.organizations["pseudonym"])}
    named = np.array([place[row.tobytes()] for row in leaves.names["organization"]], dtype=np.int64)
    # Organizations first, then accounts without one.
    entity = len(place) + np.arange(accounts, dtype=np.int64)
    owner = np.repeat(np.arange(accounts), np.diff(leaves.starts))
    refers = leaves.leaves["refers"][:, _REFERRED["organization"]]
    said = refers != NOTHING
    # By value, as a hunt does, the last of several on one account's exchanges; the list is by value.
    largest = np.full(accounts, -1, dtype=np.int64)
    np.maximum.at(largest, owner[said], named[refers[said].astype(np.int64)])
    entity[largest >= 0] = largest[largest >= 0]
    rows = totals.accounts
    declared = rows["organization"] != NOTHING
    entity[rows["account"][declared].astype(np.int64)] = rows["organization"][declared]
    return np.unique(entity, return_inverse=True)[1].ravel().astype(np.int64)


def _carried(
    leaves: ShownLeaves,
    totals: ShownTotals,
    stretch: Stretch,
    entity: np.ndarray,
    entities: int,
) -> tuple[dict[str, Carried], int]:
    """Who of the claimed entities carries what in a stretch, and how many are active in it."""
    owner = np.repeat(np.arange(len(leaves.accounts)), np.diff(leaves.starts))
    position = leaves.leaves["position"].astype(np.int64)
    inside = (position >= stretch.first) & (position < stretch.end)
    whose, rows = entity[owner[inside]], leaves.leaves[inside]
    carried = {}
    for family in ("address", "network", "client"):
        refers = rows["refers"][:, _REFERRED[family]]
        said = refers != NOTHING
        known = _popularity(stretch, family)
        popularity = np.array(
            [known.get(row.tobytes(), 0) for row in leaves.names[family]], dtype=np.int64
        )
        carried[family] = _lists(whose[said], refers[said].astype(np.int64), popularity, entities)
    active = np.isin(totals.accounts["account"], np.unique(owner[inside]))
    table = totals.accounts[active]
    holder = entity[table["account"].astype(np.int64)]
    for family in ("payment", "email_domain"):
        names, which = np.unique(
            np.ascontiguousarray(table[family]).view("V32").reshape(-1), return_inverse=True
        )
        known = _popularity(stretch, family)
        popularity = np.array([known.get(name.tobytes(), 0) for name in names], dtype=np.int64)
        carried[family] = _lists(holder, which.ravel().astype(np.int64), popularity, entities)
    carried["template"] = _templates(stretch, rows, whose, entities)
    return carried, len(np.unique(whose))


def _popularity(stretch: Stretch, family: str) -> dict[bytes, int]:
    of = stretch.values[stretch.values["family"] == FAMILIES.index(family)]
    return {row["pseudonym"].tobytes(): int(row["entities"]) for row in of}


def _templates(stretch: Stretch, rows: np.ndarray, whose: np.ndarray, entities: int) -> Carried:
    parsed = [parse_template_row(shown.grams) for shown in stretch.templates]
    gram = np.concatenate([np.zeros(0, np.int32), *(grams for _, grams in parsed)])
    number = np.repeat(np.arange(len(parsed)), [len(grams) for _, grams in parsed])
    what = np.ascontiguousarray(rows["what"])
    grams = np.ascontiguousarray(what[:, _GRAMS_AT:]).view("<i4")
    leaf, held = templates_of(grams, what[:, _GRAM_COUNT_AT].astype(np.int64), gram, number)
    popularity = np.array([shown.entities for shown in stretch.templates], dtype=np.int64)
    return _lists(whose[leaf], held, popularity, entities)


def _lists(entity: np.ndarray, value: np.ndarray, popularity: np.ndarray, entities: int) -> Carried:
    """Who carries which values, by the values' numbers; those that no row is shown of are left out."""
    known = popularity[value] > 0 if len(value) else np.zeros(0, dtype=bool)
    pairs = np.unique(np.column_stack([value[known], entity[known]]), axis=0)
    names, number, carriers = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    if bool((popularity[names] < carriers).any()):
        raise Refused(
            Code.TOTALS_MALFORMED, "More claimed entities carry a value than all entities together."
        )
    return Carried(
        names.astype(np.int64),
        popularity[names],
        pairs[:, 1].astype(np.int32),
        number.ravel().astype(np.int32),
        entities,
    )
