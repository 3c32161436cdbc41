"""The auditor's installation: one file, numpy, cryptography, and no network."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_claims import WITNESS, claim, world

from stillhunt.evidence.log.reader import Log

ROOT = Path(__file__).parents[2]
HEAVY = {
    "duckdb", "numba", "pyarrow", "orjson", "zstandard", "scipy", "typer", "rich", "socket", "ssl",
    "http", "urllib.request", "stillhunt.campaigns", "stillhunt.engines",
}  # fmt: skip
RUN = (
    "import runpy, sys; sys.path[:0] = [{packages!r}]; sys.argv = [{pyz!r}, *{arguments!r}]; "
    "runpy.run_path({pyz!r}, run_name='__main__')"
)


def test_verifying_imports_neither_engine_nor_network() -> None:
    code = (
        "import json, sys; before = set(sys.modules); import stillhunt.evidence.verify.main; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(json.loads(done.stdout))
    assert "stillhunt.evidence.verify.run" in loaded
    assert not loaded & HEAVY


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of numpy and cryptography alone."""
    folder = tmp_path_factory.mktemp("packages")
    for name in ("numpy", "cryptography"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin).parent
        (folder / name).symlink_to(home)
        for beside in home.parent.glob(f"{name}.libs"):
            (folder / beside.name).symlink_to(beside)
    backend = importlib.util.find_spec("_cffi_backend")
    if backend is not None and backend.origin is not None:
        (folder / Path(backend.origin).name).symlink_to(backend.origin)
    return folder


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist") / "stillhunt-verify.pyz"
    subprocess.run([sys.executable, ROOT / "packaging" / "verifier.py", out], check=True)
    again = out.with_name("again.pyz")
    subprocess.run([sys.executable, ROOT / "packaging" / "verifier.py", again], check=True)
    assert out.read_bytes() == again.read_bytes()
    return out


def alone(
    pyz: Path, packages: Path, arguments: list[str], *before: str
) -> subprocess.CompletedProcess[str]:
    """Run the verifier without site packages, the working tree or the environment."""
    code = RUN.format(packages=str(packages), pyz=str(pyz), arguments=arguments)
    return subprocess.run(
        [*before, sys.executable, "-I", "-S", "-c", code],
        capture_output=True, check=False, text=True, cwd=packages,
    )  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("claims")
    made = world(folder)
    log = Log(made.root)
    trust = {"origin": log.origin, "log": [str(key) for key in log.keys()],  # noqa: SIM118
             "witnesses": [str(WITNESS.key)], "quorum": 0}  # fmt: skip
    (folder / "trust.json").write_text(json.dumps(trust, indent=1))
    return claim(made, folder / "a.claim", "pseudonymous").bundle, folder / "trust.json"


def test_one_file_verifies_alone(pyz: Path, packages: Path, bundle: tuple[Path, Path]) -> None:
    path, trust = bundle
    done = alone(pyz, packages, [str(path), "--trust", str(trust)])
    assert done.returncode == 0, done.stderr
    assert "The bundle holds." in done.stdout
    done = alone(pyz, packages, [str(path), "--trust", str(trust), "--json"])
    assert json.loads(done.stdout)["ok"] is True


def test_it_needs_no_network(pyz: Path, packages: Path, bundle: tuple[Path, Path]) -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system does not let a process give up its network")
    path, trust = bundle
    done = alone(pyz, packages, [str(path), "--trust", str(trust)], "unshare", "-rn")
    assert done.returncode == 0, done.stderr


def test_it_refuses_with_exit_code_1_and_wrong_usage_with_2(
    pyz: Path, packages: Path, bundle: tuple[Path, Path], tmp_path: Path
) -> None:
    path, _ = bundle
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    (tmp_path / "bad.claim").write_bytes(body)
    done = alone(pyz, packages, [str(tmp_path / "bad.claim")])
    assert done.returncode == 1
    assert "REFUSED: container-damaged" in done.stdout
    assert alone(pyz, packages, [str(tmp_path / "none.claim")]).returncode == 2
    (tmp_path / "trust.json").write_text('{"log": ["nonsense"]}')
    done = alone(pyz, packages, [str(path), "--trust", str(tmp_path / "trust.json")])
    assert done.returncode == 2
    assert "What to do:" in done.stderr
