"""The benchmarks of evidence run, and measure what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the evidence extra")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import claim_size
import evidence
from stillhunt.fingerprints.hashing import hash64


def test_sealing_and_verifying_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence.main(["--leaves", "2000", "--rounds", "1"]) == 0
    told = capsys.readouterr().out
    for row in ("one call a message", "sealed: entries", "check one proof of all", "bytes a leaf"):
        assert row in told


def test_a_wrong_result_ends_it(tmp_path: Path) -> None:
    work = evidence.Work(2000, 0.1, tmp_path)
    work.root = bytes(32)
    with pytest.raises(SystemExit, match="wrong result"):
        work.check()


def test_the_planted_campaigns_are_claimed(tmp_path: Path) -> None:
    names = pa.array(["a", "b", "c"])
    (tmp_path / "observations").mkdir()
    pq.write_table(
        pa.table({"account": names, "campaign": pa.array(["x", None, "y"])}),
        tmp_path / "truth.parquet",
    )
    digests = [bytes([i]) * 16 for i in range(6)]
    account = hash64(pa.array(["a", "b", "c", "a", "b", "c"]), "account")
    pq.write_table(
        pa.table({"exchange": pa.array(digests, pa.binary(16)), "account": account}),
        tmp_path / "observations" / "p.parquet",
    )
    found, accounts = claim_size._claimed(tmp_path)
    assert {row.tobytes() for row in found} == {digests[i] for i in (0, 2, 3, 5)}
    assert set(accounts.tolist()) == set(np.asarray(account)[[0, 2]].tolist())
