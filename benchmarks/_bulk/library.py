"""What simulated exchanges leave when they are fingerprinted: the pattern for those in bulk.

Each exchange in bulk follows one of these: it has as many grams, and of each it is known whether
nobody else had it (then it is a new one), its group's other exchanges had it (then it is the same in
all of the new group's), or other groups had it too (then it stays what it is). So it is with items
and system texts. What traffic looks like is thereby not described once more, but taken over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _bulk.kernels import COMMON, OWN, RANDOM
from stillhunt.fingerprints.cues import phrase_table
from stillhunt.fingerprints.kernel import cue_table
from stillhunt.fingerprints.text import fingerprint_text
from stillhunt_simulator.columns import Clerk
from stillhunt_simulator.draws import named
from stillhunt_simulator.plan import plan
from stillhunt_simulator.scenario import Scenario
from stillhunt_simulator.settling import populate

_BATCH = 8_192
_ENOUGH = 8
EVERYBODYS = 1e-3
"""Share of the exchanges from which on a gram of several groups is everybody's."""

# Fewer occurrences in a group are chance; so is a smaller share of its exchanges, where others have
# the same.
_FEW, _OFTEN = 3, 0.01

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Library:
    """Fingerprints of simulated exchanges, sorted by persona, group and account.

    Attributes:
        grams, gram_class: int32 and uint8, those of row i from starts[i] to starts[i + 1].
        item, item_class, system, system_class: of each row; system 0 where there is none.
        cues, words, guarantee: of each row; asked: input tokens, float.
        form: of each row; shares, mus, sigmas: (forms, components), lengths of answers.
        group_persona, group_low, group_high: of each group; rows low to high are its own.
        account_group, account_low, account_high: the same of each account.
    """

    grams: NDArray[np.int32]
    gram_class: NDArray[np.uint8]
    starts: Ints
    item: Ints
    item_class: NDArray[np.uint8]
    system: NDArray[np.int32]
    system_class: NDArray[np.uint8]
    cues: Ints
    words: NDArray[np.int32]
    guarantee: NDArray[np.int32]
    asked: NDArray[np.float64]
    form: Ints
    shares: NDArray[np.float64]
    mus: NDArray[np.float64]
    sigmas: NDArray[np.float64]
    group_persona: Ints
    group_low: Ints
    group_high: Ints
    account_group: Ints
    account_low: Ints
    account_high: Ints


def make_library(scenario: Scenario, seed: int, exchanges: int) -> Library:
    """Simulate a scenario and fingerprint it."""
    rng = np.random.default_rng(seed)
    population = populate(rng, scenario, exchanges, named(seed, "texts"))
    rows = plan(rng, scenario, population, exchanges)
    # In the order of accounts, which is by persona and group, and each account's in order of time.
    order = np.argsort(rows.account, kind="stable")
    account = rows.account[order].astype(np.int64)
    group = np.array([a.group for a in population.accounts])[account]
    columns = _fingerprinted(rng, Clerk(scenario, population), rows, exchanges)
    grams, count, item, system, cues, words, guarantee, asked = (c[order] for c in columns)
    used = np.arange(grams.shape[1])[None, :] < count[:, None]
    row = np.repeat(np.arange(exchanges), count)
    flat = grams[used]
    answers = [form.answer for form in population.forms]
    widest = max(len(a.shares) for a in answers)
    groups, group_low, group_high = _runs(group)
    _, account_low, account_high = _runs(account)
    return Library(
        grams=flat,
        gram_class=_class(flat, group[row], exchanges),
        starts=np.concatenate(([0], np.cumsum(count))).astype(np.int64),
        item=item,
        item_class=_class(item, group, exchanges),
        system=system,
        system_class=_class(system, group, exchanges),
        cues=cues,
        words=words,
        guarantee=guarantee,
        asked=asked,
        form=rows.form[order].astype(np.int64),
        shares=np.cumsum([_wide(a.shares, widest) for a in answers], axis=1),
        mus=np.array([_wide(a.mus, widest) for a in answers]),
        sigmas=np.array([_wide(a.sigmas, widest) for a in answers]),
        group_persona=np.array([a.persona for a in population.accounts])[account[group_low]],
        group_low=group_low,
        group_high=group_high,
        account_group=np.searchsorted(groups, group[account_low]),
        account_low=account_low,
        account_high=account_high,
    )


