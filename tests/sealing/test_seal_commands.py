"""``stillhunt seal``, ``log`` and ``witness`` from the command line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_sealing_store import write_log
from typer.testing import CliRunner, Result

from stillhunt.cli.app import app
from stillhunt.errors import InputError, StillhuntError, UsageError
from stillhunt.evidence.log.reader import Log


def run(*words: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def log(tmp_path: Path) -> Path:
    run("log", "init", tmp_path / "log", "--origin", "logs.example.com/a")
    return tmp_path / "log"


def test_from_logs_and_from_a_store(log: Path, tmp_path: Path) -> None:
    told = run("seal", write_log(tmp_path / "a.jsonl", range(30)), "--log", log)
    assert "Sealed 30 exchanges in 1 batches" in told.output
    store = tmp_path / "store"
    path = write_log(tmp_path / "b.jsonl", range(20, 50))
    run("ingest", path, "--store", store)
    assert "Sealed 20 exchanges" in run("seal", "--store", store, "--log", log).output
    status = run("log", "status", log).output
    assert "50 exchanges and 0 rows" in status
    assert "52 leaves" in status
    assert "2026-01-05 to 2026-01-07" in status
    more = write_log(tmp_path / "c.jsonl", range(50, 60))
    assert "Sealed 10 exchanges" in run("ingest", more, "--store", store, "--seal", log).output
    assert len(Log(log).batches()) == 3


def test_wrong_usage(log: Path, tmp_path: Path) -> None:
    for words in (
        ["seal", "--log", log],
        ["seal", tmp_path, "--store", tmp_path, "--log", log],
        ["seal", "--store", tmp_path, "--accounts", tmp_path, "--log", log],
        ["seal", tmp_path, "--log", log, "--witness", "nonsense"],
        ["seal", tmp_path, "--log", log, "--quorum", "1"],
        ["witness", "init", tmp_path / "w", "--name", "has spaces"],
        ["log", "init", tmp_path / "l", "--origin", "a+b"],
    ):
        with pytest.raises(UsageError):
            run(*words)
    for words in (["log", "status", tmp_path], ["witness", "serve", tmp_path]):
        with pytest.raises(InputError):
            run(*words)


def test_by_hand_without_a_network(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    vkey = run("witness", "init", folder, "--name", "w.example.org").output.strip()
    key = run("log", "keys", log).output.strip()
    assert run("witness", "trust", folder, key).output.strip() == key
    assert "by hand" in run("log", "witness", log, "--add", vkey, "--quorum", "1").output
    told = run("seal", write_log(tmp_path / "a.jsonl", range(3)), "--log", log).output
    assert "not public yet" in told
    request, answer = tmp_path / "request", tmp_path / "answer"
    run("log", "request", log, "--out", request)
    run("witness", "cosign", folder, request, "--out", answer)
    assert "Cosigned by 1 of 1" in run("log", "cosigned", log, answer).output
    assert Log(log).published().checkpoint.size == 4
    run("seal", write_log(tmp_path / "b.jsonl", range(3, 6)), "--log", log)
    run("log", "request", log, "--out", request)
    with pytest.raises(InputError, match="4 leaves"):
        run("witness", "cosign", folder, request)
    run("log", "request", log, "--old", "4", "--out", request)
    answer.write_text(run("witness", "cosign", folder, request).output)
    run("log", "cosigned", log, answer)
    assert Log(log).published().witnesses() == {"w.example.org"}
    assert "Quorum: 0" in run("log", "witness", log, "--remove", "w.example.org").output


def test_rotation_and_retention(log: Path, tmp_path: Path) -> None:
    run("seal", write_log(tmp_path / "a.jsonl", range(3)), "--log", log)
    new = run("log", "rotate", log).stdout.strip()
    keys = run("log", "keys", log).output.split()
    assert (len(keys), keys[-1]) == (2, new)
    assert "1 batches" in run("log", "prune", log, "--keep-days", "1").output
    assert "0 can be opened" in run("log", "status", log).output


def test_a_split_view_from_the_command_line(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    run("witness", "init", folder, "--name", "w.example.org")
    key = run("log", "keys", log).output.strip()
    run("witness", "trust", folder, key)
    subprocess.run(["cp", "-a", str(log), str(tmp_path / "fork")], check=True)
    request = tmp_path / "request"
    run("seal", write_log(tmp_path / "a.jsonl", range(3)), "--log", log)
    run("seal", write_log(tmp_path / "b.jsonl", range(3, 6)), "--log", tmp_path / "fork")
    run("log", "request", log, "--out", request)
    run("witness", "cosign", folder, request)
    run("log", "request", tmp_path / "fork", "--old", "4", "--out", request)
    with pytest.raises(InputError):
        run("witness", "cosign", folder, request)
    (proof,) = (folder / "split-views").iterdir()
    shown = run("witness", "split-view", proof, "--vkey", key).output
    assert "two different heads of the same 4 leaves" in shown
    document = json.loads(proof.read_text())
    document["notes"][0] = document["notes"][1]
    proof.write_text(
        json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    )
    with pytest.raises(StillhuntError):
        run("witness", "split-view", proof, "--vkey", key)


def test_what_two_parties_were_shown(log: Path, tmp_path: Path) -> None:
    key = run("log", "keys", log).output.strip()
    run("seal", write_log(tmp_path / "a.jsonl", range(300)), "--log", log)
    fork, old = tmp_path / "fork", tmp_path / "old"
    for copy in (fork, old):
        subprocess.run(["cp", "-a", str(log), str(copy)], check=True)
    run("seal", write_log(tmp_path / "b.jsonl", range(300, 700)), "--log", log)
    run("seal", write_log(tmp_path / "c.jsonl", range(300, 500)), "--log", fork)
    words = ["--vkey", key, "--out", tmp_path / "split-view.json"]
    told = run("witness", "compare", old / "public", log / "public", *words).output
    assert "One history: the head of 702 leaves goes on from that of 301" in told
    told = run("witness", "compare", fork / "public", log / "public", *words, code=10).output
    assert "the leaf 301 is not the same" in told
    proof = tmp_path / "split-view.json"
    assert "leaf 301" in run("witness", "split-view", proof, "--vkey", key).output
    (fork / "public" / "tile" / "0" / "001.p" / "246").write_bytes(bytes(32 * 246))
    with pytest.raises(InputError, match="tiles"):
        run("witness", "compare", fork / "public", log / "public", *words)


def test_a_log_computed_anew(log: Path, tmp_path: Path) -> None:
    for i in range(3):
        run("seal", write_log(tmp_path / "a.jsonl", range(300 * i, 300 * i + 300)), "--log", log)
    assert "903 leaves, 4 heads, 3 batches; 900 leaves opened" in run("log", "check", log).output
    for name in (
        "public/tile/entries/001", "public/tile/0/002", "public/tile/1/000.p/3",
        "private/payload/00000002", "private/salts/00000001.key", "private/batches/00000002.json",
    ):  # fmt: skip
        path = log / name
        good = path.read_bytes()
        at = len(good) // 2
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(StillhuntError):
            run("log", "check", log)
        path.write_bytes(good)
    run("log", "prune", log, "--keep-days", "1")
    assert "; 0 leaves opened" in run("log", "check", log).output


def test_serving_and_asking(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    vkey = run("witness", "init", folder, "--name", "w.example.org").output.strip()
    run("witness", "trust", folder, run("log", "keys", log).output.strip())
    words = ["witness", "serve", str(folder), "--listen", "127.0.0.1:0"]
    served = subprocess.Popen(
        [sys.executable, "-u", "-m", "stillhunt", *words], stdout=subprocess.PIPE, text=True
    )
    assert served.stdout is not None
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", served.stdout.readline())
        assert address is not None
        told = run(
            "seal", write_log(tmp_path / "a.jsonl", range(3)), "--log", log,
            "--witness", f"{vkey}@{address[0]}", "--quorum", "1",
        ).output  # fmt: skip
        assert "Cosigned by 1 of 1 witnesses" in told
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(20)
    assert Log(log).published().witnesses() == {"w.example.org"}
    # Away: what is sealed holds, and is public when it is back.
    more = write_log(tmp_path / "b.jsonl", range(3, 5))
    told = run("seal", more, "--log", log).output
    assert "Not cosigned: w.example.org cannot be reached" in told
    assert "not public yet" in told
    assert "not public yet" in run("log", "cosign", log).output


def test_watching_seals_what_comes(log: Path, tmp_path: Path) -> None:
    logs = tmp_path / "in"
    logs.mkdir()
    write_log(logs / "a.jsonl", range(30))
    words = ["watch", "--store", tmp_path / "store", "--folder", logs, "--out", tmp_path / "out"]
    more = ["--cycles", "1", "--settle", "0", "--seal", log]
    assert "Sealed 30 exchanges" in run(*words, *more).output
    assert Log(log).checkpoint().size == 31
    write_log(logs / "b.jsonl", range(30, 40))
    assert "Sealed 10 exchanges" in run(*words, *more).output
    assert Log(log).checkpoint().size == 42


def test_help_has_examples() -> None:
    for words in (["seal"], ["log", "init"], ["log", "witness"], ["witness", "serve"]):
        assert "Examples" in run(*words, "--help").output
