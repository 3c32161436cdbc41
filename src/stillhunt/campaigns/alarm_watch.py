"""Watches streams: calibrates on their past, then judges their recent windows in turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stillhunt.campaigns.alarm_words import change_words
from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.judge import Baseline, Change, verdict
from stillhunt.scoring.window.mixture import Comparisons
from stillhunt.scoring.window.rows import Floats
from stillhunt.scoring.window.stream import Span, Stream

MAX_PAST = 400
"""Past windows that a recent one is ranked among, the latest; in one stream."""

MIN_PAST = 19
"""Past windows without which nothing is said."""


@dataclass(frozen=True)
class Watched:
    """A recent window's verdict.

    Attributes:
        stream: its name; span: rows of the stream.
        score, p, extrapolated: see ``scoring.window.judge.Verdict``; alarm: p within the budget.
        changes: what changed most; words: the same in words.
    """

    stream: str
    span: Span
    score: float
    p: float
    extrapolated: bool
    alarm: bool
    changes: tuple[Change, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Watch:
    """What watching came to.

    Attributes:
        windows: recent windows in order of streams and time; past: past windows ranked among.
        past_scores: their scores, float64; by stream for one stream, pooled for several.
    """

    windows: tuple[Watched, ...]
    past: int
    past_scores: Floats


def needed(false_alarms: float) -> int:
    """Past windows from which ranks reach the level."""
    return max(MIN_PAST, math.ceil(1 / false_alarms) - 1)


def watch(streams: Mapping[str, Stream], false_alarms: float) -> Watch | None:
    """Judge every recent window of every stream.

    One stream is ranked among its own latest windows, new ones included as they prove ordinary.
    Several are ranked among all their past windows together: what is unusual is then unusual for a
    customer of this provider, and a stream needs no long past of its own.

    A window that alarms is not taken into what later windows are compared with: a campaign must
    not become the norm by going on.

    Args:
        streams: by name; false_alarms: share of ordinary windows that may alarm.

    Returns:
        The verdicts; None where there are fewer than MIN_PAST past windows.
    """
    values = [s.past_values() for s in streams.values()]
    values = [v for v in values if v]
    if not values:
        return None
    bins = Bins.of({name: np.concatenate([v[name] for v in values]) for name in values[0]})
    past = [c for s in streams.values() for c in s.past_comparisons(bins)]
    if len(past) < MIN_PAST:
        return None
    rolling = len(streams) == 1
    if rolling:
        past = past[-MAX_PAST:]
    baseline = Baseline(Comparisons.join(past), bins)
    first_scores = baseline.past_scores
    windows: list[Watched] = []
    for name, stream in streams.items():
        if not stream.ready:
            continue
        for span in stream.recent_spans:
            compared, counted = stream.recent(bins, span)
            score = float(baseline.score(compared)[0][0])
            judged = verdict(score, baseline.past_scores, false_alarms)
            alarm = judged.p <= false_alarms
            changes = tuple(baseline.changes(compared)) if alarm else ()
            words = tuple(change_words(change, bins) for change in changes)
            windows.append(
                Watched(name, span, score, judged.p, judged.extrapolated, alarm, changes, words)
            )
            if not alarm:
                stream.accept(span, counted)
                if rolling:
                    past = [*past, compared][-MAX_PAST:]
                    baseline = Baseline(Comparisons.join(past), bins)
    return Watch(tuple(windows), len(first_scores), first_scores)