def _fingerprinted(
    rng: np.random.Generator, clerk: Clerk, rows: object, n: int
) -> list[NDArray[Any]]:
    cues = cue_table(phrase_table())
    parts = []
    for low in range(0, n, _BATCH):
        batch, _ = clerk.rows(rng, rows, low, min(low + _BATCH, n))  # type: ignore[arg-type]
        text = fingerprint_text(batch.column("system"), batch.column("prompt"), cues)
        parts.append(
            (
                text.grams, text.count.astype(np.int64), text.item, text.system, text.cues,
                text.words, text.guarantee, np.asarray(batch.column("input_tokens"), np.float64),
            )
        )  # fmt: skip
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _class(values: NDArray[np.generic], group: Ints, rows: int) -> NDArray[np.uint8]:
    """How each occurrence of a value is made anew.

    What a group has often is its template: its own, or everybody's where others have it too. What
    several groups have by chance must not be taken over, however often it is: as rows are followed
    again and again, by a group's accounts more than by others, they would seem to share it.

    Args:
        values: as they occur; group: int64, who has each; rows: exchanges in all.
    """
    _, number, count = np.unique(values, return_inverse=True, return_counts=True)
    pair = number * (int(group.max()) + 1) + group
    _, which, within = np.unique(pair, return_inverse=True, return_counts=True)
    total, own = count[number], within[which]
    sizes = np.bincount(group)[group] / max(1.0, len(values) / rows)
    often = (own >= _FEW) & ((own == total) | (own >= _OFTEN * sizes))
    common = (own < total) & (often | (total >= EVERYBODYS * rows))
    out: NDArray[np.uint8] = np.where(common, COMMON, np.where(often, OWN, RANDOM)).astype(np.uint8)
    return out


def _runs(values: Ints) -> tuple[Ints, Ints, Ints]:
    """Distinct values of a sorted array, and from where to where each stands."""
    distinct, low = np.unique(values, return_index=True)
    return distinct, low, np.append(low[1:], len(values))


def _wide(values: tuple[float, ...], width: int) -> tuple[float, ...]:
    return (*values, *((0.0,) * (width - len(values))))


def sources(
    rng: np.random.Generator, library: Library, persona: int, group: Ints, *, alone: bool = True
) -> tuple[Ints, Ints]:
    """Which rows of the library each account follows.

    Args:
        rng: source of chance.
        library: the pattern.
        persona: of all these accounts.
        group: int64 (n,), number of each account's group, from 0.
        alone: whether an account follows one account, or all of a group.

    Returns:
        First row, and the row after the last. A group follows one group of its persona, drawn by
        its number of exchanges; an account one account of that, or all where it has few exchanges.
    """
    those = np.flatnonzero(library.group_persona == persona)
    rows = (library.group_high - library.group_low)[those]
    enough = np.where(rows >= min(_ENOUGH, rows.max()), rows, 0)
    drawn = rng.choice(those, int(group.max()) + 1, p=enough / enough.sum())
    mine = drawn[group]
    first = np.searchsorted(library.account_group, mine, "left")
    count = np.searchsorted(library.account_group, mine, "right") - first
    account = first + (rng.random(len(group)) * count).astype(np.int64)
    low, high = library.account_low[account], library.account_high[account]
    few = (high - low < _ENOUGH) | (not alone)
    return (
        np.where(few, library.group_low[mine], low),
        np.where(few, library.group_high[mine], high),
    )
