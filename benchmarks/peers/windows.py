"""A window test: does this window of exchanges look like the past? It cannot say whose they are.

Maximum mean discrepancy (Gretton et al. 2012) between each window of 1,500 exchanges and the benign
ones, over hashed TF-IDF of the prompts, with a linear kernel so that it is a distance of means. The
threshold is a quantile of what windows of benign exchanges alone come to: drawn at random, as in the
published test of this kind, or in order of time like those that are tested, so that the day's rhythm
alarms nobody. All accounts of a window beyond it are named, in one group, for that is all it says.

Generous to it: what is benign is taken from the truth of the very traffic that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from _exchanges import Setting, answer, read_exchanges
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

WINDOW = 1_500
FEATURES = 1 << 12
QUANTILES = (0.95, 0.99, 1.0)
DRAWS = 200
STEP = 250
"""Exchanges from one benign window to the next; those tested do not overlap."""


def find(traffic: Path) -> Sequence[Setting]:
    """Accounts of the windows that are unlike benign traffic."""
    rows = read_exchanges(traffic)
    truth = pq.read_table(traffic / "truth" / "exchanges.parquet").to_pylist()
    planted = {row["exchange_id"] for row in truth if row["campaign"] is not None}
    benign = np.array([row["exchange_id"] not in planted for row in rows])
    counts = HashingVectorizer(n_features=FEATURES, alternate_sign=False, norm=None).transform(
        row["text"] for row in rows
    )
    features = TfidfTransformer(sublinear_tf=True).fit(counts[benign]).transform(counts)
    past = np.asarray(features[benign].mean(axis=0)).ravel()

    def distance(which: np.ndarray) -> float:
        return float(np.linalg.norm(np.asarray(features[which].mean(axis=0)).ravel() - past))

    ordinary = np.flatnonzero(benign)
    size = min(WINDOW, len(ordinary))
    chance = np.random.default_rng(20260101)
    nulls = {
        "drawn at random": [
            distance(chance.choice(ordinary, size, replace=False)) for _ in range(DRAWS)
        ],
        "in order": [
            distance(ordinary[low : low + size]) for low in range(0, len(ordinary) - size + 1, STEP)
        ],
    }
    windows = [np.arange(low, low + size) for low in range(0, len(rows) - size + 1, size)]
    score = [distance(window) for window in windows]
    settings = []
    for (how, null), quantile in product(nulls.items(), QUANTILES):
        limit = float(np.quantile(null, quantile))
        named = {
            rows[i]["account"]
            for window, value in zip(windows, score, strict=True)
            if value > limit
            for i in window.tolist()
        }
        what = "above all" if quantile == 1 else f"{quantile:.0%} quantile of"
        settings.append(
            Setting(
                f"{what} benign windows {how}", False, {"windows": sorted(named)} if named else {}
            )
        )
    return settings


if __name__ == "__main__":
    answer(find)
