"""Pairwise co-activity in time windows: the Coordination Network Toolkit, made for social media.

Exchanges stand for its posts, accounts for its users, prompts for texts, and a prompt's opening (its
first words, or its first characters) for the link it shares. Groups are the connected components of
its networks, as its documentation shows. What it documents as default: a time window of 60 seconds,
edges of weight 2 or more, and similarity 0.8. Wider windows and heavier edges are a grid of ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
from _exchanges import Setting, answer, read_exchanges
from coordination_network_toolkit.compute_networks import (
    compute_co_link_network,
    compute_co_similar_tweet,
    compute_co_tweet_network,
)
from coordination_network_toolkit.preprocess import preprocess_data

OPENINGS: dict[str, Callable[[str], str]] = {
    "6 words": lambda text: " ".join(text.lower().split()[:6]),
    "400 characters": lambda text: text[:400],
}
"""What of a prompt stands for the link it shares."""

WEIGHTS = (2, 5, 20)
LEAST = min(WEIGHTS)
WINDOWS = (60, 3600)
DEFAULT_WINDOW, DEFAULT_WEIGHT, DEFAULT_SIMILARITY = 60, 2, 0.8


def find(traffic: Path) -> Sequence[Setting]:
    """Components of the co-text, co-similarity and co-link networks."""
    rows = read_exchanges(traffic)
    settings: list[Setting] = []
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        for number, (name, opening) in enumerate(OPENINGS.items()):
            database = str(Path(folder) / f"posts-{number}.db")
            preprocess_data(database, _posts(rows, opening))
            for window in WINDOWS:
                compute_co_link_network(database, window, min_edge_weight=LEAST, n_threads=1)
                settings += _components(database, f"co-link of {name}", "co_link_network", window)
                if number == 0:
                    compute_co_tweet_network(database, window, min_edge_weight=LEAST, n_threads=1)
                    settings += _components(database, "co-text", "co_tweet_network", window)
            if number == 0:
                # Every pair within the window is compared in Python: an hour's would take hours.
                compute_co_similar_tweet(
                    database, DEFAULT_WINDOW, similarity_threshold=DEFAULT_SIMILARITY,
                    min_edge_weight=LEAST, n_threads=1,
                )  # fmt: skip
                settings += _components(
                    database, "co-similarity", "co_similar_tweet_network", DEFAULT_WINDOW
                )
    return settings


def _posts(
    rows: Sequence[dict[str, Any]], opening: Callable[[str], str]
) -> Iterator[tuple[object, ...]]:
    for row in rows:
        link = hashlib.sha256(opening(row["text"]).encode()).hexdigest()[:16]
        yield (
            row["exchange_id"], row["account"], row["account"], None, None, row["text"],
            row["seconds"], [link],
        )  # fmt: skip


def _components(database: str, kind: str, table: str, window: int) -> list[Setting]:
    """Connected components of a network as it was computed last, edges of each weight or more."""
    with contextlib.closing(sqlite3.connect(database)) as engine:
        edges = engine.execute(
            f"SELECT user_1, user_2, weight FROM {table} WHERE user_1 < user_2"  # noqa: S608
        ).fetchall()
    settings = []
    for weight in WEIGHTS:
        graph = nx.Graph()
        graph.add_edges_from((a, b) for a, b, w in edges if w >= weight)
        settings.append(
            Setting(
                f"{kind}, {window} s, weight {weight}+",
                (window, weight) == (DEFAULT_WINDOW, DEFAULT_WEIGHT),
                {f"g{i}": list(g) for i, g in enumerate(nx.connected_components(graph))},
            )
        )
    return settings


if __name__ == "__main__":
    answer(find)
