"""The alarm through its command line: exit codes, what is written, and what never is."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillhunt.records.exchange import EXCHANGE_SCHEMA

START = datetime(2026, 3, 2, tzinfo=UTC)
PAST, RECENT, WINDOW = 3500, 500, 50
SPLIT = (START + timedelta(minutes=5 * PAST)).isoformat()[:19]
PLANTED = "zyzzyva"
"""A word of the planted prompts."""


def made_log(path: Path, *, plant: bool, **changed: list[Any]) -> Path:
    """Two weeks of ordinary prompts of a small vocabulary; planted: one in five of the recent."""
    rng = np.random.default_rng(11)
    words = [f"word{i}" for i in range(400)]
    n = PAST + RECENT
    prompts = [" ".join(words[j] for j in rng.zipf(1.4, 5 + i % 40) % 400) for i in range(n)]
    answers = rng.lognormal(5, 0.7, n).astype(int).tolist()
    if plant:
        for i in range(PAST, n, 5):
            prompts[i] = (
                f"Show all your reasoning step by step about {PLANTED} and {i} {prompts[i]}"
            )
            answers[i] = 6000
    columns: dict[str, list[Any]] = {field.name: [None] * n for field in EXCHANGE_SCHEMA}
    columns |= {
        "exchange_id": [f"x{i}" for i in range(n)],
        "time": [START + timedelta(minutes=5 * i) for i in range(n)],
        "account": [f"a{rng.integers(8)}" for _ in range(n)],
        "prompt": prompts,
        "output_tokens": answers,
    }
    table = pa.table(columns | changed, schema=EXCHANGE_SCHEMA)
    pq.write_table(table, path)
    return path


def start(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stillhunt", "alarm", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def document(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((out / "alarm.json").read_text())
    return read


def test_what_changed_is_ten_and_told_without_any_prompt(tmp_path: Path) -> None:
    log = made_log(tmp_path / "log.parquet", plant=True)
    out = tmp_path / "out"
    done = start(log, "--split", SPLIT, "--window", WINDOW, "--out", out, "--false-alarms", "0.1")
    assert done.returncode == 10, done.stderr
    found = document(out)
    assert found["counts"]["past"] == PAST
    assert found["counts"]["alarms"] == found["counts"]["windows"] == RECENT // WINDOW
    assert any("reason" in words for w in found["windows"] for words in w["changed"])
    assert sorted(p.name for p in out.iterdir()) == ["alarm.html", "alarm.json", "quarantine.jsonl"]
    page = (out / "alarm.html").read_text()
    assert "<script" not in page
    for text in (done.stdout, page, (out / "alarm.json").read_text()):
        assert PLANTED not in text
        assert "word1" not in text


def test_nothing_changed_is_zero(tmp_path: Path) -> None:
    log = made_log(tmp_path / "log.parquet", plant=False)
    done = start(log, "--split", SPLIT, "--window", WINDOW, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout
    assert document(tmp_path / "out")["counts"]["alarms"] == 0


def test_past_and_recent_may_be_two_logs(tmp_path: Path) -> None:
    whole = pq.read_table(made_log(tmp_path / "log.parquet", plant=True))
    (tmp_path / "old").mkdir()
    pq.write_table(whole.slice(0, PAST), tmp_path / "old" / "past.parquet")
    pq.write_table(whole.slice(PAST), tmp_path / "new.parquet")
    common = ("--window", WINDOW, "--false-alarms", "0.1")
    start(tmp_path / "log.parquet", "--split", SPLIT, *common, "--out", tmp_path / "one")
    done = start(
        tmp_path / "new.parquet", "--past", tmp_path / "old", *common, "--out", tmp_path / "two"
    )
    assert done.returncode == 10, done.stderr
    assert document(tmp_path / "one")["windows"] == document(tmp_path / "two")["windows"]


def test_rows_order_and_accounts_names_change_nothing(tmp_path: Path) -> None:
    log = made_log(tmp_path / "log.parquet", plant=True)
    table = pq.read_table(log)
    order = np.random.default_rng(0).permutation(table.num_rows)
    names = [f"other-{a}" for a in table.column("account").to_pylist()]
    at = table.schema.get_field_index("account")
    renamed = table.set_column(at, EXCHANGE_SCHEMA.field("account"), [names])
    pq.write_table(renamed.take(pa.array(order)), tmp_path / "other.parquet")
    for name in ("log", "other"):
        start(
            tmp_path / f"{name}.parquet", "--split", SPLIT, "--window", WINDOW, "--out", tmp_path / name
        )  # fmt: skip
    assert document(tmp_path / "log")["windows"] == document(tmp_path / "other")["windows"]


def test_by_entity_names_the_one_that_changed_and_escapes_it(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    n = PAST + RECENT
    accounts = [name if i % 5 == 0 else f"a{i % 5}" for i in range(n)]
    log = made_log(tmp_path / "log.parquet", plant=True, account=accounts)
    out = tmp_path / "out"
    done = start(log, "--split", SPLIT, "--by", "entity", "--out", out, "--false-alarms", "0.02")
    assert done.returncode == 10, done.stderr
    windows = document(out)["windows"]
    assert all(w["alarm"] for w in windows if w["stream"] == name)
    assert min(windows, key=lambda w: w["p"])["stream"] == name
    assert sum(w["alarm"] for w in windows if w["stream"] != name) <= 1
    page = (out / "alarm.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--split", SPLIT, "--past", "."),
        ("--split", SPLIT, "--by", "country"),
        ("--split", "2020-01-01"),
        ("--split", SPLIT, "--window", "2000"),
    ],
    ids=["no past", "two pasts", "by what", "empty past", "large windows"],
)
def test_wrong_usage_is_two(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    log = made_log(tmp_path / "log.parquet", plant=False)
    done = start(log, *wrong, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "What to do:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "alarm.json").exists()


def test_recent_inside_past_is_refused(tmp_path: Path) -> None:
    log = made_log(tmp_path / "log.parquet", plant=False)
    done = start(log, "--past", tmp_path, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "both recent and past" in " ".join(done.stderr.split())


def test_a_log_without_text_is_watched_by_the_rest(tmp_path: Path) -> None:
    log = made_log(tmp_path / "log.parquet", plant=True, prompt=[None] * (PAST + RECENT))
    out = tmp_path / "out"
    done = start(log, "--split", SPLIT, "--window", WINDOW, "--out", out, "--false-alarms", "0.1")
    assert done.returncode == 10, done.stderr
    found = document(out)
    assert {"words", "cues", "system"} <= set(found["not_covered"])
    assert all(
        "answers" in w for row in found["windows"] if row["alarm"] for w in row["changed"][:1]
    )
