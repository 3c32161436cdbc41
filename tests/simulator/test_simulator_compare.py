"""Found against planted, and the command that prints it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from stillhunt.cli.simulate import simulate as command
from stillhunt.errors import InputError, OutputError
from stillhunt.records.findings import ACCOUNTS, CAMPAIGNS, EXCHANGES
from stillhunt_simulator import compare
from stillhunt_simulator.write import TRUTH_ACCOUNTS, TRUTH_EXCHANGES

app = typer.Typer()
app.command()(command)
runner = CliRunner()

EPOCH = 0
HOSTILE = "[red]\x1b[2J"


def planted(folder: Path) -> Path:
    """Truth with campaigns one (a1-a4, four exchanges each) and two (b1-b2), and four strangers."""
    behind = {f"a{i}": "one" for i in range(1, 5)} | {f"b{i}": "two" for i in range(1, 3)}
    behind |= {"h1": None, "h2": None, "v1": None, "v2": None}
    persona = {"a": "campaign", "b": "campaign", "h": "hobbyist", "v": "vpn"}
    rows = [
        {"account": a, "persona": persona[a[0]], "operator": c, "campaign": c}
        for a, c in behind.items()
    ]
    (folder / "truth").mkdir(parents=True)
    pq.write_table(
        pa.Table.from_pylist(rows, TRUTH_ACCOUNTS), folder / "truth" / "accounts.parquet"
    )
    exchanges = [
        {"exchange_id": f"{a}-{i}", "campaign": c, "operator": c, "persona": persona[a[0]]}
        for a, c in behind.items()
        for i in range(4)
    ]
    pq.write_table(
        pa.Table.from_pylist(exchanges, TRUTH_EXCHANGES), folder / "truth" / "exchanges.parquet"
    )
    return folder


def found(folder: Path, named: dict[str, list[str]], each: int = 4) -> Path:
    """Findings that name accounts, with some exchanges each."""
    folder.mkdir()
    campaigns = [
        {
            "campaign": c,
            "probability": 1.0,
            "link_p": 0.0,
            "q_value": 0.0,
            "accounts": len(accounts),
            "entities": len(accounts),
            "exchanges": 1,
            "exchanges_low": 1,
            "exchanges_high": 1,
            "first_seen": EPOCH,
            "last_seen": EPOCH,
            "kinds": [],
            "summary": "",
        }
        for c, accounts in named.items()
    ]
    rows = [
        {
            "account": a,
            "entity": a,
            "campaign": c,
            "membership_probability": 1.0,
            "exchanges": each,
            "campaign_exchanges": each,
            "reasons": [],
        }
        for c, accounts in named.items()
        for a in accounts
    ]
    exchanges = [
        {"exchange_id": f"{a}-{i}", "account": a, "campaign": c}
        for c, accounts in named.items()
        for a in accounts
        for i in range(each)
    ]
    pq.write_table(pa.Table.from_pylist(campaigns, CAMPAIGNS), folder / "campaigns.parquet")
    pq.write_table(pa.Table.from_pylist(rows, ACCOUNTS), folder / "accounts.parquet")
    pq.write_table(pa.Table.from_pylist(exchanges, EXCHANGES), folder / "exchanges.parquet")
    return folder


def test_perfect_findings(tmp_path: Path) -> None:
    result = compare(
        found(tmp_path / "f", {"x": ["a1", "a2", "a3", "a4"], "y": ["b1", "b2"]}),
        planted(tmp_path / "t"),
    )
    one, two = result.planted
    assert (one.name, one.matched, one.recall, one.exchanges_found, one.exchanges) == (
        "one",
        "x",
        1.0,
        16,
        16,
    )
    assert (two.name, two.matched, two.recall) == ("two", "y", 1.0)
    assert result.recall == result.precision == 1.0
    assert (result.lawful, result.unplanted, result.merged) == ({}, 0, 0)


def test_split_partial_and_lawful(tmp_path: Path) -> None:
    result = compare(
        found(
            tmp_path / "f",
            {"x": ["a1", "a2", "h1"], "y": ["a3", "v1", "v2"], "z": ["h2"]},
            each=3,
        ),
        planted(tmp_path / "t"),
    )
    one, two = result.planted
    assert (one.matched, one.also, one.accounts_found, one.exchanges_found) == ("x", 1, 2, 9)
    assert (two.matched, two.recall, two.exchanges_found) == (None, 0.0, 0)
    assert result.lawful == {"hobbyist": 2, "vpn": 2}
    assert (result.campaigns, result.unplanted) == (3, 1)
    assert result.recall == pytest.approx(3 / 6)
    assert result.precision == pytest.approx(3 / 7)


def test_merged(tmp_path: Path) -> None:
    result = compare(found(tmp_path / "f", {"x": ["a1", "b1"]}), planted(tmp_path / "t"))
    assert result.merged == 1


def test_nothing_found(tmp_path: Path) -> None:
    result = compare(found(tmp_path / "f", {}), planted(tmp_path / "t"))
    assert result.recall == 0.0
    assert result.precision is None
    assert [p.matched for p in result.planted] == [None, None]


def test_findings_of_other_traffic_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 of the 2 accounts"):
        compare(found(tmp_path / "f", {"x": ["a1", "zz"]}), planted(tmp_path / "t"))


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    findings, traffic = found(tmp_path / "f", {"x": ["a1"]}), planted(tmp_path / "t")
    (findings / "campaigns.parquet").write_bytes(b"not a table")
    with pytest.raises(ValueError, match="not a Parquet file"):
        compare(findings, traffic)
    pq.write_table(pa.table({"other": [1]}), findings / "campaigns.parquet")
    with pytest.raises(ValueError, match="lacks the column campaign"):
        compare(findings, traffic)


def test_command_prints_the_table_and_ends_with_one_sentence(tmp_path: Path) -> None:
    findings = found(tmp_path / "f", {HOSTILE: ["a1", "a2", "a3", "h1"], "y": ["b1"]})
    traffic = planted(tmp_path / "t")
    arguments = ["--out", str(traffic), "--compare", str(findings)]
    without = runner.invoke(app, arguments, env={"COLUMNS": "200"})
    assert without.exit_code == 0, without.output
    assert f"there is no report at {findings / 'report.html'}." in without.output
    (findings / "report.html").write_text("")
    result = runner.invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.output.strip().splitlines()[-1] == (
        "Found 2 of 2 planted campaigns, 4 of 6 of their accounts, and named 1 lawful account; "
        f"the report is {findings / 'report.html'}."
    )
    assert "3 of 4" in result.output
    assert "75.0%" in result.output
    assert "lawful accounts named: hobbyist" in result.output
    assert "[red]\\u001b[2J" in result.output
    assert "\x1b[2J" not in result.output


def test_command_writes_traffic(tmp_path: Path) -> None:
    out = tmp_path / "new" / "traffic"
    result = runner.invoke(
        app, ["--out", str(out), "--seed", "5", "--exchanges", "2000"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 0, result.output
    assert "2,000 exchanges over 14 days, 2 campaigns planted among them" in result.output
    assert pq.read_metadata(out / "exchanges.parquet").num_rows == 2_000


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    few = runner.invoke(app, ["--out", str(tmp_path / "o"), "--exchanges", "5"])
    assert few.exit_code == 2
    assert not (tmp_path / "o").exists()
    blocked = runner.invoke(app, ["--out", str(tmp_path / "file"), "--exchanges", "2000"])
    assert isinstance(blocked.exception, OutputError)
    missing = runner.invoke(app, ["--out", str(tmp_path), "--compare", str(tmp_path / "none")])
    assert isinstance(missing.exception, InputError)
    assert "accounts.parquet" in missing.exception.problem
