"""Scenarios: the built-in ones, by name, and those in files."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from stillhunt_simulator.scenario import Scenario
from stillhunt_simulator.scenarios.check import checked
from stillhunt_simulator.scenarios.problems import ScenarioError, line_of

__all__ = ["ScenarioError", "load", "names", "titles"]

_BUILT_IN = files(__name__)
_ORDER = ("small", "clean")


def names() -> tuple[str, ...]:
    """Names of the built-in scenarios: small and clean first, then the evasion ladder."""
    found = sorted(f.name[:-5] for f in _BUILT_IN.iterdir() if f.name.endswith(".toml"))
    return (*_ORDER, *(name for name in found if name not in _ORDER))


def titles() -> dict[str, str]:
    """What each built-in scenario is, by name."""
    return {name: str(_parsed(*_read(name, None))["title"]) for name in names()}


def load(name_or_path: str | Path) -> Scenario:
    """Read a scenario.

    Args:
        name_or_path: name of a built-in one, or path of a TOML file.

    Raises:
        ScenarioError: there is no such scenario, or it cannot be used; the message names file,
            line and key, ``remedy`` what to do.
    """
    file, text = _read(str(name_or_path), None)
    table, texts = _extended(file, text, ())
    name = Path(file).stem if file.endswith(".toml") else file

    def complain(path: tuple[str, ...], problem: str, remedy: str) -> ScenarioError:
        # A key that came by extension is wrong where it was written.
        for source, content in texts:
            line = line_of(content, path)
            if line and _sets(content, path):
                return ScenarioError(problem, remedy, file=source, key=".".join(path), line=line)
        line = line_of(text, path)
        return ScenarioError(problem, remedy, file=file, key=".".join(path), line=line)

    return checked(table, name, complain)


def _read(name: str, beside: Path | None) -> tuple[str, str]:
    """File and text of a scenario; relative paths count from ``beside``."""
    if name in names():
        return name, (_BUILT_IN / f"{name}.toml").read_text("utf-8")
    path = (beside / name) if beside else Path(name)
    try:
        return str(path), path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(
            "there is no such scenario" if isinstance(error, FileNotFoundError) else str(error),
            f"Use a built-in one ({', '.join(names())}) or the path of a TOML file.",
            file=str(path),
        ) from error


def _parsed(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioError(
            f"this is no TOML: {error}", "Mend the syntax; see https://toml.io.", file=file
        ) from error


def _extended(
    file: str, text: str, below: tuple[str, ...]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A file's tables over those of the one it extends, and the texts that they came from."""
    table = _parsed(file, text)
    base = table.pop("extends", None)
    without = table.pop("without", [])
    if base is None:
        return table, [(file, text)]
    where: dict[str, Any] = {"file": file, "key": "extends", "line": line_of(text, ("extends",))}
    if not isinstance(base, str):
        raise ScenarioError("this is not a name", "Name one scenario.", **where)
    parent, parent_text = _read(base, Path(file).parent if file.endswith(".toml") else None)
    if parent in (*below, file):
        raise ScenarioError(
            "scenarios extend each other in a circle", "Leave one of them out.", **where
        )
    inherited, texts = _extended(parent, parent_text, (*below, file))
    inherited.pop("title", None)
    _drop(inherited, without, file, text)
    return _merged(inherited, table), [(file, text), *texts]


def _drop(inherited: dict[str, Any], without: Any, file: str, text: str) -> None:
    """Leave out personas and campaigns of the extended scenario."""
    where: dict[str, Any] = {"file": file, "key": "without", "line": line_of(text, ("without",))}
    known = [name for part in ("personas", "campaigns") for name in inherited.get(part, {})]
    for name in without if isinstance(without, list) else [without]:
        if name not in known:
            raise ScenarioError(
                f"{name!r} is not inherited", f"Use some of: {', '.join(known)}.", **where
            )
        for part in ("personas", "campaigns"):
            inherited.get(part, {}).pop(name, None)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; anything else is replaced."""
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _merged(out[key], value) if both else value
    return out


def _sets(text: str, path: tuple[str, ...]) -> bool:
    """Whether a text itself holds a key or table at a path."""
    table: Any = tomllib.loads(text)
    for name in path:
        if not isinstance(table, dict) or name not in table:
            return False
        table = table[name]
    return True
