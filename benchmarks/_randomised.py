"""Incidences of entities and values in which the null hypothesis is true, made from real ones."""

from __future__ import annotations

import numpy as np

from stillhunt.linking.null_model import solve_fitness


def configuration(
    entity: np.ndarray, value: np.ndarray, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from the bipartite configuration model with the given incidence's degrees as means.

    Args:
        entity, value: int64 (n,), distinct pairs.
        chance: source of chance.

    Returns:
        Entities and values of the pairs drawn; every pair is drawn independently of all others.
    """
    entities, at, degree = np.unique(entity, return_inverse=True, return_counts=True)
    values, to, popularity = np.unique(value, return_inverse=True, return_counts=True)
    del at, to
    k, d = (np.array(np.unique(n, return_counts=True)) for n in (degree, popularity))
    carrying = solve_fitness(k, d)
    row = np.searchsorted(k[0], degree)
    column = np.searchsorted(d[0], popularity)
    drawn_entity, drawn_value = [], []
    for i in range(len(entities)):  # row by row: the whole table of probabilities may be large
        hit = np.flatnonzero(chance.random(len(values)) < carrying[row[i]][column])
        drawn_entity.append(np.full(len(hit), entities[i]))
        drawn_value.append(values[hit])
    return np.concatenate(drawn_entity), np.concatenate(drawn_value)


def swapped(
    entity: np.ndarray, value: np.ndarray, chance: np.random.Generator, sweeps: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Shuffle an incidence, keeping each entity's and each value's degree exactly.

    Pairs of entities trade the values that only one of them carries (Curveball: Strona et al. 2014),
    ``sweeps`` times as many trades as there are entities.
    """
    order = np.argsort(entity, kind="stable")
    entities, first = np.unique(entity[order], return_index=True)
    carried = [set(part.tolist()) for part in np.split(value[order], first[1:])]
    n = len(entities)
    if n > 1:
        left = chance.integers(n, size=sweeps * n)
        right = (left + chance.integers(1, n, size=sweeps * n)) % n
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            _trade(carried, a, b, chance)
    return (
        np.repeat(entities, [len(c) for c in carried]),
        np.array([v for c in carried for v in sorted(c)], dtype=np.int64),
    )


def _trade(carried: list[set[int]], a: int, b: int, chance: np.random.Generator) -> None:
    mine, theirs = carried[a] - carried[b], carried[b] - carried[a]
    if mine and theirs:
        pool = np.array(sorted(mine | theirs), dtype=np.int64)
        chance.shuffle(pool)
        new = set(pool[: len(mine)].tolist())
        kept = carried[a] & carried[b]
        carried[a], carried[b] = kept | new, kept | (set(pool.tolist()) - new)
