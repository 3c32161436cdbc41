"""Peers: how they are run and judged, and that each does something where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from _peers import FOLDER, PEERS, judged, run_peer

PYTHON = os.environ.get("STILLHUNT_PEERS_PYTHON", sys.executable)
"""Set it to an interpreter that has benchmarks/requirements-peers.txt."""

NEEDS = {
    "behaviour": "honeypotllm",
    "coactivity": "coordination_network_toolkit",
    "neardup": "datasketch",
    "windows": "sklearn",
}


def _planted(traffic: Path) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for row in pq.read_table(traffic / "truth" / "accounts.parquet").to_pylist():
        if row["campaign"] is not None:
            groups.setdefault(row["campaign"], []).append(row["account"])
    return groups


def test_the_truth_itself_is_judged_right(simulated: Path, tmp_path: Path) -> None:
    traffic = simulated / "small"
    measures = judged(traffic, _planted(traffic), tmp_path / "findings")
    assert measures["right"] == measures["accounts"] > 0
    assert measures["lawful_named"] == 0
    assert all(p["found"] and p["attributed"] >= p["exchanges"] for p in measures["planted"])


def test_everybody_in_one_group_is_judged_wrong(simulated: Path, tmp_path: Path) -> None:
    traffic = simulated / "small"
    rows = pq.read_table(traffic / "accounts.parquet").to_pylist()
    measures = judged(traffic, {"all": [r["account"] for r in rows]}, tmp_path / "findings")
    licensed = sum(r["licence"] is not None for r in rows)
    assert licensed > 0  # they are taken out: a provider would not name its own licensees
    assert measures["lawful_named"] + measures["planted_named"] == len(rows) - licensed
    assert measures["lawful"]["licensed"]["named"] == 0
    assert [c["right"] for c in measures["clusters"]] == [False]


def test_a_peer_that_cannot_run_says_why(simulated: Path) -> None:
    result = run_peer("windows", simulated / "small", "no-such-interpreter")
    assert result == {
        "failed": "no-such-interpreter cannot be run: No such file or directory", "settings": []
    }  # fmt: skip
    assert run_peer("unheard-of", simulated / "small", sys.executable)["failed"]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_names_groups_of_accounts(name: str, simulated: Path) -> None:
    asked = subprocess.run(
        [PYTHON, "-c", f"import {NEEDS[name]}"], capture_output=True, check=False
    )
    if asked.returncode:
        pytest.skip(f"{NEEDS[name]} is not installed; see STILLHUNT_PEERS_PYTHON")
    assert (FOLDER / f"{name}.py").is_file()
    result = run_peer(name, simulated / "small", PYTHON)
    assert result["failed"] is None
    named = [
        s["measures"]["planted_named"] + s["measures"]["lawful_named"] for s in result["settings"]
    ]
    assert max(named) > 0
    assert len({s["name"] for s in result["settings"]}) == len(named)
