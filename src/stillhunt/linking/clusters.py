"""Clusters: entities joined by links, presumably one operator.

Entities and links form a bipartite graph, weighted by surprise and damped by popularity. Plain
components would weld two operators together through one shared exit, so every component goes
through a community step (Leiden: Traag, Waltman and van Eck 2019), at a resolution that keeps two
groups apart only where next to nothing of what they share is shared across.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import graspologic_native
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stillhunt.linking.links import Links

RESOLUTION = 0.2
"""Modularity's resolution. Two equal groups are kept apart where less than RESOLUTION / 2, a tenth,
of their weight runs between them; at 1 chance alone would split a homogeneous group."""

_MAX_SURPRISE = 50.0  # nats; beyond it more surprise says nothing new
_SEED = 20260101


def find_clusters(links: Links, pairs: Iterable[tuple[str, str]] | None = None) -> list[np.ndarray]:
    """Entities of each cluster, int64 arrays sorted within; largest cluster first.

    Args:
        links: validated conjunctions.
        pairs: use only links of these pairs of families; by default all.
    """
    if len(links) == 0:
        return []
    used = np.ones(len(links), dtype=bool)
    if pairs is not None:
        allowed = set(pairs)
        used = np.array(
            [(x, y) in allowed for x, y in zip(links.x_family, links.y_family, strict=True)]
        )
    edge = used[links.member_link]
    link, entity = links.member_link[edge], links.member_entity[edge]
    if len(link) == 0:
        return []
    weight = np.minimum(-links.log_p[link], _MAX_SURPRISE) / links.entities[link]
    link, entity, weight = _merge_alike(link, entity, weight)
    return [c for c in partition(link, entity, weight, RESOLUTION) if len(c) >= 2]


def partition(
    link: np.ndarray, entity: np.ndarray, weight: np.ndarray, resolution: float
) -> list[np.ndarray]:
    """Communities of the bipartite graph of links and entities.

    Args:
        link: int64 (m,), from 0, numbered by something other than the entities' names.
        entity: int64 (m,), the other end of each edge.
        weight: float (m,), of each edge.
        resolution: modularity's; larger ones part more.

    Returns:
        Entities of each community, int64 arrays sorted within; largest first.
    """
    names, at = np.unique(entity, return_inverse=True)
    at = _canonical(link, at.ravel(), weight, len(names))[at.ravel()]
    order = np.argsort(at, kind="stable")
    position = np.empty(len(names), dtype=np.int64)
    position[at] = np.searchsorted(names, entity)  # canonical place -> name
    n, m = len(names), int(link.max()) + 1
    graph = coo_matrix((np.ones(len(at)), (at, n + link)), shape=(n + m, n + m))
    _, component = connected_components(graph, directed=False)
    label = np.zeros(n, dtype=np.int64)
    next_label = 0
    for group in _groups(component[at][order], order):
        members = np.unique(at[group])
        community = _communities(at[group], link[group], weight[group], resolution)
        label[members] = next_label + np.array([community[i] for i in members])
        next_label += len(set(community.values()))
    clusters = [np.sort(names[position[label == c]]) for c in range(next_label)]
    return sorted(clusters, key=lambda c: (-len(c), c[0]))


def marks(entity: np.ndarray) -> np.ndarray:
    """uint64 (n,), hashes of entities: equal sums of them tell equal sets."""
    spread = entity.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    spread ^= spread >> np.uint64(29)
    return spread * np.uint64(0xBF58476D1CE4E5B9)


def homes(entity: np.ndarray, clusters: Sequence[np.ndarray]) -> np.ndarray:
    """The cluster that each entity is in, int64; -1 where in none.

    Args:
        entity: int64 (n,).
        clusters: entities of each; no entity is in two.
    """
    members = np.concatenate([np.zeros(0, np.int64), *clusters])
    number = np.repeat(np.arange(len(clusters)), [len(c) for c in clusters])
    order = np.argsort(members)
    at = np.searchsorted(members[order], entity)
    at = np.minimum(at, max(len(members) - 1, 0))
    if len(members) == 0:
        return np.full(len(entity), -1, dtype=np.int64)
    return np.where(members[order][at] == entity, number[order][at], -1)


def _merge_alike(
    link: np.ndarray, entity: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make one of links that join the very same entities, with the sum of their weights.

    One address shared by three accounts that use ten templates is ten such links.
    """
    order = np.lexsort((entity, link))
    link, entity, weight = link[order], entity[order], weight[order]
    first = np.flatnonzero(np.r_[True, link[1:] != link[:-1]])
    size = np.diff(np.r_[first, len(link)])
    mark = np.add.reduceat(marks(entity), first)
    alike = np.column_stack([mark.view(np.int64), size])
    _, kept, which = np.unique(alike, axis=0, return_index=True, return_inverse=True)
    total = np.zeros(len(kept))
    np.add.at(total, which.ravel(), weight[first])
    # Numbered by first appearance, which depends on the links' own order alone.
    rank = np.argsort(np.argsort(kept))
    keep = np.repeat(np.isin(np.arange(len(first)), kept), size)
    new_link = np.repeat(rank[which.ravel()], size)[keep]
    return new_link, entity[keep], np.repeat(total[which.ravel()], size)[keep]


def _canonical(link: np.ndarray, at: np.ndarray, weight: np.ndarray, n: int) -> np.ndarray:
    """A rank for each entity that depends on its links and their weights only, not on its name.

    So a renaming of accounts cannot change which partition the community step settles on.
    """
    order = np.lexsort((link, at))
    signature: list[tuple[list[int], list[float]]] = []
    bounds = np.searchsorted(at[order], np.arange(n + 1))
    links, weights = link[order], weight[order]
    for low, high in pairwise(bounds.tolist()):
        signature.append((links[low:high].tolist(), weights[low:high].tolist()))
    rank = np.empty(n, dtype=np.int64)
    rank[sorted(range(n), key=lambda i: signature[i])] = np.arange(n)
    return rank


def _groups(component: np.ndarray, order: np.ndarray) -> Iterable[np.ndarray]:
    """Edge numbers of each component, components in the order of their first entity."""
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    by_component = np.argsort(inverse.ravel(), kind="stable")
    starts = np.searchsorted(inverse.ravel()[by_component], np.arange(1, len(first)))
    parts = np.split(order[by_component], starts)
    for c in np.argsort(first):
        yield parts[c]


def _communities(
    at: np.ndarray, link: np.ndarray, weight: np.ndarray, resolution: float
) -> dict[int, int]:
    """Community of each entity of one component, numbered from 0 in canonical order."""
    members = np.unique(at).tolist()
    if len(members) <= 3:
        return dict.fromkeys(members, 0)
    edges = [
        (f"e{a:012d}", f"l{b:012d}", float(w))
        for a, b, w in sorted(zip(at.tolist(), link.tolist(), weight.tolist(), strict=True))
    ]
    _, found = graspologic_native.leiden(
        edges, resolution=resolution, randomness=1e-3, iterations=2, use_modularity=True,
        seed=_SEED, trials=3,
    )  # fmt: skip
    number: dict[int, int] = {}
    return {e: number.setdefault(found[f"e{e:012d}"], len(number)) for e in members}
