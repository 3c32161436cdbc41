"""Pairwise co-activity in time windows: the Coordination Network Toolkit, made for social media.

Exchanges stand for its posts, accounts for its users, prompts for texts, and a prompt's first words
for the link it shares. Groups are the connected components of its networks, as its documentation
shows. What it documents as default: a time window of 60 seconds, edges of weight 2 or more, and
similarity 0.8. Wider windows and heavier edges are a grid of ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import networkx as nx
from _exchanges import Setting, answer, read_exchanges
from coordination_network_toolkit.compute_networks import (
    compute_co_link_network,
    compute_co_similar_tweet,
    compute_co_tweet_network,
)
from coordination_network_toolkit.preprocess import preprocess_data

OPENING = 6
"""Words of a prompt that stand for the link it shares."""

WEIGHTS = (2, 5, 20)
WINDOWS = (60, 3600)
DEFAULT_WINDOW, DEFAULT_WEIGHT, DEFAULT_SIMILARITY = 60, 2, 0.8
TEXT = 400
"""Characters of a prompt that are compared: its Jaccard is computed in Python, pair by pair."""


def find(traffic: Path) -> Sequence[Setting]:
    """Components of the co-text, co-similarity and co-link networks."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "posts.db")
        with contextlib.redirect_stdout(io.StringIO()):
            preprocess_data(database, _posts(traffic))
            return list(_settings(database))


def _posts(traffic: Path) -> Iterator[tuple[object, ...]]:
    for row in read_exchanges(traffic):
        opening = " ".join(row["text"].lower().split()[:OPENING])
        link = hashlib.sha256(opening.encode()).hexdigest()[:16]
        yield (
            row["exchange_id"], row["account"], row["account"], None, None, row["text"][:TEXT],
            row["seconds"], [link],
        )  # fmt: skip


def _settings(database: str) -> Iterator[Setting]:
    for window in WINDOWS:
        least = min(WEIGHTS)
        compute_co_tweet_network(database, window, min_edge_weight=least, n_threads=1)
        yield from _components(database, "co-text", "co_tweet_network", window)
        compute_co_link_network(database, window, min_edge_weight=least, n_threads=1)
        yield from _components(database, "co-link", "co_link_network", window)
    # Every pair within the window is compared in Python: an hour's would take hours.
    compute_co_similar_tweet(
        database, DEFAULT_WINDOW, similarity_threshold=DEFAULT_SIMILARITY,
        min_edge_weight=min(WEIGHTS), n_threads=1,
    )  # fmt: skip
    yield from _components(database, "co-similarity", "co_similar_tweet_network", DEFAULT_WINDOW)


def _components(database: str, kind: str, table: str, window: int) -> Iterable[Setting]:
    with contextlib.closing(sqlite3.connect(database)) as engine:
        edges = engine.execute(
            f"SELECT user_1, user_2, weight FROM {table} WHERE user_1 < user_2"  # noqa: S608
        ).fetchall()
    for weight in WEIGHTS:
        graph = nx.Graph()
        graph.add_edges_from((a, b) for a, b, w in edges if w >= weight)
        yield Setting(
            f"{kind}, {window} s, weight {weight}+",
            (window, weight) == (DEFAULT_WINDOW, DEFAULT_WEIGHT),
            {f"g{i}": list(g) for i, g in enumerate(nx.connected_components(graph))},
        )


if __name__ == "__main__":
    answer(find)
