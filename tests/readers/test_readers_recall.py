"""Formats without text or addresses: what the coverage says is what is found, and no more is."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from written import Written, written_formats

from stillhunt import HuntRequest, hunt
from stillhunt.campaigns.coverage import lost_without
from stillhunt.readers import ReadOptions
from stillhunt.records.exchange import EXCHANGE_SCHEMA

SHARED = Path(os.environ.get("STILLHUNT_SHARED", Path(__file__).parents[3] / "shared"))
TRAFFIC = SHARED / "traffic" / "dev-E0"
ROWS = 5000
CHOSEN = ("canonical (Parquet)", "kong", "bedrock", "azure-openai", "envoy")
FORMATS = [one for one in written_formats() if one.name in CHOSEN]

pytestmark = pytest.mark.skipif(
    not TRAFFIC.is_dir(), reason=f"needs the traffic {TRAFFIC}, which is not there"
)


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    table = pq.read_table(TRAFFIC / "exchanges.parquet")
    step = table.num_rows // ROWS
    table = table.take(list(range(0, step * ROWS, step)))
    missing = [name for name in EXCHANGE_SCHEMA.names if name not in table.column_names]
    return tuple(row | dict.fromkeys(missing) for row in table.to_pylist())


def _hunted(written: Written, folder: Path) -> tuple[dict[str, bool], set[str]]:
    """Coverage by signal, and the accounts named."""
    logs = folder / "logs"
    logs.mkdir()
    files = tuple(written.write(_rows(), logs))
    request = HuntRequest(
        logs=files,
        out=folder / "out",
        accounts=TRAFFIC / "accounts.parquet",
        read=ReadOptions(**written.options(logs)),
        threads=1,
    )
    hunt(request)
    coverage = pq.read_table(folder / "out" / "coverage.parquet").to_pylist()
    named = set(pq.read_table(folder / "out" / "accounts.parquet")["account"].to_pylist())
    return {row["signal"]: row["available"] for row in coverage}, named


def test_recall_is_what_coverage_says(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recall is of the accounts that are named where nothing is missing."""
    results = {one.name: _hunted(one, tmp_path_factory.mktemp("hunt")) for one in FORMATS}
    _, whole = results["canonical (Parquet)"]
    assert whole
    for one in FORMATS:
        available, named = results[one.name]
        recall = len(named & whole) / len(whole)
        with capsys.disabled():
            print(f"\n{one.name:22} text {'yes' if available['prompt text'] else 'no':4}"
                  f"address {'yes' if available['client address'] else 'no':4}"
                  f"named as with all {recall:6.1%}, others {len(named - whole)}", end="")  # fmt: skip
        # What the format is said to lack is what its log lacked.
        lacking = {signal.name for signal in lost_without(one.carries)}
        everything = {signal.name for signal in lost_without(())}
        assert {name for name in everything if not available[name]} == lacking
        if not available["prompt text"]:
            assert named == set()  # "so no campaign is named"
        elif not lacking:
            assert named == whole
        assert recall <= 1.0
