"""Who only verifies loads no engine, no compiler, no Arrow and no network."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

NEVER = {
    "duckdb", "numba", "llvmlite", "scipy", "graspologic_native", "sqlglot", "rich", "typer",
    "socket", "ssl", "http", "http.client", "http.server", "urllib.request", "socketserver", "asyncio",
}  # fmt: skip
VERIFYING = (
    "merkle", "batch_proof", "canonical", "checkpoint", "entries", "failures", "keys", "note",
    "split_view", "tiles", "witness",
)  # fmt: skip
WRITING = ("log.writer", "log.reader", "log.create", "log.retention", "witness_state")


def loaded_by(modules: list[str]) -> set[str]:
    code = "import json, sys\nbefore = set(sys.modules)\n"
    code += "".join(f"import {module}\n" for module in modules)
    code += "print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("modules", "more"),
    [
        (["stillhunt.evidence"], {"numpy", "cryptography", "pyarrow", "orjson", "zstandard"}),
        ([f"stillhunt.evidence.{name}" for name in VERIFYING], {"pyarrow", "orjson", "zstandard"}),
        ([f"stillhunt.evidence.{name}" for name in WRITING], {"pyarrow", "orjson"}),
    ],
)
def test_what_is_not_loaded(modules: list[str], more: set[str]) -> None:
    loaded = loaded_by(modules)
    assert set(modules) <= loaded
    assert not loaded & (NEVER | more)


def test_public_names_are_there_all_the_same() -> None:
    loaded = loaded_by(["stillhunt"])
    assert not loaded & NEVER
    code = "import stillhunt; print(sorted(map(str, [getattr(stillhunt, n) for n in stillhunt.__all__])))"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
    code = "import stillhunt; stillhunt.no_such_name"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, timeout=60
    )
    assert b"AttributeError" in done.stderr


def test_without_cryptography_it_is_said_what_to_install() -> None:
    code = """
import sys
sys.modules["cryptography"] = None
import stillhunt.cli.app
from stillhunt.errors import MissingExtraError
from stillhunt.evidence.keys import new_signer
try:
    new_signer("example.com/log")
except MissingExtraError as error:
    print(error.remedy)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert "stillhunt[evidence]" in done.stdout
