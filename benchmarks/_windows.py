"""Windows of published extraction traffic mixed into its victim's normal traffic.

Protocol of arXiv 2606.05725 as far as the published rows permit: of a pair's normal rows a third is
the reference's memory, a third the reference's rates, a third is what benign exchanges of tested
windows are drawn from. No row is both reference and tested.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillhunt.campaigns.alarm_rows import rows_of
from stillhunt.fingerprints.observe import Observer
from stillhunt.fingerprints.pairs import word_pairs
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.scoring.window.rows import Rows

Ints = npt.NDArray[np.int64]

PAIRS: tuple[str, ...] = ("meaeq_sst2", "meaeq_imdb", "me_bert_boolq_random")
"""Published pairs of an attack and its victim's normal traffic."""

ATTACK_SHARES: tuple[float, ...] = (0.05, 0.10, 0.25, 0.50, 1.00)


@dataclass(frozen=True)
class Pair:
    """One attack and its normal traffic.

    Attributes:
        name: of the pair; texts: prompts, normal ones first; rows: the same, fingerprinted;
            normal, attack: row numbers of each.
    """

    name: str
    texts: list[str]
    rows: Rows
    normal: Ints
    attack: Ints


@dataclass(frozen=True)
class Split:
    """Normal rows of one random split; row numbers, disjoint."""

    memory: Ints
    rates: Ints
    tested: Ints


def load(corpora: Path, name: str, observer: Observer) -> Pair:
    """Read and fingerprint one pair."""
    normal = _prompts(corpora / "benign" / f"mea_normal_{name}.jsonl.gz")
    attack = _prompts(corpora / "extraction" / f"mea_{name}.jsonl.gz")
    texts = normal + attack
    columns: dict[str, list[Any]] = {field.name: [None] * len(texts) for field in EXCHANGE_SCHEMA}
    columns["exchange_id"] = [str(i) for i in range(len(texts))]
    columns["account"] = ["a"] * len(texts)
    columns["time"] = [0] * len(texts)
    columns["prompt"] = texts
    batch = pa.RecordBatch.from_pydict(columns, schema=EXCHANGE_SCHEMA)
    observed = pa.Table.from_batches([observer.observe(batch)])
    observed = observed.append_column("pairs", word_pairs(batch.column("prompt")))
    n = len(normal)
    return Pair(name, texts, rows_of(observed), np.arange(n), np.arange(n, len(texts)))


def _prompts(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [str(json.loads(line)["prompt"]) for line in file]


def splits(pair: Pair, number: int, size: int, seed: int) -> Iterator[tuple[Split, np.random.Generator]]:
    """Random splits of the normal rows; the tested third is larger where windows need it."""
    for i in range(number):
        rng = np.random.default_rng([seed, i])
        order = rng.permutation(pair.normal)
        tested = max(len(order) // 3, size if size * 2 <= len(order) else 0)
        rest = (len(order) - tested) // 2
        yield Split(order[tested : tested + rest], order[tested + rest :], order[:tested]), rng


def draw(pool: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Rows of a window; with replacement where the pool is smaller."""
    return rng.choice(pool, size, replace=size > len(pool))


def mixed(
    pair: Pair, split: Split, size: int, share: float, rng: np.random.Generator
) -> Ints:
    """A window of which a share is the attack's."""
    attackers = round(size * share)
    rows = np.concatenate(
        [draw(split.tested, size - attackers, rng), draw(pair.attack, attackers, rng)]
    )
    return rng.permutation(rows)
