"""Rooms import only from lower layers or from within, never from a sibling."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = {
    "errors": 0,
    "records": 1,
    "readers": 2,
    "fingerprints": 2,
    "engines": 2,
    "evidence": 2,
    "store": 3,
    "linking": 3,
    "scoring": 4,
    "sealing": 4,
    "campaigns": 5,
    "report": 7,
    "sharing": 7,
    "cli": 9,
}
EXEMPT = ("__init__", "__main__")
# Modules imported by a name that is made up at run time: formats of the readers' own room, and
# packages of the report's extra.
COMPUTED = ("readers/registry.py", "report/extras.py")
SIMULATOR = "stillhunt_simulator"


def imported(path: Path, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import anywhere in a file, TYPE_CHECKING included.

    ``from a import b`` counts as ``a.b``, since b may be a module.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names = [*base, *([node.module] if node.module else [])]
            for alias in node.names:
                yield node.lineno, ".".join([*names, alias.name])
        elif isinstance(node, ast.Call) and _is_dynamic(node.func):
            first = node.args[0] if node.args else None
            known = isinstance(first, ast.Constant) and isinstance(first.value, str)
            yield node.lineno, str(first.value) if known else "<computed>"  # type: ignore[union-attr]


def _is_dynamic(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__", "load_extra")


def violations(root: Path) -> list[str]:
    """Every import in ``root`` that the layers forbid, and every room that is in no layer."""
    found = []
    house = root / "src" / "stillhunt"
    for path in sorted(house.rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        room = parts[0]
        if len(parts) == 1 and room in EXEMPT:
            continue
        if room not in LAYERS:
            found.append(f"{path.relative_to(root)}: the room {room} is in no layer")
            continue
        package = ("stillhunt", *parts[:-1])
        for line, name in imported(path, package):
            if name == "<computed>" and path.relative_to(house).as_posix() in COMPUTED:
                continue
            complaint = _complaint(room, name.split("."))
            if complaint:
                found.append(f"{path.relative_to(root)}:{line}: {complaint}")
    for path in sorted((root / "simulator" / SIMULATOR).rglob("*.py")):
        package = path.relative_to(root / "simulator").with_suffix("").parts[:-1]
        for line, name in imported(path, package):
            parts_ = name.split(".")
            if parts_[0] == "stillhunt" and parts_[1:2] != ["records"]:
                found.append(f"{path.relative_to(root)}:{line}: the simulator imports {name}")
    return found


def _complaint(room: str, name: list[str]) -> str | None:
    if name[0] == SIMULATOR:
        return None if room == "cli" else f"{room} imports the simulator"
    if name == ["<computed>"]:
        return f"{room} imports what cannot be read here"
    if name[0] != "stillhunt" or name[1:2] == [room]:
        return None
    other = name[1] if len(name) > 1 else ""
    if other not in LAYERS:
        return f"{room} imports {'.'.join(name)}, which is in no layer"
    if LAYERS[other] < LAYERS[room]:
        return None
    return f"{room} (layer {LAYERS[room]}) imports {'.'.join(name)} (layer {LAYERS[other]})"


def test_rooms_import_only_from_lower_layers() -> None:
    assert violations(ROOT) == []


def test_every_layer_is_a_room() -> None:
    house = ROOT / "src" / "stillhunt"
    for room in LAYERS:
        assert (house / room).is_dir() or (house / f"{room}.py").is_file(), room


PLANTED = {
    "from a higher layer": ("linking/a.py", "from stillhunt.scoring.b import x"),
    "from a sibling": ("readers/a.py", "import stillhunt.engines.base"),
    "a module named in from": ("fingerprints/a.py", "from stillhunt import linking"),
    "relative": ("records/a.py", "from ..linking import links"),
    "relative, deeper": ("readers/formats/a.py", "from ...campaigns.hunt import hunt"),
    "for typing only": (
        "engines/a.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stillhunt.linking import links",
    ),
    "inside a function": ("errors.py", "def f():\n    from stillhunt.records import account"),
    "dynamic": ("scoring/a.py", "import importlib\nimportlib.import_module('stillhunt.campaigns')"),
    "dynamic, computed": ("scoring/a.py", "import importlib\nimportlib.import_module(input())"),
    "the whole package": ("scoring/a.py", "import stillhunt"),
    "the public names": ("linking/a.py", "from stillhunt import hunt"),
    "simulator in a detector": ("campaigns/a.py", "from stillhunt_simulator import simulate"),
    "a room in no layer": ("helpers/a.py", "import os"),
    "a module in no layer": ("helpers.py", "import os"),
    "detector in the simulator": (
        "../../simulator/stillhunt_simulator/a.py",
        "from stillhunt.linking.links import Links",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_seen(tmp_path: Path, name: str) -> None:
    file, source = PLANTED[name]
    path = tmp_path / "src" / "stillhunt" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "src" / "stillhunt" / "x").mkdir(parents=True)
    path.resolve().parent.mkdir(parents=True, exist_ok=True)
    path.resolve().write_text(source)
    assert len(violations(tmp_path)) == 1


ALLOWED = {
    "a lower layer": ("scoring/a.py", "from stillhunt.linking.links import Links"),
    "its own room": ("linking/a.py", "from .links import Links\nfrom stillhunt.linking import b"),
    "another package": ("linking/a.py", "import numpy as np\nfrom scipy.stats import poisson"),
    "the simulator in the command line": ("cli/a.py", "from stillhunt_simulator import simulate"),
    "public names": ("__init__.py", "from stillhunt.campaigns.hunt import hunt"),
    "records in the simulator": (
        "../../simulator/stillhunt_simulator/a.py",
        "from stillhunt.records.exchange import EXCHANGE_SCHEMA\nfrom stillhunt_simulator import b",
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_not_complained_about(tmp_path: Path, name: str) -> None:
    file, source = ALLOWED[name]
    (tmp_path / "src" / "stillhunt").mkdir(parents=True)
    path = (tmp_path / "src" / "stillhunt" / file).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert violations(tmp_path) == []
