"""Which sweeps of one linked cluster are one operator's: those with wording that is theirs alone.

Reworded from batch to batch of accounts, one operator's harvest comes apart into several sweeps, and
so do the harvests of two operators who rent one proxy service. The two may have a published prompt in
common, but others use that too; wording that nobody else uses is not come by twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.indicators import load_groups
from stillhunt.linking.sweeps import Edges, Sweep

MOST = 0.5
"""More than this share of a sweep's members must use a template for it to be the sweep's wording."""


def alike_in_wording(
    engine: Engine, clusters: Sequence[np.ndarray], parts: Sequence[Sequence[np.ndarray]]
) -> list[list[int]]:
    """Which parts of a cluster are one, by templates that most of each use and nobody outside does.

    Args:
        engine: with ``template_use`` and ``popularity``.
        clusters: entities of each, int64, those of its parts among them.
        parts: of each cluster, entities of its sweeps, int64; no entity is in two of one cluster.

    Returns:
        For each part of each cluster the first of its parts that is one with it; its own number where
        none before it is.
    """
    if not clusters:
        return []
    load_groups(engine, "linked_whole", clusters)
    load_groups(engine, "swept_part", [part for of in parts for part in of])
    own = np.concatenate([np.full(len(of), c) for c, of in enumerate(parts)]).astype(np.int64)
    private = _pairs(
        engine.query(
            """
            SELECT w.cluster, u.template
            FROM linked_whole AS w
            JOIN template_use AS u ON u.entity = w.entity
            JOIN popularity AS p ON p.family = 'template' AND p.value = u.template
            GROUP BY w.cluster, u.template HAVING COUNT(*) = MAX(p.entities)
            """
        )
    )
    used = engine.query(
        """
        SELECT s.cluster, u.template, COUNT(*) AS n
        FROM swept_part AS s JOIN template_use AS u ON u.entity = s.entity
        GROUP BY s.cluster, u.template
        """
    )
    sizes = [len(part) for of in parts for part in of]
    wording: list[set[int]] = [set() for _ in sizes]
    for part, template, n in zip(*(c.to_pylist() for c in used.columns), strict=True):
        if n > MOST * sizes[part] and (int(own[part]), template) in private:
            wording[part].add(template)
    engine.drop("linked_whole", "swept_part")
    return [
        _labels([wording[i] for i in np.flatnonzero(own == c).tolist()])
        for c in range(len(clusters))
    ]


def _pairs(rows: pa.Table) -> set[tuple[int, int]]:
    return set(zip(*(c.to_pylist() for c in rows.columns), strict=True))


def _labels(wording: Sequence[set[int]]) -> list[int]:
    """The first of those that each is joined with, through others too."""
    label = list(range(len(wording)))
    for i, mine in enumerate(wording):
        for j in range(i):
            if mine & wording[j]:
                low, high = sorted((label[i], label[j]))
                label = [low if at == high else at for at in label]
    return label


def one_sweep(parts: Sequence[Sweep]) -> Sweep:
    """Sweeps that have no entity in common as one.

    Its ``use`` is what each part's members put through that part's templates.
    """
    entities = np.concatenate([part.entities for part in parts])
    order = np.argsort(entities)
    use = (np.concatenate([getattr(part.use, f.name) for part in parts]) for f in fields(Edges))
    return Sweep(
        entities[order],
        np.concatenate([part.items for part in parts])[order],
        np.unique(np.concatenate([part.templates for part in parts])),
        Edges(*use),
        np.concatenate([part.place for part in parts])[order],
    )
