"""Whom a cluster is compared with: ordinary units of like volume.

Volumes within a factor of ALIKE are alike, however many customers there are. The units *nearest* in
volume would be ever nearer the larger a log is, until nothing but an exact count is compared: a machine
that repeats one job every night has the same count as all others that do, and no group of people has
anything else in common with them.
"""

from __future__ import annotations

import numpy as np

ALIKE = 2.0
"""Volumes are alike up to this ratio. It only keeps the comparison from becoming too narrow."""

CONTROLS = 99
"""Ordinary units compared with at least, further away in volume where need be: enough for ranks of .01."""

PANEL = 500
"""Ordinary units measured of each doubling of volume: a rank among them has an error of two in a hundred
or so, and what is measured does not grow with the log."""


def panel(exchanges: np.ndarray, first_seen: np.ndarray) -> np.ndarray:
    """How many ordinary units each stands for, float (n,); 0 for those that are not measured.

    Of each doubling of volume PANEL at most are. Of more every second, third ... is, in order of volume
    and then of when it was first seen, which no feature and no name depends on.

    Args:
        exchanges: int64 (n,), at least 1 each.
        first_seen: int64 (n,), a time.
    """
    _, octave = np.frexp(exchanges.astype(float))  # exact, also at powers of two
    order = np.lexsort((first_seen, exchanges))
    start = np.searchsorted(octave[order], octave[order], "left")
    count = np.searchsorted(octave[order], octave[order], "right") - start
    every = -(-count // PANEL)
    kept = (np.arange(len(exchanges)) - start) % every == every // 2
    measured = np.bincount(octave[order], kept)[octave[order]]
    weight = np.zeros(len(exchanges))
    weight[order] = np.where(kept, count / measured, 0.0)
    return weight


def alike_controls(exchanges: np.ndarray, clusters: int, i: int) -> np.ndarray:
    """Rows of the ordinary units whose volume is alike, int64; of the CONTROLS nearest (ratio), where
    these are fewer. Ties may add some.

    Args:
        exchanges: int64 (units,), of each unit; clusters come first.
        clusters: how many of the units are clusters.
        i: the unit to compare.
    """
    controls = np.arange(clusters, len(exchanges))
    distance = np.abs(np.log(exchanges[controls]) - np.log(exchanges[i]))
    if len(controls) <= CONTROLS:
        # Ties are settled by volume, not by the units' order, which is arbitrary.
        return controls[np.lexsort((exchanges[controls], distance))]
    rim = max(np.partition(distance, CONTROLS - 1)[CONTROLS - 1], np.log(ALIKE) + 1e-9)
    near: np.ndarray = controls[distance <= rim]
    return near
