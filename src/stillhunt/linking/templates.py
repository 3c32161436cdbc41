"""Templates: recurring prompt skeletons, found as word runs that keep coming with new items.

A run of words (gram) belongs to a skeleton if it recurs with many different items; a text that is
merely sent again does not make its runs a skeleton. Grams of one skeleton occur in the same
exchanges, so they are put together by min-wise hashing of the exchanges they occur in (Broder
1997): cost grows with the grams, not with their pairs, and the hashes are minima, so that days
can be merged.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stillhunt.engines.base import Engine
from stillhunt.linking.grams import (
    BANDS,
    SKETCH_SCHEMA,
    USE_SCHEMA,
    GramIndex,
    exchange_templates,
    merge_sketches,
    sketch_grams,
)
from stillhunt.records.observation import GRAMS

MIN_ITEMS = 8
"""A gram is part of a skeleton from so many different items on: with fewer, slots and skeleton
cannot be told apart."""


def build_templates(engine: Engine) -> int:
    """Make ``exchange_template`` (key, entity, item, words, template) and what it rests on.

    That is ``gram_template`` (gram, template); ``template_use`` sums it up.

    Returns:
        How many templates there are.
    """
    engine.recurring(
        "recurring_gram",
        "SELECT grams AS value FROM observations WHERE item IS NOT NULL",
        MIN_ITEMS,
        each=GRAMS,
    )
    recurring = engine.query("SELECT value FROM recurring_gram ORDER BY value").column("value")
    index = GramIndex(np.asarray(recurring).astype(np.int32))
    written = "SELECT key, item, grams FROM observations WHERE item IS NOT NULL"
    engine.map("gram_sketch", written, partial(sketch_grams, index), SKETCH_SCHEMA)
    grams = merge_sketches(index, engine.scan("SELECT * FROM gram_sketch"), MIN_ITEMS)
    engine.drop("recurring_gram", "gram_sketch")
    template = _join_grams(grams)
    engine.load(
        "gram_template",
        pa.table({"gram": grams.column("gram"), "template": pa.array(template, pa.int64())}),
    )
    index = GramIndex(np.asarray(grams.column("gram")))
    engine.map(
        "exchange_template",
        """
        SELECT o.key, m.entity, o.item, o.words, o.grams
        FROM observations AS o JOIN account_entity AS m ON m.account = o.account
        WHERE o.item IS NOT NULL
        """,
        partial(exchange_templates, index, template),
        USE_SCHEMA,
    )
    count_uses(engine)
    return len(np.unique(template))


def count_uses(engine: Engine) -> None:
    """Make ``template_use`` (entity, template, n exchanges) from ``exchange_template``."""
    engine.create(
        "template_use",
        """
        SELECT entity, template, COUNT(*) AS n FROM exchange_template GROUP BY entity, template
        """,
    )


def _join_grams(grams: pa.Table) -> np.ndarray:
    """Template of each gram, int64 (n,): the hash of the least gram in its component."""
    n = grams.num_rows
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    rows, columns = [], []
    for band in range(BANDS):
        one, other = (np.asarray(grams.column(f"m{2 * band + i}")) for i in range(2))
        order = np.lexsort((other, one))
        new = np.diff(one[order], prepend=one[order[0]] - 1) != 0
        new |= np.diff(other[order], prepend=other[order[0]] - 1) != 0
        rows.append(order)
        columns.append(order[np.maximum.accumulate(np.where(new, np.arange(n), 0))])
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
