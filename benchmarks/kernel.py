"""Speed of the text kernel, beside MinHash of the same texts.

    python benchmarks/kernel.py EXCHANGES.parquet [--seconds N]

Everything runs in one process, in turns on the same slices of the ``prompt`` column. What is counted
is processor time, of all threads together: so it is per core, and what else the machine does counts
little. Printed are medians over the turns, and the medians of the turns' ratios to the kernel.

What is counted. Kernel: the whole pass from Arrow's bytes to grams, cues, word counts and item hash,
tokenisation included. MinHash, *hashing*: making one sketch per prompt, feeding it all its k-grams in
one call (``update``; datasketch: ``update_batch``) and taking its digest; the k-grams (6 words,
lower-cased, joined by spaces; all words where there are fewer) lie ready as Python strings, for
datasketch as bytes. Daft makes k-grams itself, at spaces: for it the words lie ready in a frame, each
prompt's joined by spaces, and splitting them again counts as hashing. MinHash, *whole*: the same with
lower-casing, splitting (``\\w+``) and joining in Python. Daft is measured where it is installed
(benchmarks/requirements-peers.txt names its version).

The floor is a compiled loop over the same bytes that does nothing but roll a hash over them: one
multiplication and addition per byte, each needing the one before. Beneath it, for comparison, is the
memory's: a compiled loop that adds up the bytes, in any order, as vectors.
"""

from __future__ import annotations

import argparse
import importlib.util
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
SLOW_SHARE = 8  # datasketch and daft get one prompt in so many, or they would take all the time
WORDS = re.compile(r"\w+")
CUES = cue_table(phrase_table())
KERNEL = "stillhunt kernel"
FLOOR, MEMORY = "floor: a rolling hash of the bytes", "memory: the sum of the bytes"
DAFT = importlib.util.find_spec("daft") is not None


@njit(nogil=True)
def bare_pass(data: np.ndarray, first: int, last: int) -> int:
    h = np.uint64(1)
    for i in range(first, last):
        h = h * np.uint64(0x9E3779B97F4A7C15) + np.uint64(data[i])
    return h


@njit(nogil=True)
def sum_pass(data: np.ndarray, first: int, last: int) -> int:
    total = np.uint64(0)
    for i in range(first, last):
        total += np.uint64(data[i])
    return total


def kgrams(words: list[str]) -> list[str]:
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


def daft(permutations: int) -> Callable[[list], None]:
    from daft import DataFrame  # noqa: PLC0415 -- not everybody has it
    from daft.functions import minhash  # noqa: PLC0415

    def sketch(frames: list[DataFrame]) -> None:
        for frame in frames:
            column = minhash(frame["words"], num_hashes=permutations, ngram_size=RUN)
            frame.select(column).collect()

    return sketch


def seconds(function: Callable[..., object], *arguments: object) -> float:
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def fingerprint(prompts: pa.LargeStringArray) -> None:
    fingerprint_text(pa.nulls(len(prompts), pa.large_string()), prompts, CUES, threads=1)


def bare(loop: Callable[..., int], prompts: pa.LargeStringArray) -> None:
    _, offsets, data = prompts.buffers()
    ends = np.frombuffer(offsets, np.int64)[prompts.offset : prompts.offset + len(prompts) + 1]
    loop(np.frombuffer(data, np.uint8), ends[0], ends[-1])


def frame_of(rows: list[list[str]]) -> object:
    """The rows' words as a frame of daft's, in memory."""
    from daft import from_pydict  # noqa: PLC0415

    return from_pydict({"words": [" ".join(words) for words in rows]}).collect()


def measure(prompts: pa.LargeStringArray, limit: float) -> dict[str, dict[str, list[float]]]:
    """Seconds per prompt of each method, turn by turn: {method: {"hashing" or "whole": [...]}}."""
    sketches: dict[str, Callable[[list], None]] = {}
    for permutations in (64, 128):
        sketches[f"rensa RMinHash, {permutations}"] = rensa(RMinHash, permutations)
        sketches[f"rensa CMinHash, {permutations}"] = rensa(CMinHash, permutations)
        sketches[f"datasketch MinHash, {permutations}"] = datasketch(permutations)
        if DAFT:
            sketches[f"daft minhash, {permutations}"] = daft(permutations)
    found: dict[str, dict[str, list[float]]] = {
        name: {"hashing": [], "whole": []} for name in (KERNEL, *sketches, FLOOR, MEMORY)
    }
    fingerprint(prompts.slice(0, 9))  # compiles
    for loop in (bare_pass, sum_pass):
        bare(loop, prompts.slice(0, 9))
    end = time.perf_counter() + limit
    first = 0
    while time.perf_counter() < end or first == 0:
        part = prompts.slice(first % max(1, len(prompts) - SLICE), SLICE)
        first += SLICE
        found[KERNEL]["whole"].append(seconds(fingerprint, part) / len(part))
        found[FLOOR]["whole"].append(seconds(bare, bare_pass, part) / len(part))
        found[MEMORY]["whole"].append(seconds(bare, sum_pass, part) / len(part))
        texts = part.to_pylist()
        start = time.process_time()
        words = [WORDS.findall(text.lower()) for text in texts]
        splitting = (time.process_time() - start) / len(part)
        start = time.process_time()
        ready = [kgrams(row) for row in words]
        shingling = (time.process_time() - start) / len(part)
        encoded = [[gram.encode() for gram in row] for row in ready[::SLOW_SHARE]]
        slow = words[::SLOW_SHARE]
        start = time.process_time()
        frames = [frame_of(slow)] if DAFT else []
        framing = (time.process_time() - start) / len(slow)
        for name, sketch in sketches.items():
            if name.startswith("daft"):
                each = seconds(sketch, frames) / len(slow)
                before = splitting + framing
            else:
                rows: list = encoded if name.startswith("datasketch") else ready
                each = seconds(sketch, rows) / len(rows)
                before = splitting + shingling
            found[name]["hashing"].append(each)
            found[name]["whole"].append(each + before)
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
    kernel = found[KERNEL]["whole"]
    turns = len(kernel)
    table = Table(
        title=f"{len(prompts):,} prompts of {size:,.0f} bytes; per core, medians of {turns} turns",
        caption="hashing: k-grams lie ready; whole: tokenising and shingling counted too."
        " The kernel always does the whole. Numbers after names: permutations.",
    )
    table.add_column("method")
    for heading in ("prompts/s", "MB/s", "kernel is", "whole", "MB/s", "kernel is"):
        table.add_column(heading, justify="right")
    for name, times in found.items():
        cells = []
        for part in ("hashing", "whole"):
            if times[part]:
                each = median(times[part])
                ratio = median(a / b for a, b in zip(times[part], kernel, strict=True))
                cells += [f"{1 / each:,.0f}", f"{size / each / 1e6:,.1f}", f"{ratio:.2f} x"]
            else:
                cells += ["", "", ""]
        table.add_row(name, *cells)
    if not DAFT:
        table.add_row("daft minhash (not installed)", *[""] * 6)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
