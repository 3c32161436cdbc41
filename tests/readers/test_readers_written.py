"""The same exchanges in every format: read back they are the same, hunted the same is found."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reader_logs import read
from written import Written, written_formats

from stillhunt import HuntRequest, hunt
from stillhunt.readers import ReadOptions
from stillhunt.records.exchange import EXCHANGE_SCHEMA, REQUIRED, TEXT

SHARED = Path(os.environ.get("STILLHUNT_SHARED", Path(__file__).parents[3] / "shared"))
TRAFFIC = SHARED / "traffic" / "dev-E0"
ROWS = 5000
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EVERY = pytest.mark.parametrize("written", written_formats(), ids=lambda one: one.name)


def _made(n: int) -> list[dict[str, Any]]:
    """Exchanges in which every column has values, nulls, and what is hard to quote."""
    words = [
        "plain",
        'quoted "and" \\ back',
        "two\nlines",
        "\u4f60\u597d \U0001f600",
        "[1, 2]",
        "{",
    ]
    rows = []
    for i in range(n):
        full: dict[str, Any] = {
            "exchange_id": f"x{i}",
            "time": MOMENT + timedelta(seconds=i),
            "account": f"acct_{i % 7}",
            "organization": f"org_{i % 3}",
            "credential": f"key_{i % 9}",
            "client_address": f"203.0.113.{i % 200}",
            "client_asn": "AS64496",
            "tls_fingerprint": "t13d1516h2_8daaf6152771_02713d6af862",
            "user_agent": "OpenAI/Python 2.8.1",
            "request_model": "atlas-4",
            "system": f"Be {words[i % 4]}.",
            "prompt": f"question {words[i % 6]} {i}",
            "response": f"answer {words[i % 6]} {i}",
            "input_tokens": 10 + i,
            "output_tokens": i,
            "max_tokens": 64,
            "status": 200,
            "finish_reason": "stop",
            "temperature": 0.25,
            "stream": bool(i % 2),
        }
        if i % 5 == 4:
            full |= dict.fromkeys(set(full) - set(REQUIRED) - {"status", "prompt"})
        rows.append({name: full[name] for name in EXCHANGE_SCHEMA.names})
    return rows


@EVERY
def test_what_is_carried_comes_back_and_the_rest_is_null(tmp_path: Path, written: Written) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    rows = _made(50)
    files = written.write(rows, folder)
    got = read(tmp_path, files, **written.options(folder))
    assert got.lost == []
    assert {file.source for file in got.reader.files} == {written.source}
    assert len(got.rows) == len(rows)
    for row, want in zip(got.rows, rows, strict=True):
        for name, value in row.items():
            if name in written.carries:
                same = value == (
                    written.renamed(want[name]) if name == "exchange_id" else want[name]
                )
                if not written.exact and name in TEXT:
                    same = (value is None) == (want[name] is None)
                assert same, name
            else:
                assert value is None, name


def _sample() -> pa.Table:
    if not TRAFFIC.is_dir():
        pytest.skip(f"needs the traffic {TRAFFIC}, which is not there")
    whole = pq.read_table(TRAFFIC / "exchanges.parquet")
    # Spread over all days: what a campaign is known by needs time.
    step = whole.num_rows // ROWS
    return whole.take(pa.array(np.arange(0, step * ROWS, step)))


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    table = _sample()
    missing = [name for name in EXCHANGE_SCHEMA.names if name not in table.column_names]
    return tuple(row | dict.fromkeys(missing) for row in table.to_pylist())


def _found(logs: tuple[Path, ...], out: Path, **options: Any) -> dict[str, Any]:
    """Campaigns by who is in them: how many exchanges and how sure; and the coverage."""
    hunt(
        HuntRequest(
            logs=logs,
            out=out,
            accounts=TRAFFIC / "accounts.parquet",
            read=ReadOptions(**options),
            threads=1,
        )
    )
    members: dict[str, list[str]] = {}
    for row in pq.read_table(out / "accounts.parquet").to_pylist():
        members.setdefault(row["campaign"], []).append(row["account"])
    # Not by their names, in which ids of exchanges have a part.
    campaigns = {
        tuple(sorted(members[row["campaign"]])): (row["exchanges"], round(row["probability"], 9))
        for row in pq.read_table(out / "campaigns.parquet").to_pylist()
    }
    coverage = pq.read_table(out / "coverage.parquet").select(["signal", "available"])
    return {"campaigns": campaigns, "coverage": coverage.to_pylist()}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is found where only some columns are known; each hunted once."""

    @cache
    def found(carries: frozenset[str], renamed: Callable[[str], str]) -> dict[str, Any]:
        table = _sample()
        # Ids have a part in chance: what is held out of a test is told by them.
        ids = pa.array([renamed(name) for name in table.column("exchange_id").to_pylist()])
        table = table.set_column(table.schema.get_field_index("exchange_id"), "exchange_id", ids)
        folder = tmp_path_factory.mktemp("reference")
        kept = [name for name in table.column_names if name in carries]
        pq.write_table(table.select(kept), folder / "log.parquet")
        return _found((folder / "log.parquet",), folder / "out")

    return found


@EVERY
def test_the_same_campaigns_in_every_format(
    tmp_path: Path, written: Written, reference: Any
) -> None:
    """As many as in the canonical columns that the format carries, and no others."""
    rows = _rows()
    folder = tmp_path / "logs"
    folder.mkdir()
    files = tuple(written.write(rows, folder))
    found = _found(files, tmp_path / "out", **written.options(folder))
    assert found == reference(written.carries, written.renamed)
    if {"prompt", "client_address"} <= written.carries:
        assert found["campaigns"]
