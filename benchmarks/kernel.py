"""Speed of the text kernel, beside MinHash of the same texts.

    python benchmarks/kernel.py EXCHANGES.parquet [--seconds N]

Everything runs in one process on one thread, in turns on the same slices of the ``prompt`` column,
so that whatever else the machine does is shared by all; medians over the turns are printed.

What is counted. Kernel: the whole pass from Arrow's bytes to grams, cues, word counts and item hash,
tokenisation included. MinHash, *hashing*: making one sketch per prompt, feeding it all its k-grams in
one call (``update``; datasketch: ``update_batch``) and taking its digest; the k-grams (6 words,
lower-cased, joined by spaces; all words where there are fewer) lie ready as Python strings, for
datasketch as bytes. MinHash, *whole*: the same with lower-casing, splitting (``\\w+``) and joining in
Python. Floor: a compiled loop that does nothing but one multiplication and addition per byte, each
needing the one before.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasketch import MinHash
from numba import njit
from rensa import CMinHash, RMinHash
from rich.console import Console
from rich.table import Table

from stillhunt.fingerprints.cues import phrase_table
from stillhunt.fingerprints.kernel import RUN, cue_table
from stillhunt.fingerprints.text import fingerprint_text

SLICE = 8192
SLOW_SHARE = 8  # datasketch gets one prompt in so many, or it would take all the time
WORDS = re.compile(r"\w+")
CUES = cue_table(phrase_table())
KERNEL, FLOOR = "stillhunt kernel", "floor: one multiplication a byte"


@njit(nogil=True)
def bare_pass(data: np.ndarray, first: int, last: int) -> int:
    h = np.uint64(1)
    for i in range(first, last):
        h = h * np.uint64(0x9E3779B97F4A7C15) + np.uint64(data[i])
    return h


def kgrams(text: str) -> list[str]:
    words = WORDS.findall(text.lower())
    return [" ".join(words[i : i + RUN]) for i in range(max(1, len(words) - RUN + 1))]


def rensa(kind: type, permutations: int) -> Callable[[list], None]:
    def sketch(rows: list[list[str]]) -> None:
        for row in rows:
            one = kind(permutations, 42)
            one.update(row)
            one.digest()

    return sketch


def datasketch(permutations: int) -> Callable[[list], None]:
    def sketch(rows: list[list[bytes]]) -> None:
        for row in rows:
            one = MinHash(num_perm=permutations)
            one.update_batch(row)
            one.digest()

    return sketch


def seconds(function: Callable[..., object], *arguments: object) -> float:
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def fingerprint(prompts: pa.LargeStringArray) -> None:
    fingerprint_text(pa.nulls(len(prompts), pa.large_string()), prompts, CUES, threads=1)


def bare(prompts: pa.LargeStringArray) -> None:
    _, offsets, data = prompts.buffers()
    ends = np.frombuffer(offsets, np.int64)[prompts.offset : prompts.offset + len(prompts) + 1]
    bare_pass(np.frombuffer(data, np.uint8), ends[0], ends[-1])


def measure(prompts: pa.LargeStringArray, limit: float) -> dict[str, dict[str, list[float]]]:
    """Seconds per prompt of each method, turn by turn: {method: {"hashing" or "whole": [...]}}."""
    sketches: dict[str, Callable[[list], None]] = {}
    for permutations in (64, 128):
        sketches[f"rensa RMinHash, {permutations}"] = rensa(RMinHash, permutations)
        sketches[f"rensa CMinHash, {permutations}"] = rensa(CMinHash, permutations)
        sketches[f"datasketch MinHash, {permutations}"] = datasketch(permutations)
    found: dict[str, dict[str, list[float]]] = {
        name: {"hashing": [], "whole": []} for name in (KERNEL, *sketches, FLOOR)
    }
    fingerprint(prompts.slice(0, 9))  # compiles
    bare(prompts.slice(0, 9))
    end = time.perf_counter() + limit
    first = 0
    while time.perf_counter() < end or first == 0:
        part = prompts.slice(first % max(1, len(prompts) - SLICE), SLICE)
        first += SLICE
        found[KERNEL]["whole"].append(seconds(fingerprint, part) / len(part))
        found[FLOOR]["whole"].append(seconds(bare, part) / len(part))
        texts = part.to_pylist()
        start = time.process_time()
        ready = [kgrams(text) for text in texts]
        shingling = (time.process_time() - start) / len(part)
        encoded = [[gram.encode() for gram in row] for row in ready[::SLOW_SHARE]]
        for name, sketch in sketches.items():
            rows: list = encoded if name.startswith("datasketch") else ready
            each = seconds(sketch, rows) / len(rows)
            found[name]["hashing"].append(each)
            found[name]["whole"].append(each + shingling)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the text kernel beside MinHash.")
    parser.add_argument("corpus", type=Path, help="Parquet file with a column prompt")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to measure")
    options = parser.parse_args()
    column = pq.read_table(options.corpus, columns=["prompt"]).column("prompt").drop_null()
    prompts = column.cast(pa.large_string()).combine_chunks()
    if isinstance(prompts, pa.ChunkedArray):
        prompts = prompts.chunk(0)
    if len(prompts) == 0:
        parser.error(f"{options.corpus} has no prompts")
    size = pc.mean(pc.binary_length(prompts)).as_py()
    found = measure(prompts, options.seconds)
    kernel = median(found[KERNEL]["whole"])
    turns = len(found[KERNEL]["whole"])
    table = Table(
        title=f"{len(prompts):,} prompts of {size:,.0f} bytes; per core, medians of {turns} turns",
        caption="hashing: k-grams lie ready; whole: tokenising and shingling counted too."
        " The kernel always does the whole. Numbers after names: permutations.",
    )
    table.add_column("method")
    for heading in ("rows/s", "MB/s", "kernel is", "rows/s whole", "MB/s whole", "kernel is"):
        table.add_column(heading, justify="right")
    for name, times in found.items():
        cells = []
        for part in ("hashing", "whole"):
            if times[part]:
                each = median(times[part])
                cells += [f"{1 / each:,.0f}", f"{size / each / 1e6:,.1f}", f"{each / kernel:.2f} x"]
            else:
                cells += ["", "", ""]
        table.add_row(name, *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
