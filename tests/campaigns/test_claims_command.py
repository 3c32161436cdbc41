"""From simulated traffic to a claim that holds, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("cryptography", reason="needs the extra evidence")

from stillhunt.campaigns.claims import claimable
from stillhunt.campaigns.outputs import read_table
from stillhunt.cli.app import app
from stillhunt.errors import InputError
from stillhunt.evidence.log.reader import Log

SEED = "3e" * 32


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="session")
def sealed(small_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with all exchanges of the simulation, and the auditor's trust file beside it."""
    folder = tmp_path_factory.mktemp("sealed")
    log = folder / "log"
    assert run("log", "init", log, "--origin", "example.com/log").exit_code == 0
    logs = small_traffic / "exchanges.parquet"
    accounts = small_traffic / "accounts.parquet"
    assert run("seal", logs, "--log", log, "--accounts", accounts).exit_code == 0
    trust = {"origin": "example.com/log", "log": [str(key) for key in Log(log).keys()]}  # noqa: SIM118
    (folder / "trust.json").write_text(json.dumps(trust))
    return log


@pytest.fixture(scope="session")
def campaign(baseline: Path) -> dict[str, Any]:
    rows: list[dict[str, Any]] = read_table(baseline, "campaigns").to_pylist()
    return max(rows, key=lambda row: row["exchanges"])


def max_campaign(baseline: Path) -> str:
    rows = read_table(baseline, "campaigns").to_pylist()
    return str(max(rows, key=lambda row: row["exchanges"])["campaign"])


def claimed(out: Path) -> dict[str, Any]:
    done = run("verify", out, "--trust", out.parent / "trust.json", "--seed", SEED, "--json")
    assert done.exit_code == 0, done.stdout
    return dict(json.loads(done.stdout)["figures"])


