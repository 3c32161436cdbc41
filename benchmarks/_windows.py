"""Windows of published extraction traffic mixed into its victim's normal traffic.

Protocol of arXiv 2606.05725 as far as the published rows permit. A pair's normal rows are split at
random: some are what the benign exchanges of tested windows are drawn from, the rest is the
reference. No row is both.
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
from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.judge import Baseline
from stillhunt.scoring.window.mixture import Comparisons
from stillhunt.scoring.window.novelty import novelty
from stillhunt.scoring.window.rows import Floats, Rows

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


FOLDS = 25
"""Parts of the reference, each of which is new to the others as a window is to all of it."""

NOVELTIES = {"observations": ("known_grams",), "word pairs": ("known_grams", "known_pairs")}
"""What is compared beside the observation's numbers. Not bursts or repeats: rows that are drawn with
replacement repeat themselves."""


@dataclass(frozen=True)
class Split:
    """Normal rows of one random split; row numbers, disjoint."""

    reference: Ints
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


def splits(
    pair: Pair, number: int, size: int, seed: int
) -> Iterator[tuple[Split, np.random.Generator]]:
    """Random splits of the normal rows, a third for tested windows, or what one of them needs."""
    for i in range(number):
        rng = np.random.default_rng([seed, i])
        order = rng.permutation(pair.normal)
        tested = max(len(order) // 3, size if size * 2 <= len(order) else 0)
        yield Split(order[tested:], order[:tested]), rng


def draw(pool: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Rows of a window; with replacement where the pool is smaller."""
    return rng.choice(pool, size, replace=size > len(pool))


def mixed(pair: Pair, split: Split, size: int, share: float, rng: np.random.Generator) -> Ints:
    """A window of which a share is the attack's."""
    attackers = round(size * share)
    return np.concatenate(
        [draw(split.tested, size - attackers, rng), draw(pair.attack, attackers, rng)]
    )


def window_scores(pair: Pair, split: Split, windows: list[Ints], names: tuple[str, ...]) -> Floats:
    """The alarm's statistic for windows against a reference of independent rows.

    Rows are drawn independently, so that nothing but chance varies: there are no past windows to
    measure more from.
    """
    folds = np.array_split(split.reference, FOLDS)
    parts = [
        _novelty(pair.rows, np.concatenate(folds[:i] + folds[i + 1 :]), fold)
        for i, fold in enumerate(folds)
    ]
    before = {name: np.concatenate([part[name] for part in parts]) for name in names}
    numbers = {name: column[split.reference] for name, column in pair.rows.numbers.items()}
    bins = Bins.of(before | numbers)
    reference = _counts(bins, pair.rows, split.reference, before)
    counted = [
        _counts(bins, pair.rows, w, _novelty(pair.rows, split.reference, w)) for w in windows
    ]
    many = np.ones((len(windows), 1))
    compared = Comparisons(
        np.array([counts for counts, _ in counted]),
        many * reference[0],
        np.array([known for _, known in counted]),
        many * reference[1],
    )
    return Baseline(compared.take(np.zeros(0, dtype=np.int64)), bins).score(compared)[0]


def _novelty(rows: Rows, memory: Ints, window: Ints) -> dict[str, Floats]:
    both = rows.take(np.concatenate([memory, window]))
    return novelty(both, (0, len(memory)), (len(memory), len(both)))


def _counts(bins: Bins, rows: Rows, index: Ints, new: dict[str, Floats]) -> tuple[Floats, Floats]:
    return bins.count(rows.take(index), (0, len(index)), new)
