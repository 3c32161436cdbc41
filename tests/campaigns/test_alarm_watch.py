"""Whole streams: chance alarms within the budget, drift does not, a planted twentieth does."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from stillhunt.campaigns.alarm_watch import MIN_PAST, needed, watch
from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.judge import Baseline, verdict
from stillhunt.scoring.window.mixture import Comparisons
from stillhunt.scoring.window.rows import Rows
from stillhunt.scoring.window.stream import Stream

sys.path.insert(0, str(Path(__file__).parents[1] / "scoring"))
from made_rows import made_rows, planted

SIZE, LOOK_BACK, PAST, RECENT = 40, 8, 120, 50
LEVEL = 0.05


def watched_p(rows: Rows) -> np.ndarray:
    found = watch({"all": Stream(rows, PAST * SIZE, SIZE, LOOK_BACK)}, LEVEL)
    assert found is not None
    return np.array([w.p for w in found.windows])


def frozen_p(rows: Rows) -> np.ndarray:
    """The naive way: a reference and a calibration that stay where they were."""
    stream = Stream(rows, PAST * SIZE, SIZE, LOOK_BACK)
    bins = Bins.of(stream.past_values())
    baseline = Baseline(Comparisons.join(stream.past_comparisons(bins)), bins)
    scores = [baseline.score(stream.recent(bins, s)[0])[0][0] for s in stream.recent_spans]
    return np.array([verdict(float(s), baseline.past_scores, LEVEL).p for s in scores])


def drawn(seed: int, **how: float) -> Rows:
    settings: dict[str, float] = {"window": SIZE} | how
    return made_rows((PAST + RECENT) * SIZE, np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "how", [{}, {"bursts": 0.3}, {"weekly": 0.7, "bursts": 0.1}], ids=["alike", "bursts", "weekly"]
)
def test_p_values_are_no_smaller_than_uniform_where_nothing_changed(how: dict[str, float]) -> None:
    p = np.concatenate([watched_p(drawn(seed, **how)) for seed in range(5)])
    for level in (0.01, 0.05, 0.1, 0.2, 0.5):
        # Windows of one stream share their past; five streams bound what that can do.
        error = np.sqrt(level * (1 - level) / len(p))
        assert np.mean(p <= level) <= level + 4 * error


def test_drift_inflates_a_frozen_reference_and_not_a_rolling_one() -> None:
    ours, naive = [], []
    for seed in range(4):
        rows = drawn(seed, drift=2.0, bursts=0.2, drift_from=PAST * SIZE)
        ours.append(watched_p(rows))
        naive.append(frozen_p(rows))
    rolling = np.mean(np.concatenate(ours) <= LEVEL)
    frozen = np.mean(np.concatenate(naive) <= LEVEL)
    assert rolling <= 2 * LEVEL
    assert frozen >= 4 * LEVEL


def test_a_twentieth_that_is_alike_alarms() -> None:
    size, past, recent = 300, 45, 4
    caught = []
    for seed in range(3):
        rng = np.random.default_rng(100 + seed)
        rows = made_rows((past + recent) * size, rng, window=size, bursts=0.1)
        at = np.concatenate(
            [(past + w) * size + rng.choice(size, size // 20, replace=False) for w in range(recent)]
        )
        found = watch({"all": Stream(planted(rows, at, rng), past * size, size, LOOK_BACK)}, LEVEL)
        assert found is not None
        caught += [w.alarm for w in found.windows]
        assert all(w.words for w in found.windows if w.alarm)
    assert np.mean(caught) >= 0.8


def test_what_goes_on_does_not_become_the_norm() -> None:
    rng = np.random.default_rng(8)
    rows = drawn(8)
    at = np.concatenate(
        [(PAST + w) * SIZE + rng.choice(SIZE, 10, replace=False) for w in range(RECENT)]
    )
    p = watched_p(planted(rows, at, rng))
    assert np.mean(p[-10:] <= LEVEL) == 1.0


def test_several_streams_are_ranked_together() -> None:
    rows = {f"e{i}": drawn(i, bursts=0.1) for i in range(4)}
    streams = {
        name: Stream(r.take(np.arange(30 * SIZE)), 20 * SIZE, SIZE, 3) for name, r in rows.items()
    }
    found = watch(streams, 0.05)
    assert found is not None
    assert found.past == 4 * (20 - 6)
    assert len(found.windows) == 4 * 10
    assert np.mean([w.alarm for w in found.windows]) <= 0.2


def test_too_short_a_past_says_nothing() -> None:
    rows = drawn(0).take(np.arange(30 * SIZE))
    assert watch({"all": Stream(rows, 20 * SIZE, SIZE, LOOK_BACK)}, 0.01) is None
    assert watch({"all": Stream(rows, 0, SIZE, LOOK_BACK)}, 0.01) is None


def test_the_budget_says_how_many_past_windows_are_needed() -> None:
    assert needed(0.01) == 99
    assert 1 / (1 + needed(0.003)) <= 0.003
    assert needed(0.4) == MIN_PAST
