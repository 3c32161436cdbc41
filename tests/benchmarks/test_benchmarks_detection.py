"""The benchmark of detection, run on simulated traffic."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import detection
import stillhunt
from _hunts import hunt_level, levels_of
from _matching import judge
from stillhunt_simulator.compare import compare


def test_it_agrees_with_the_simulators_own_comparison(simulated: Path, tmp_path: Path) -> None:
    traffic = simulated / "small"
    stillhunt.hunt(
        stillhunt.HuntRequest(
            logs=(traffic / "exchanges.parquet",),
            accounts=traffic / "accounts.parquet",
            out=tmp_path / "findings",
        )
    )
    theirs = compare(tmp_path / "findings", traffic)
    ours = judge(traffic, tmp_path / "findings", licences_known=True)
    assert ours.campaigns == theirs.campaigns > 0
    assert ours.accounts == theirs.accounts_planted
    assert ours.lawful_named == sum(theirs.lawful.values())
    assert [(p.name, p.matched, p.right, p.exchanges, p.attributed) for p in ours.planted] == [
        (p.name, p.matched, p.accounts_found, p.exchanges, p.exchanges_found)
        for p in theirs.planted
    ]


def test_it_prints_what_was_found(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = hunt_level(simulated / "small")
    assert run.refusal is None
    assert run.exit_code == 10
    assert detection.main([str(simulated), "--level", "small"]) == 0
    printed = capsys.readouterr().out
    cells = {
        " ".join(words[:-1]): words[-1] for words in map(str.split, printed.splitlines()) if words
    }
    outcome = run.outcome
    assert cells["accounts planted"] == str(outcome.accounts)
    assert cells["recall"] == f"{outcome.right / outcome.accounts:.3f}"
    assert cells["precision"] == f"{outcome.right / outcome.named:.3f}"
    assert cells["exit code"] == "10"
    for persona, lawful in outcome.lawful.items():
        assert cells[f"{persona} {lawful.named} of"] == f"{lawful.accounts:,}"


def test_withholding_columns_is_told_by_the_hunt(simulated: Path) -> None:
    run = hunt_level(simulated / "small", ("text", "addresses", "tls"))
    lost = {signal for signal, _ in run.not_covered}
    assert {"prompt text", "client address", "client fingerprint"} <= lost
    assert "payment instrument" not in lost


def test_without_the_accounts_table(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert detection.main([str(simulated), "--without", "accounts"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "not covered: payment instrument" in printed
    assert "licensed accounts named (apart)" in printed
    assert "counted neither right nor wrong" in printed


def test_a_refused_hunt_is_told_and_counts_as_nothing_found(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(simulated / "small", bad)
    rows = pq.read_table(bad / "exchanges.parquet")
    nameless = pa.nulls(rows.num_rows, pa.string())
    index = rows.schema.get_field_index("account")
    pq.write_table(rows.set_column(index, "account", nameless), bad / "exchanges.parquet")
    assert detection.main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "bad was refused:" in printed
    run = hunt_level(bad)
    assert run.exit_code == 2
    assert run.outcome.right == 0
    assert run.outcome.accounts > 0


def test_an_unknown_level_is_refused(simulated: Path) -> None:
    assert levels_of(simulated) == ["small"]
    with pytest.raises(SystemExit, match="called large"):
        detection.main([str(simulated), "--level", "large"])


def test_interval_of_a_rate_holds_the_rate() -> None:
    assert detection._interval(0, 30) == "0.0000 (0 of 30) [0.000 to 0.116]"
    assert detection._interval(30, 30) == "1.0000 (30 of 30) [0.884 to 1.000]"
    assert detection._interval(0, 0) == "-"
