"""How fast each reader is, beside a bare parse of the same file in the same run.

``python benchmarks/readers.py [TRAFFIC] [--rows N] [--only NAME]`` writes the same exchanges in each
format of ``tests/readers/written`` (a new format there is a new row here), then reads each file five
times with its reader and five times with nothing but a parser of its encoding (orjson, pyarrow,
protobuf), one after the other, and prints the best of each: on a machine that others use, too, the
best is what disturbs least. TRAFFIC is a folder with ``exchanges.parquet``; by default exchanges are
made up, with texts of ordinary length.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.records.exchange import EXCHANGE_SCHEMA

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "readers"))

from written import Written, written_formats

RUNS = 5
AIM = 4.0
"""Times that of the bare parse, at most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("traffic", nargs="?", type=Path, help="folder with exchanges.parquet")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", default="", help="formats whose name has this in it")
    given = parser.parse_args(arguments)
    rows = _rows_of(given.traffic, given.rows) if given.traffic else _made(given.rows)
    table = Table(
        "format", "MiB", "bare rows/s", "reader rows/s", "times bare", "within the aim",
        box=SIMPLE_HEAD, title=f"{len(rows):,} exchanges; best of {RUNS}",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    console = Console(width=100)
    for written in written_formats():
        if given.only in written.name:
            size, bare, read = _timed(written, rows)
            table.add_row(
                written.name,
                f"{size / (1 << 20):.1f}",
                f"{len(rows) / bare:,.0f}",
                f"{len(rows) / read:,.0f}",
                f"{read / bare:.1f}",
                "yes" if read <= AIM * bare else "no",
            )
    console.print(table)
    return 0


def _timed(written: Written, rows: list[dict[str, Any]]) -> tuple[int, float, float]:
    """Bytes written, and seconds of the bare parse and of the reader."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "logs")
        folder.mkdir()
        files = written.write(rows, folder)
        options = written.options(folder)

        def parse() -> None:
            for path in files:
                written.bare(path)

        def read() -> None:
            with Quarantine(Path(home, "quarantine.jsonl")) as quarantine:
                reader = LogReader(files, ReadOptions(**options), quarantine)
                seen = sum(len(batch.rows) for batch in reader)
            if seen != len(rows):
                raise SystemExit(f"{written.name}: {seen:,} of {len(rows):,} exchanges were read")

        bare, whole = [], []
        for _ in range(RUNS):
            bare.append(_seconds(parse))
            whole.append(_seconds(read))
        size = sum(path.stat().st_size for path in files)
    return size, min(bare), min(whole)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rows_of(traffic: Path, rows: int) -> list[dict[str, Any]]:
    table = pq.read_table(traffic / "exchanges.parquet").slice(0, rows)
    missing = [name for name in EXCHANGE_SCHEMA.names if name not in table.column_names]
    return [row | dict.fromkeys(missing) for row in table.to_pylist()]


def _made(rows: int) -> list[dict[str, Any]]:
    """Prompts of 20 to 300 words and answers of 20 to 400, in a vocabulary of 5,000."""
    random = np.random.default_rng(7)
    words = np.array([f"w{i:x}" + "abcdefgh"[: i % 9] for i in range(5000)])
    start = datetime(2026, 1, 5, tzinfo=UTC)

    def text(longest: int) -> str:
        return " ".join(random.choice(words, random.integers(20, longest)))

    return [
        dict.fromkeys(EXCHANGE_SCHEMA.names)
        | {
            "exchange_id": f"chatcmpl-{i:08x}",
            "time": start + timedelta(milliseconds=137 * i),
            "account": f"acct_{i % 997:04x}",
            "client_address": f"203.{i % 113}.{i % 89}.{i % 251}",
            "tls_fingerprint": "t13d1516h2_8daaf6152771_02713d6af862",
            "user_agent": "OpenAI/Python 2.8.1",
            "request_model": "atlas-4",
            "system": "You are a careful assistant." if i % 3 == 0 else None,
            "prompt": text(300),
            "response": text(400),
            "input_tokens": 200 + i % 90,
            "output_tokens": 250 + i % 70,
            "max_tokens": 1024,
            "status": 200,
            "finish_reason": "stop",
            "temperature": 0.7,
            "stream": i % 2 == 0,
        }
        for i in range(rows)
    ]


if __name__ == "__main__":
    sys.exit(main())
