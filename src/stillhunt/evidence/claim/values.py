"""Values of a leaf that pseudonyms stand for."""

from __future__ import annotations

import numpy as np

from stillhunt.records.leaf import SCALARS

REFERRED: tuple[str, ...] = ("organization", "address", "network", "client", "asn")
"""Kinds of values, beside accounts, that pseudonymous leaves refer to."""

_BIT = {name: np.uint32(1 << i) for i, (name, _) in enumerate(SCALARS)}


def values_of(records: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of one kind in observations.

    Args:
        records: of LAYOUT, (n,); kind: one of REFERRED.

    Returns:
        int64 (n,), and bool (n,): whether the log says.
    """
    nulls = records["nulls"]
    if kind == "client":
        low = records["tls"].astype(np.int64) & 0xFFFFFFFF
        value = low | records["agent"].astype(np.int64) << 32
        return value, (nulls & (_BIT["tls"] | _BIT["agent"])) != _BIT["tls"] | _BIT["agent"]
    return records[kind].astype(np.int64), (nulls & _BIT[kind]) == 0
