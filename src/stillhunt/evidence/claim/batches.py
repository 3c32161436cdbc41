"""The batch records that a claim's leaves belong to, as a member of its bundle."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.canonical import encode, encode_base64
from stillhunt.evidence.log.reader import Log

MOST = 1 << 16


def batches_member(log: Log, size: int, positions: np.ndarray) -> bytes:
    """Records of the batches that hold some leaves, and the proof that the log holds the records.

    Args:
        log: as of a head of ``size`` leaves.
        positions: of the leaves.
    """
    inside = [batch for batch in log.batches() if batch.end <= size]
    ends = np.array([batch.end for batch in inside], dtype=np.uint64)
    wanted = np.unique(np.searchsorted(ends, positions, side="right"))
    records: list[dict[str, Any]] = []
    for i in wanted.tolist():
        record = asdict(inside[i])
        record["period"] = None if record["period"] is None else list(record["period"])
        records.append(record)
    leaves = [inside[i].leaf for i in wanted.tolist()]
    return encode(
        {"proof": encode_base64(batch_proof(log.tree(size), size, leaves)), "records": records}
    )
