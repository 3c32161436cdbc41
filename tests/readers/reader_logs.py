"""Small helpers of the readers' tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stillhunt.readers import LogReader, Quarantine, ReadBatch, ReadOptions

FIXTURES = Path(__file__).parents[1] / "fixtures"


@dataclass
class Read:
    """Everything one read gave."""

    rows: list[dict[str, Any]]
    places: list[int]
    batches: list[ReadBatch]
    quarantine: Quarantine
    lines: list[dict[str, Any]]
    reader: LogReader

    @property
    def lost(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "kept" not in line and "skipped" not in line]

    @property
    def kept(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "kept" in line]


def read(tmp_path: Path, paths: Path | Sequence[Path], **options: Any) -> Read:
    """Read logs to the end."""
    quarantine = Quarantine(tmp_path / "quarantine.jsonl")
    with quarantine:
        listed = [paths] if isinstance(paths, Path) else list(paths)
        reader = LogReader(listed, ReadOptions(**options), quarantine)
        batches = list(reader)
    lines = [json.loads(line) for line in quarantine.path.read_text().splitlines()]
    rows = [row for batch in batches for row in batch.exchanges.to_pylist()]
    places = [int(place) for batch in batches for place in batch.rows]
    return Read(rows, places, batches, quarantine, lines, reader)


def exchange(i: int, **more: Any) -> dict[str, Any]:
    """Return a small canonical row."""
    return {
        "exchange_id": f"x{i}",
        "time": f"2026-01-02T03:04:{i % 60:02d}Z",
        "account": f"acct_{i % 7}",
        "prompt": f"prompt number {i}",
        **more,
    }


def json_lines(rows: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
