"""Fingerprints of Arrow text columns, on all cores: the kernel's caller."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from stillhunt.fingerprints import kernel
from stillhunt.records.observation import GRAMS


@dataclass(frozen=True)
class TextFingerprints:
    """What one pass over system and prompt yields, n rows each.

    Attributes:
        grams: int32 (n, GRAMS), the first ``count`` of each row used.
        count: uint8 (n,).
        guarantee: int32 (n,), tokens: a shared run of max(guarantees) tokens shares a gram.
        cues: int64 (n,), bit i set where cue group i was seen.
        words: int32 (n,), tokens of both texts.
        item: int64 (n,), hash of the exact token sequence of both texts.
        system: int32 (n,), hash of the system text's exact tokens; 0 where there is none.
    """

    grams: np.ndarray
    count: np.ndarray
    guarantee: np.ndarray
    cues: np.ndarray
    words: np.ndarray
    item: np.ndarray
    system: np.ndarray


def text_buffers(column: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes and int64 offsets of a text column; a null has zero length."""
    if column.null_count:
        column = column.fill_null("")
    n = len(column)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + n + 1]
    text = (
        np.frombuffer(data, dtype=np.uint8)
        if data is not None and data.size
        else np.zeros(1, np.uint8)
    )
    return text, ends


def fingerprint_text(
    system: pa.LargeStringArray,
    prompt: pa.LargeStringArray,
    cue_table: kernel.CueTable,
    threads: int | None = None,
) -> TextFingerprints:
    """Fingerprint n exchanges; the result does not depend on ``threads``.

    Args:
        system, prompt: large_string arrays of n rows; nulls count as empty. Any bytes will do.
        cue_table: from ``kernel.cue_table``.
        threads: how many to use; by default one per core.
    """
    n = len(prompt)
    threads = max(1, min(threads or os.cpu_count() or 1, n or 1))
    out = TextFingerprints(
        grams=np.zeros((n, GRAMS), np.int32),
        count=np.zeros(n, np.uint8),
        guarantee=np.zeros(n, np.int32),
        cues=np.zeros(n, np.int64),
        words=np.zeros(n, np.int32),
        item=np.zeros(n, np.int64),
        system=np.zeros(n, np.int32),
    )
    if n == 0:
        return out
    system_data, system_ends = text_buffers(system)
    prompt_data, prompt_ends = text_buffers(prompt)

    longest = max(int(np.diff(ends).max()) for ends in (system_ends, prompt_ends))

    def run(first: int, last: int) -> None:
        kernel.fingerprint_rows(
            system_data, system_ends, prompt_data, prompt_ends, first, last, cue_table,
            out.grams, out.count, out.guarantee, out.cues, out.words, out.item, out.system,
            *kernel.scratch(longest),
        )  # fmt: skip

    # Shares of equal bytes, not rows: one long prompt must not hold up a core.
    load = (prompt_ends - prompt_ends[0]) + (system_ends - system_ends[0]) + np.arange(n + 1)
    cuts = np.searchsorted(load, np.linspace(0, load[-1], threads + 1)[1:-1])
    bounds = [0, *cuts.tolist(), n]
    if threads == 1:
        run(0, n)
        return out
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(run, a, b) for a, b in pairwise(bounds) if b > a]:
            done.result()
    return out
