"""TOML tables to scenario objects: each value is held to the type and the limits of its field."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Path = tuple[str, ...]
Complain = Callable[[Path, str, str], Exception]
"""Makes an error of a key, of what is wrong there and of what to do."""

INNER = frozenset({"name", "campaign", "personas"})
"""Fields that a file does not set by their names."""


def build(cls: type[Any], table: Any, path: Path, complain: Complain, **known: Any) -> Any:
    """Make an object of a dataclass from a table.

    Args:
        cls: the dataclass.
        table: what the file holds.
        path: where it stands.
        complain: makes the error to raise.
        known: fields that do not come from the table.

    Raises:
        Exception: what ``complain`` makes of a wrong key or value.
    """
    if not isinstance(table, dict):
        raise complain(path, f"this is {_called(table)}, not a table", "Make it a [table] of keys.")
    settable = {f.name: f for f in fields(cls) if f.name not in INNER and f.name not in known}
    for key in table:
        if key not in settable:
            raise complain(
                (*path, key), "there is no such key", f"Use one of: {', '.join(sorted(settable))}."
            )
    hints = get_type_hints(cls)
    values = dict(known)
    for name, f in settable.items():
        if name in table:
            values[name] = _value(hints[name], f, table[name], (*path, name), complain)
        elif f.default is MISSING and f.default_factory is MISSING:
            raise complain((*path, name), "this key is missing", "Add it.")
    return cls(**values)


def _value(hint: Any, f: Field[Any], value: Any, path: Path, complain: Complain) -> Any:
    hint, _optional = without_none(hint)
    origin, choices = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, path, complain)
    if origin is Literal:
        if value not in choices:
            raise complain(path, f"{value!r} is no choice", f"Use one of: {', '.join(choices)}.")
        return value
    if origin is tuple:
        return _list(choices, f, value, path, complain)
    if hint is datetime:
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        raise complain(path, f"this is {_called(value)}, not a date", "Write 2026-03-02.")
    return _scalar(hint, f, value, path, complain)


def _list(choices: Any, f: Field[Any], value: Any, path: Path, complain: Complain) -> Any:
    """A list of strings, or a range of two whole numbers."""
    wanted = "a list of strings" if choices[0] is str else "a range [lowest, highest]"
    if not isinstance(value, list) or (choices[0] is int and len(value) != 2):
        raise complain(path, f"this is {_called(value)}, not {wanted}", f"Make it {wanted}.")
    out = tuple(_scalar(choices[0], f, entry, path, complain) for entry in value)
    if choices[0] is int and out[0] > out[1]:
        raise complain(path, f"{out[0]} is above {out[1]}", "Put the lowest number first.")
    return out


def _scalar(hint: Any, f: Field[Any], value: Any, path: Path, complain: Complain) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        bool: isinstance(value, bool),
        int: whole,
        float: whole or isinstance(value, float),
        str: isinstance(value, str) and value != "",
    }
    if not fits[hint]:
        wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise complain(
            path, f"this is {_called(value)}, not {wanted[hint]}", f"Make it {wanted[hint]}."
        )
    limits = f.metadata.get("limits")
    if limits and not limits[0] <= value <= limits[1]:
        raise complain(
            path, f"{value} is out of range", f"Use a value from {limits[0]:g} to {limits[1]:g}."
        )
    return float(value) if hint is float else value


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type without its ``| None``, and whether it had one."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not types.NoneType]
        return inner[0], True
    return hint, False


def _called(value: Any) -> str:
    """What a TOML value is, in words."""
    names = {
        dict: "a table",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
    }
    return names.get(type(value), f"a {type(value).__name__}")
