"""What ``alarm.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.alarm_watch import Watch
from stillhunt.campaigns.ingest import Ingested
from stillhunt.scoring.window.rows import NAMES, NUMBERS

ALARM_VERSION = 1
"""Schema of ``alarm.json``."""


def alarm_document(
    parameters: Mapping[str, Any],
    came: Ingested,
    rows: pa.Table,
    groups: Mapping[str, npt.NDArray[np.int64]],
    watched: Watch,
    skipped: Mapping[str, int],
) -> dict[str, Any]:
    """Put an alarm's results into the form that is written.

    Args:
        parameters: as they are written; came: what was read.
        rows: observations with ``time`` and ``recent``; groups: rows of each stream, by name.
        watched: the verdicts; skipped: counts of entities that were not watched, by reason.
    """
    false_alarms = float(parameters["false_alarms"])
    time = rows.column("time")
    recent = np.asarray(rows.column("recent"))
    past_times = pc.min_max(time.filter(pa.array(~recent)))
    days = (past_times["max"].as_py() - past_times["min"].as_py()).total_seconds() / 86400
    windows = [
        {
            "stream": w.stream,
            "first": time[int(groups[w.stream][w.span[0]])].as_py(),
            "last": time[int(groups[w.stream][w.span[1] - 1])].as_py(),
            "score": round(w.score, 6),
            "p": w.p,
            "extrapolated": w.extrapolated,
            "alarm": w.alarm,
            "changed": list(w.words),
        }
        for w in watched.windows
    ]
    floor = 1 / (1 + watched.past)
    return {
        "schema": ALARM_VERSION,
        "package": "stillhunt",
        "version": version("stillhunt"),
        "parameters": dict(parameters),
        "inputs": [{"path": i.path, "sha256": i.sha256, "rows": i.rows} for i in came.inputs],
        "counts": {
            "past": int((~recent).sum()),
            "recent": int(recent.sum()),
            "streams": len({w["stream"] for w in windows}),
            "windows": len(windows),
            "alarms": sum(w["alarm"] for w in windows),
            "expected_false_alarms": round(false_alarms * len(windows), 3),
            **skipped,
        },
        "calibration": {
            "past_windows": watched.past,
            "least_p_by_rank": floor,
            "extrapolates": floor > false_alarms,
            "past_days": round(days, 2),
            "whole_week": days >= 6.5,
        },
        "not_covered": [
            name
            for name in (*NUMBERS, *NAMES, "cues")
            if rows.column(name).null_count == rows.num_rows
        ],
        "episodes": _episodes(windows),
        "windows": windows,
    }


def _episodes(windows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring windows of a stream that alarm, as one; told by the most surprising of them."""
    episodes = []
    for (stream, alarm), run in groupby(windows, key=lambda w: (w["stream"], w["alarm"])):
        if not alarm:
            continue
        members = list(run)
        worst = max(members, key=lambda w: float(w["score"]))
        episodes.append(
            {
                "stream": stream,
                "first": members[0]["first"],
                "last": members[-1]["last"],
                "windows": len(members),
                "p": worst["p"],
                "extrapolated": worst["extrapolated"],
                "changed": worst["changed"],
            }
        )
    return episodes
