"""Places the nodes of a network, the same way every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 220
_SEED = 20260105


def force_layout(nodes: int, edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fruchterman and Reingold's force-directed placement (1991), with a pull to the middle.

    The pull keeps components which share nothing from drifting out of the picture.

    Args:
        nodes: how many; memory and time grow with its square.
        edges: node numbers, shape (m, 2).

    Returns:
        Positions, shape (nodes, 2), each coordinate within [0, 1].
    """
    if nodes == 0:
        return np.zeros((0, 2))
    random = np.random.default_rng(_SEED)
    angle = np.linspace(0, 2 * np.pi, nodes, endpoint=False)
    at = np.column_stack([np.cos(angle), np.sin(angle)]) + random.normal(0, 0.05, (nodes, 2))
    apart = 1.6 / np.sqrt(nodes)
    for heat in np.linspace(0.12, 0.004, _STEPS):
        away = at[:, None, :] - at[None, :, :]
        distance = np.maximum(np.hypot(away[..., 0], away[..., 1]), 1e-3)
        force = (away * (apart**2 / distance**2)[..., None]).sum(axis=1)
        if len(edges):
            along = at[edges[:, 0]] - at[edges[:, 1]]
            pull = along * (np.hypot(along[:, 0], along[:, 1]) / apart)[:, None]
            np.add.at(force, edges[:, 0], -pull)
            np.add.at(force, edges[:, 1], pull)
        force -= at * 1.2
        length = np.maximum(np.hypot(force[:, 0], force[:, 1]), 1e-9)
        at = at + force / length[:, None] * np.minimum(length, heat)[:, None]
    low, high = at.min(axis=0), at.max(axis=0)
    return np.where(high > low, (at - low) / np.where(high > low, high - low, 1), 0.5)
