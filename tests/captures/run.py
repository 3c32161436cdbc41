"""Runs real producers of logs again and shows what they write differently than the fixtures say.

    make captures                                    # all producers
    make captures PRODUCERS="otel_clients envoy"     # some
    make captures ACCEPT=1                           # and put what they wrote in place

A producer is a file in this folder that defines ``REQUIREMENTS`` (what pip installs; a list of
strings, read without running the file) and, run as ``python FILE OUT``, writes its logs into the
folder OUT. Each gets a virtual environment of its own below ``.captures/``, for gateways pin what
they need. Fixtures lie in ``tests/fixtures/PRODUCER/``, with the versions that wrote them.

Compared are not the bytes, in which times and random ids differ, but for JSON lines the paths of
keys, and for every file the canonical columns that the reader finds in it.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError
from stillhunt.readers import LogReader, Quarantine, ReadOptions

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIXTURES = ROOT / "tests" / "fixtures"
VERSIONS = "versions.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run producers; 0: nothing differs, 1: something does, or could not be run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    known = producers()
    parser.add_argument("names", nargs="*", metavar="PRODUCER", help=", ".join(known))
    parser.add_argument("--accept", action="store_true", help="make what was written the fixtures")
    given = parser.parse_args(arguments)
    for name in given.names:
        if name not in known:
            parser.error(f"no producer {name}; there are {', '.join(known)}")
    differ = False
    for name in given.names or known:
        print(f"{name}:", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            if not _run(known[name], out):
                differ = True
                continue
            told = differences(FIXTURES / name, out)
            print("\n".join(f"  {line}" for line in told) or "  as the fixtures say")
            differ |= bool(told)
            if given.accept:
                shutil.rmtree(FIXTURES / name, ignore_errors=True)
                shutil.copytree(out, FIXTURES / name)
                (FIXTURES / name).chmod(0o755)
    return int(differ and not given.accept)


def producers() -> dict[str, Path]:
    """Every producer by name: the files here that have requirements."""
    return {
        path.stem: path
        for path in sorted(HERE.glob("[!_]*.py"))
        if path.name != "run.py" and _requirements(path) is not None
    }


def _requirements(path: Path) -> list[str] | None:
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(t, ast.Name) and t.id == "REQUIREMENTS" for t in targets):
            assert isinstance(node, ast.Assign)
            return list(ast.literal_eval(node.value))
    return None


def _run(path: Path, out: Path) -> bool:
    requirements = _requirements(path) or []
    venv = ROOT / ".captures" / path.stem
    python = venv / "bin" / "python"
    installed = venv / "requirements.json"
    if not installed.is_file() or json.loads(installed.read_text()) != requirements:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, *requirements], check=False).returncode:
            print("  its requirements cannot be installed")
            return False
        installed.write_text(json.dumps(requirements))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([str(python), str(path), str(out)], check=False, env=environment)
    if done.returncode:
        print(f"  it ended with exit code {done.returncode}")
        return False
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        check=True, capture_output=True,
    )  # fmt: skip
    wanted = {_plain(requirement) for requirement in requirements}
    found = {row["name"]: row["version"] for row in json.loads(listed.stdout)}
    versions = {name: version for name, version in found.items() if _plain(name) in wanted}
    (out / VERSIONS).write_text(json.dumps(versions, indent=2, sort_keys=True) + "\n")
    return True


def _plain(requirement: str) -> str:
    for end in "[<>=~!; ":
        requirement = requirement.partition(end)[0]
    return requirement.lower().replace("_", "-")


def differences(old: Path, new: Path) -> list[str]:
    """What new captures have that the fixtures have not, and the other way round."""
    told = []
    names = {path.name for folder in (old, new) if folder.is_dir() for path in folder.iterdir()}
    for name in sorted(names):
        was, now = old / name, new / name
        if not now.is_file():
            told.append(f"{name}: no longer written")
        elif not was.is_file():
            told.append(f"{name}: new; {_summary(now)}")
        elif name == VERSIONS:
            before, after = json.loads(was.read_text()), json.loads(now.read_text())
            told += [
                f"{package} {before.get(package, 'none')} -> {after.get(package, 'none')}"
                for package in sorted(before | after)
                if before.get(package) != after.get(package)
            ]
        else:
            told += [f"{name}: {line}" for line in _changes(was, now)]
    return told


def _changes(was: Path, now: Path) -> Iterator[str]:
    before, after = paths_in(was), paths_in(now)
    for path in sorted(after - before):
        yield f"new: {path}"
    for path in sorted(before - after):
        yield f"gone: {path}"
    old, new = carried(was), carried(now)
    for column in sorted(old | new):
        if old[column] != new[column]:
            yield f"{column} is in {new[column]} rows, was in {old[column]}"


def carried(path: Path) -> Counter[str]:
    """In how many rows each canonical column is, ``rows`` themselves, and what was lost."""
    found: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        Quarantine(Path(folder, "quarantine.jsonl")) as quarantine,
    ):
        try:
            for batch in LogReader([path], ReadOptions(), quarantine):
                found["rows"] += len(batch.rows)
                for name, column in zip(
                    batch.exchanges.schema.names, batch.exchanges.columns, strict=True
                ):
                    if column.null_count < len(column):
                        found[name] += len(column) - column.null_count
        except InputError as error:
            found[f"unreadable ({error.problem.partition(path.name)[2].strip()})"] = 1
        for reason, rows in quarantine.reasons.items():
            found[f"lost ({reason})"] = rows
    return found


def _summary(path: Path) -> str:
    if path.name == VERSIONS:
        return path.read_text()
    return ", ".join(f"{name} {count}" for name, count in carried(path).items())


def paths_in(path: Path) -> set[str]:
    """Paths of keys in a file of JSON lines; list positions are ``[]``, OTLP's keys are keys."""
    found: set[str] = set()
    try:
        for line in path.read_text().splitlines():
            _walk(json.loads(line), "", found)
    except ValueError:
        return set()  # no JSON: only the reader can tell
    return found


def _walk(value: Any, where: str, found: set[str]) -> None:
    if isinstance(value, dict):
        if set(value) == {"key", "value"} and isinstance(value["key"], str):
            _walk(value["value"], f"{where}({value['key']})", found)
            return
        for key, inner in value.items():
            _walk(inner, f"{where}.{key}" if where else key, found)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, f"{where}[]", found)
    else:
        found.add(where)


if __name__ == "__main__":
    sys.exit(main())
