"""Deletes what old batches commit to. Their hashes stay, and with them every proof of the log."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from stillhunt.evidence.canonical import encode
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.log.files import put, sync
from stillhunt.evidence.log.writer import LogWriter


def prune(writer: LogWriter, before: datetime) -> int:
    """Delete payload and salts of batches whose last exchange is from before a moment.

    Without the salts nobody can tell any more what such a leaf commits to, nor try it out. Which
    exchanges they were is forgotten, too: taken in again, they would be sealed again. What a layer
    above keeps with a batch (totals) stays.

    Args:
        writer: of the log; before: aware.

    Returns:
        How many batches were opened for the last time.

    Raises:
        OutputError: something cannot be deleted.
    """
    edge = int(before.timestamp() * 1_000_000)
    layout = writer.log.layout
    batches = writer.log.batches()
    old = [b for b in batches if layout.salts(b.batch).exists() and _last(writer, b) < edge]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with writer.writing():
        for batch in old:
            # Salts first: without them the rest says nothing about the log.
            layout.salts(batch.batch).unlink()
        sync(layout.salts(1).parent)
        gone = [b for b in batches if not layout.salts(b.batch).exists()]
        # Those of a killed run, too: the note is what is written last.
        left = [b for b in gone if not layout.pruned(b.batch).exists()]
        if left:
            for batch in left:
                layout.payload(batch.batch).unlink(missing_ok=True)
            sync(layout.payload(1).parent)
            firsts = np.array([b.first for b in gone], dtype=np.int64)
            ends = np.append(-1, np.array([b.end for b in gone], dtype=np.int64))
            index = writer.log.exchange_index(write=True)
            index.forget(lambda at: at >= ends[np.searchsorted(firsts, at, "right")])
        for batch in left:
            put(layout.pruned(batch.batch), encode({"pruned": now}), 0o600)
    return len(old)


def _last(writer: LogWriter, batch: Batch) -> int:
    """When a batch's last exchange was; one without exchanges, when it was sealed."""
    if batch.period is not None:
        return batch.period[1]
    return writer.log.layout.salts(batch.batch).stat().st_mtime_ns // 1000
