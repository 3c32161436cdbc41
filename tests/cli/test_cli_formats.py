"""``stillhunt formats`` and ``stillhunt check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stillhunt.cli.app import app
from stillhunt.errors import InputError, UsageError
from stillhunt.readers import ReadOptions, log_formats
from stillhunt.readers.checked import checked
from stillhunt.records.exchange import EXCHANGE_SCHEMA

FIXTURES = Path(__file__).parents[1] / "fixtures"
TABLE = FIXTURES / "litellm_proxy" / "table.jsonl"


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return " ".join(done.output.split())


def log(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_formats_lists_every_format_and_what_is_lost() -> None:
    told = run("formats")
    for name in log_formats():
        assert name in told
    assert "No prompt text in azure-openai, envoy: no templates" in told


def test_one_format_in_full() -> None:
    told = run("formats", "azure-openai")
    one = log_formats()["azure-openai"]
    for column in EXCHANGE_SCHEMA.names:
        assert column in told
    for switch in one.switches:
        assert " ".join(switch.how.split()) in told
    assert "so no campaign is named" in told
    with pytest.raises(UsageError, match="no format 'gong'"):
        run("formats", "gong")


def test_check_shows_rows_coverage_and_what_to_switch_on(tmp_path: Path) -> None:
    told = run("check", TABLE, "--show", 1)
    assert "litellm, 11 exchanges looked at" in told
    assert "What is six times seven?" in told
    assert "store_prompts_in_spend_logs" not in told
    assert "JA4" in told
    rows = [json.loads(line) for line in TABLE.read_text().splitlines()]
    bare = [row | {"messages": {}, "response": {}, "proxy_server_request": {}} for row in rows]
    told = run("check", log(tmp_path, *bare))
    assert "store_prompts_in_spend_logs: true" in told
    assert "Without prompt text: no templates" in told


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    row = {
        "exchange_id": "x\x1b[31m", "time": "2026-01-05T09:30:00Z", "account": "[bold]\u202ea",
        "prompt": "\x1b]0;title\x07" + "y" * 5000,
    }  # fmt: skip
    told = run("check", log(tmp_path, row))
    assert not {"\x1b", "\x07", "\u202e"} & set(told)
    assert "[bold]" in told
    assert "y" * 200 not in told


def test_proxies_of_ones_own_are_pointed_out(tmp_path: Path) -> None:
    def rows(address: str) -> list[dict[str, Any]]:
        return [
            {
                "exchange_id": f"x{i}", "time": "2026-01-05T09:30:00Z", "account": f"a{i}",
                "client_address": address,
            }
            for i in range(20)
        ]  # fmt: skip

    assert "private or local" in run("check", log(tmp_path, *rows("10.1.2.3")))
    assert "20 accounts come from 1 addresses" in run("check", log(tmp_path, *rows("203.0.113.7")))
    listed = log(tmp_path, *rows("198.51.100.4, 203.0.113.7"))
    assert (
        checked(listed, ReadOptions(trusted_hops=2), 10, 1).rows[0]["client_address"]
        == "198.51.100.4"
    )


def test_a_sample_reads_no_more_than_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillhunt.readers.log_reader._sha256", lambda _path: pytest.fail("hashed"))
    path = log(
        tmp_path,
        *(
            {"exchange_id": f"x{i}", "time": "2026-01-05T09:30:00Z", "account": "a"}
            for i in range(5000)
        ),
    )
    found = checked(path, ReadOptions(), look=100, show=3)
    assert (found.seen, len(found.rows)) == (100, 3)
    assert found.shares["account"] == 1.0
    assert found.shares["prompt"] == 0.0


def test_a_log_without_accounts_says_so(tmp_path: Path) -> None:
    lines = (FIXTURES / "azure-apim-from-documentation.jsonl").read_text().splitlines()
    alone = [json.loads(line) for line in lines if "GatewayLlmLog" in line]
    with pytest.raises(InputError, match="no exchange"):
        run("check", log(tmp_path, *alone))
    found = checked(log(tmp_path, *alone), ReadOptions(), 100, 2)
    assert found.lost["no account"] == 3
    assert any("ApimSubscriptionId" in switch.how for switch in found.missing)


def test_a_folder_and_pseudonyms(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_text(TABLE.read_text())
    (logs / "notes.txt").write_text("no log\n")
    key = tmp_path / "key"
    key.write_bytes(bytes(range(3, 40)))
    told = run("check", logs, "--pseudonymise", key)
    assert "user-ada" not in told
    assert "a_" in told
    assert "notes.txt" in told.replace(" ", "")