def test_a_campaign_is_claimed_audited_opened_and_verified(
    baseline: Path, sealed: Path, campaign: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "c.claim"
    (tmp_path / "trust.json").write_bytes((sealed.parent / "trust.json").read_bytes())
    name = campaign["campaign"]
    assert run("claim", name, "--findings", baseline, "--log", sealed, "--out", out).exit_code == 0
    report = run("verify", out, "--trust", tmp_path / "trust.json")
    assert report.exit_code == 0
    assert "nothing was opened" in " ".join(report.stdout.split())
    assert run("audit", out, "--log", sealed, "--seed", SEED).exit_code == 0
    who = read_table(baseline, "accounts").filter(
        [row == name for row in read_table(baseline, "accounts").column("campaign").to_pylist()]
    )
    account, exchanges = (
        who.column("account")[0].as_py(),
        who.column("campaign_exchanges")[0].as_py(),
    )
    assert run("open", out, "--account", account).exit_code == 0
    report = run("verify", out, "--trust", tmp_path / "trust.json", "--seed", SEED)
    assert report.exit_code == 0, report.stdout
    said = " ".join(report.stdout.split())
    assert f"The account {account} is counted with {exchanges:,} exchanges" in said
    figures = claimed(out)
    for count in ("accounts", "exchanges", "input_tokens", "output_tokens"):
        assert figures["claimed"][count] == campaign[count]
    assert figures["audit"]["positions"]["bad_at_most"] <= campaign["exchanges"] // 100
    assert not any(figures["not_covered"].values())


def chosen_of(baseline: Path, name: str, count: int) -> list[str]:
    table = read_table(baseline, "exchanges")
    rows = zip(table.column("campaign").to_pylist(), table.column("exchange_id").to_pylist())  # noqa: B905
    return sorted({ident for campaign, ident in rows if campaign == name})[:count]


def opened_lines(out: Path, *more: str) -> list[dict[str, Any]]:
    trust = out.parent / "trust.json"
    done = run("verify", out, "--trust", trust, "--show-openings", *more)
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_chosen_exchanges_are_opened_at_any_time(
    baseline: Path, sealed: Path, campaign: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "c.claim"
    (tmp_path / "trust.json").write_bytes((sealed.parent / "trust.json").read_bytes())
    name = campaign["campaign"]
    one, *some = chosen_of(baseline, name, 30)
    assert run("claim", name, "--findings", baseline, "--log", sealed, "--out", out).exit_code == 0
    assert run("open", out, "--log", sealed, "--exchange", one).exit_code == 0
    assert run("audit", out, "--log", sealed, "--seed", SEED).exit_code == 0
    (tmp_path / "some.txt").write_text("\n".join(some) + "\n")
    account = read_table(baseline, "accounts").to_pylist()
    holder = next(row["account"] for row in account if row["campaign"] == name)
    words = ["--exchanges", tmp_path / "some.txt", "--account", holder]
    done = run("open", out, "--log", sealed, *words)
    assert "30 exchanges are open whole" in done.stdout
    lines = opened_lines(out, "--seed", SEED)
    assert sorted(line["exchange_id"] for line in lines) == sorted([one, *some])
    figures = claimed(out)["opened"]
    assert figures["exchanges"] == 30
    assert figures["output_tokens"] == sum(line["output_tokens"] or 0 for line in lines)


def test_a_claim_may_be_made_with_chosen_exchanges_open(
    baseline: Path, sealed: Path, campaign: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "trust.json").write_bytes((sealed.parent / "trust.json").read_bytes())
    name = campaign["campaign"]
    chosen = chosen_of(baseline, name, 2)
    picks = [word for ident in chosen for word in ("--exchange", ident)]
    for depth, made in (("full", "pseudonymous"), ("counts", "counts")):
        out = tmp_path / f"{depth}.claim"
        words = ["--findings", baseline, "--log", sealed, "--out", out, "--depth", depth]
        done = run("claim", name, *words, *picks, "--audit", "own")
        assert f"Opened whole: 2 exchanges, in a claim of depth {made}." in done.stdout
        assert sorted(line["exchange_id"] for line in opened_lines(out)) == chosen
    size = Log(sealed).checkpoint().size
    with pytest.raises(InputError, match="does not count the exchange"):
        run("claim", name, *words, "--exchange", "nobody's")
    # What cannot be made leaves nothing in the log.
    assert Log(sealed).checkpoint().size == size


@pytest.mark.parametrize("depth", ["pseudonymous", "full"])
def test_other_depths_count_exactly(
    baseline: Path, sealed: Path, campaign: dict[str, Any], tmp_path: Path, depth: str
) -> None:
    out = tmp_path / "c.claim"
    (tmp_path / "trust.json").write_bytes((sealed.parent / "trust.json").read_bytes())
    words = ["--findings", baseline, "--log", sealed, "--out", out, "--depth", depth]
    assert run("claim", campaign["campaign"], *words).exit_code == 0
    done = run("verify", out, "--trust", tmp_path / "trust.json", "--json")
    figures = json.loads(done.stdout)["figures"]
    assert figures["proven"]["exchanges"] == campaign["exchanges"]
    assert figures["proven"]["output_tokens"] == campaign["output_tokens"]
    # Names are in no member at any depth; nor are hashes of addresses or accounts but at full depth.
    body = out.read_bytes()
    for row in read_table(baseline, "accounts").to_pylist()[:20]:
        assert row["account"].encode() not in body


def test_what_the_log_lacks_is_refused_or_said(
    baseline: Path, campaign: dict[str, Any], small_traffic: Path, tmp_path: Path
) -> None:
    """The log holds three quarters of the traffic."""
    table = pq.read_table(small_traffic / "exchanges.parquet")
    part = table.filter([i % 4 != 0 for i in range(table.num_rows)])
    pq.write_table(part, tmp_path / "part.parquet")
    log, out = tmp_path / "log", tmp_path / "c.claim"
    run("log", "init", log, "--origin", "example.com/log")
    run("seal", tmp_path / "part.parquet", "--log", log)
    name = campaign["campaign"]
    with pytest.raises(InputError, match="are not in the log") as refusal:
        claimable(baseline, name, log, depth="counts")
    assert "--max-missing" in refusal.value.remedy
    words = ["--findings", baseline, "--log", log, "--out", out, "--max-missing", "0.5"]
    told = run("claim", name, *words)
    assert told.exit_code == 0
    assert "Not claimed" in told.stdout
    figures = json.loads(run("verify", out, "--json").stdout)["figures"]
    lost = figures["not_covered"]["exchanges"]
    assert lost == figures["not_covered"]["not_sealed"] > 0
    assert figures["claimed"]["exchanges"] + lost == campaign["exchanges"]
    assert "not sealed" in run("verify", out).stdout


def test_wrong_words_are_answered(baseline: Path, sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="have no campaign"):
        claimable(baseline, "c-000000000000", sealed, depth="counts")
    from stillhunt.errors import UsageError

    with pytest.raises(UsageError, match="no audit"):
        run("claim", "c", "--log", sealed, "--out", tmp_path / "x.claim", "--audit", "mine")
    with pytest.raises(UsageError, match="no witness"):
        run("claim", "c", "--log", sealed, "--out", tmp_path / "x.claim", "--audit", "witness")
    from stillhunt.evidence.log.create import create_log

    out = tmp_path / "x.claim"
    words = ["claim", max_campaign(baseline), "--findings", baseline, "--log", sealed, "--out", out]
    assert run(*words).exit_code == 0
    with pytest.raises(UsageError, match="from the log"):
        run("open", out, "--exchange", "req-1")
    with pytest.raises(UsageError, match="nothing to open"):
        run("open", out, "--log", sealed)
    create_log(tmp_path / "other", "example.com/other")
    with pytest.raises(UsageError, match="another log"):
        run("open", out, "--log", tmp_path / "other", "--exchange", "req-1")
    with pytest.raises(UsageError, match="one seed"):
        run("audit", tmp_path / "x.claim", "--log", sealed)
