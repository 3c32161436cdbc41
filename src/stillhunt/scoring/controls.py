"""Whom a cluster is compared with: the ordinary units nearest to it in volume."""

from __future__ import annotations

import numpy as np

CONTROLS = 99
"""Ordinary units compared with: enough for ranks down to .01, few enough to be of like volume."""


def nearest_controls(exchanges: np.ndarray, clusters: int, i: int) -> np.ndarray:
    """Rows of the CONTROLS ordinary units nearest in volume (ratio), int64; ties may add some.

    Args:
        exchanges: int64 (units,), of each unit; clusters come first.
        clusters: how many of the units are clusters.
        i: the unit to compare.
    """
    controls = np.arange(clusters, len(exchanges))
    distance = np.abs(np.log(exchanges[controls]) - np.log(exchanges[i]))
    # Ties at the rim are settled by volume, not by the units' order, which is arbitrary.
    order = np.lexsort((exchanges[controls], distance))
    if len(order) <= CONTROLS:
        return controls[order]
    rim = distance[order[CONTROLS - 1]]
    near: np.ndarray = controls[distance <= rim]
    return near
