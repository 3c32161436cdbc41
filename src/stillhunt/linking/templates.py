"""Templates: recurring prompt skeletons, found as word runs that keep coming with new items.

A run of words (gram) belongs to a skeleton if it recurs with many different items; a text that is
merely sent again does not make its runs a skeleton. Grams of one skeleton occur in the same
exchanges, so they are put together by min-wise hashing of the exchanges they occur in (Broder
1997): cost grows with the grams, not with their pairs, and the hashes are minima, so that days
can be merged.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stillhunt.engines.base import Engine

MIN_ITEMS = 8
"""A gram is part of a skeleton from so many different items on: with fewer, slots and skeleton
cannot be told apart."""

BANDS = 3
"""Grams are joined where both minima of some band agree. Two grams that share a part J of their
exchanges are joined with probability 1 - (1 - J^2)^BANDS: .99 at J = .9, .03 at J = .1."""

_CONSTANTS = [
    int.from_bytes(hashlib.blake2b(b"minimum %d" % i, digest_size=8).digest(), "little") >> 1
    for i in range(2 * BANDS)
]


def build_templates(engine: Engine) -> int:
    """Make ``exchange_template`` (key, entity, item, template) from ``observations``.

    Returns:
        How many templates there are.
    """
    engine.create(
        "posting",
        """
        SELECT o.key, m.entity, o.item, UNNEST(o.grams) AS gram
        FROM observations AS o JOIN account_entity AS m ON m.account = o.account
        WHERE o.item IS NOT NULL
        """,
    )
    # Two steps, because counting distinct items of grams that occur once or twice is waste.
    engine.create(
        "recurring_gram",
        f"SELECT gram FROM posting GROUP BY gram HAVING COUNT(*) >= {MIN_ITEMS}",  # noqa: S608
    )
    engine.create(
        "recurring_posting",
        """
        SELECT p.key, p.entity, p.item, p.gram
        FROM posting AS p JOIN recurring_gram AS r ON r.gram = p.gram
        """,
    )
    engine.drop("posting", "recurring_gram")
    minima = ", ".join(f"MIN(XOR(key, {c})) AS m{i}" for i, c in enumerate(_CONSTANTS))
    grams = engine.query(
        f"""
        SELECT gram, {minima}
        FROM recurring_posting
        GROUP BY gram
        HAVING COUNT(DISTINCT item) >= {MIN_ITEMS}
        ORDER BY gram
        """  # noqa: S608
    )
    template = _join_grams(grams)
    engine.load(
        "gram_template",
        pa.table({"gram": grams.column("gram"), "template": pa.array(template, pa.int64())}),
    )
    engine.create(
        "exchange_template",
        """
        SELECT p.key, p.entity, p.item, t.template
        FROM recurring_posting AS p JOIN gram_template AS t ON t.gram = p.gram
        GROUP BY p.key, p.entity, p.item, t.template
        """,
    )
    engine.drop("recurring_posting")
    return len(np.unique(template))


def _join_grams(grams: pa.Table) -> np.ndarray:
    """Template of each gram, int64 (n,): the hash of the least gram in its component."""
    n = grams.num_rows
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    rows, columns = [], []
    for band in range(BANDS):
        pair = np.column_stack([np.asarray(grams.column(f"m{2 * band + i}")) for i in range(2)])
        _, first, group = np.unique(pair, axis=0, return_index=True, return_inverse=True)
        rows.append(np.arange(n))
        columns.append(first[group.ravel()])
    joined = coo_matrix(
        (np.ones(n * BANDS, dtype=np.int8), (np.concatenate(rows), np.concatenate(columns))),
        shape=(n, n),
    )
    count, label = connected_components(joined, directed=False)
    gram = np.asarray(grams.column("gram")).astype(np.int64)
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, label, gram)
    # Spread the 32-bit name over 64 bits, so that it looks like the other families' values.
    name: np.ndarray = (least[label].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)).view(
        np.int64
    )
    return name
