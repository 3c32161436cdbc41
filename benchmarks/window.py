"""How well windows of extraction traffic are told from normal ones: the alarm beside MMD.

Usage: python benchmarks/window.py CORPORA [--splits N] [--sizes 1500,400]

CORPORA holds ``extraction/mea_*.jsonl.gz`` and ``benign/mea_normal_*.jsonl.gz``. Sentence embeddings
need the packages of ``requirements-sentences.txt``; without them MMD runs on hashed TF-IDF only.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from _mmd import NULL_DRAWS, QUANTILE, REPEATS, Discrepancy, gaussian_kernel
from _sentences import SentenceModel
from _windows import ATTACK_SHARES, NOVELTIES, PAIRS, Pair, draw, load, mixed, splits, window_scores
from stillhunt.fingerprints.observe import Observer

BENIGN = 6
"""Benign windows tested a split."""

RATES = (0.01, 0.05)
"""Rates of benign false alarms at which methods are compared."""

SEEDS = (1, 20, 42)
"""The paper's seeds; splits are divided among them."""

Scores = dict[float, list[list[float]]]
"""Attack share (0: benign) to scores, one list a split."""


def main() -> None:
    """Print a table for each pair and window size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--splits", type=int, default=150)
    parser.add_argument("--sizes", default="1500,400")
    parser.add_argument("--cache", type=Path, help="folder to keep sentence embeddings in")
    options = parser.parse_args()
    console = Console(width=130)
    observer = Observer()
    for name in PAIRS:
        pair = load(options.corpora, name, observer)
        kernels = _kernels(pair, options.cache)
        for size in map(int, options.sizes.split(",")):
            _told(console, pair, size, options.splits)
            scores, paper = _run(pair, size, options.splits, kernels)
            console.print(_table(pair, size, scores, paper))
    console.print(
        "Differs from the paper: its pools hold thousands of rows, these 465 to 1,200; where a pool is "
        "smaller than a window, rows are drawn with replacement, which makes benign windows differ more "
        "from the reference than they would; three of its fourteen pairs; all-MiniLM-L6-v2 for "
        f"bge-small-en-v1.5; the paper's threshold is taken as the {QUANTILE:.0%} quantile of "
        f"{NULL_DRAWS} single draws, its score as the mean of {REPEATS}."
    )


def _told(console: Console, pair: Pair, size: int, number: int) -> None:
    split, _ = next(splits(pair, 1, size, SEEDS[0]))
    console.print(
        f"\n[bold]{pair.name}[/], windows of {size:,}: {len(split.reference):,} reference rows, "
        f"{len(split.tested):,} benign rows for tested windows"
        f"{' (drawn with replacement)' if size > len(split.tested) else ''}, "
        f"{len(pair.attack):,} attack rows; {number} splits, {BENIGN} benign windows each"
    )


def _kernels(pair: Pair, cache: Path | None) -> dict[str, npt.NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    vectors = {"MMD, hashed TF-IDF and LSA": _lsa(pair)}
    try:
        vectors["MMD, sentence embeddings"] = _sentences(pair, cache)
    except ModuleNotFoundError as error:
        print(f"No sentence embeddings: {error}; see benchmarks/requirements-sentences.txt.")
    return {name: gaussian_kernel(v, pair.normal, rng) for name, v in vectors.items()}


def _lsa(pair: Pair) -> npt.NDArray[np.float64]:
    """Latent semantic analysis of hashed TF-IDF, fitted on normal rows; unit vectors."""

    counts = HashingVectorizer(n_features=1 << 16, alternate_sign=False, norm=None)
    words = counts.transform(pair.texts)
    weights = TfidfTransformer(sublinear_tf=True).fit(words[pair.normal])
    weighted = weights.transform(words)
    svd = TruncatedSVD(100, random_state=0).fit(weighted[pair.normal])
    return np.asarray(normalize(svd.transform(weighted)), dtype=np.float64)


def _sentences(pair: Pair, cache: Path | None) -> npt.NDArray[np.float64]:
    kept = cache / f"{pair.name}.npy" if cache else None
    if kept is not None and kept.is_file():
        return np.load(kept).astype(np.float64)
    vectors = SentenceModel().embed(pair.texts)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors)
    return vectors.astype(np.float64)


def _run(
    pair: Pair, size: int, number: int, kernels: dict[str, npt.NDArray[np.float64]]
) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """Scores by method; and of MMD over the paper's threshold."""
    scores: dict[str, Scores] = defaultdict(lambda: defaultdict(list))
    paper: dict[str, Scores] = defaultdict(lambda: defaultdict(list))
    for seed in SEEDS:
        for split, rng in splits(pair, number // len(SEEDS), size, seed):
            shares = [0.0] * BENIGN + list(ATTACK_SHARES)
            windows = [
                mixed(pair, split, size, s, rng) if s else draw(split.tested, size, rng)
                for s in shares
            ]
            found = {
                f"alarm, {what}": window_scores(pair, split, windows, names)
                for what, names in NOVELTIES.items()
            }
            for name, kernel in kernels.items():
                discrepancy = Discrepancy(kernel, split.reference, size, rng)
                found[name] = np.array([discrepancy.score(w) for w in windows])
                _keep(paper[name], shares, found[name] - discrepancy.paper_threshold)
            for name, values in found.items():
                _keep(scores[name], shares, values)
    return scores, paper


def _keep(scores: Scores, shares: list[float], values: npt.NDArray[np.float64]) -> None:
    for share in dict.fromkeys(shares):
        scores[share].append([float(v) for s, v in zip(shares, values, strict=True) if s == share])


def _table(pair: Pair, size: int, scores: dict[str, Scores], paper: dict[str, Scores]) -> Table:
    table = Table(
        title=f"{pair.name}, {size:,}: windows that alarm, % (standard error)", title_justify="left"
    )
    table.add_column("method")
    table.add_column("benign", justify="right")
    for share in ATTACK_SHARES:
        table.add_column(f"{share:.0%}", justify="right")
    for rate in RATES:
        for name, values in scores.items():
            table.add_row(name, f"{rate:.0%}, matched", *_detected(values, rate))
        table.add_section()
    for name, values in paper.items():
        benign = np.mean(np.array(values[0.0]) > 0)
        shown = [f"{np.mean(np.array(values[s]) > 0) * 100:.0f}" for s in ATTACK_SHARES]
        table.add_row(f"{name}, the paper's threshold", f"{benign:.1%}", *shown)
    return table


def _detected(scores: Scores, rate: float) -> list[str]:
    """Detection at a threshold that benign windows exceed at the rate; errors by bootstrap over splits."""
    arrays = {share: np.array(values) for share, values in scores.items()}
    rng = np.random.default_rng(0)
    n = len(arrays[0.0])
    rows = [np.arange(n)] + [rng.integers(0, n, n) for _ in range(300)]
    shown = []
    for share in ATTACK_SHARES:
        found = [
            float(np.mean(arrays[share][r] > np.quantile(arrays[0.0][r], 1 - rate))) for r in rows
        ]
        shown.append(f"{found[0] * 100:.0f} ({np.std(found[1:]) * 100:.0f})")
    return shown


if __name__ == "__main__":
    main()
