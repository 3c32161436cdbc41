"""The published JSON Schema of scenario files, made of the types that the loader uses.

python -m stillhunt_simulator.scenarios.schema > docs/schemas/scenario.schema.json
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.scenarios.tables import INNER, without_none
from stillhunt_simulator.texts.kinds import KINDS

IDENTIFIER = "https://stillhunt.readthedocs.io/schemas/scenario.schema.json"

_SCALARS: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string", "minLength": 1},
}


def schema() -> dict[str, Any]:
    """The schema, draft 2020-12, of a scenario as JSON has it (dates as strings)."""
    people = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Persona"}}
    top = _object(Scenario, {})
    names = {"type": "array", "items": _SCALARS[str]}
    top["properties"] |= {
        "extends": {
            **_SCALARS[str],
            "description": "a scenario, by name or path, whose tables these are laid over; a file "
            "that extends another needs no title.",
        },
        "without": {**names, "description": "personas and campaigns that are not inherited."},
        "personas": {**people, "description": "lawful customers, by name."},
        "campaigns": {**people, "description": "planted campaigns, by name."},
    }
    top["anyOf"] = [{"required": ["title"]}, {"required": ["extends"]}]
    del top["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        "title": "Scenario of stillhunt simulate",
        **top,
        "$defs": {"Persona": _object(Persona, {"kinds": sorted(KINDS)})},
    }


def _object(cls: type[Any], choices: Mapping[str, list[str]]) -> dict[str, Any]:
    """A dataclass as a schema; ``choices`` holds lists of strings that may only be some."""
    hints, told = get_type_hints(cls), _told(cls)
    properties, required = {}, []
    for f in fields(cls):
        if f.name in INNER:
            continue
        described = {"description": told[f.name]} if f.name in told else {}
        properties[f.name] = {**_type(hints[f.name], f, choices), **described}
        if f.default is MISSING and f.default_factory is MISSING:
            required.append(f.name)
        elif not is_dataclass(f.default) and f.default is not None:
            properties[f.name]["default"] = _plain(f.default)
    out = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**out, "required": required} if required else out


def _type(hint: Any, f: Field[Any], choices: Mapping[str, list[str]]) -> dict[str, Any]:
    hint, _optional = without_none(hint)
    arguments = get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint, choices)
    if get_origin(hint) is Literal:
        return {"enum": list(arguments)}
    if get_origin(hint) is tuple:
        entry = _limits(_SCALARS[arguments[0]], f)
        if arguments[0] is int:
            return {"type": "array", "items": entry, "minItems": 2, "maxItems": 2}
        return {
            "type": "array",
            "items": {"enum": choices[f.name]} if f.name in choices else entry,
        }
    if hint is datetime:
        return {"type": "string", "format": "date-time"}
    return _limits(_SCALARS[hint], f)


def _limits(scalar: dict[str, Any], f: Field[Any]) -> dict[str, Any]:
    limits = f.metadata.get("limits")
    return {**scalar, "minimum": limits[0], "maximum": limits[1]} if limits else scalar


def _told(cls: type[Any]) -> dict[str, str]:
    """What a docstring's Attributes say, by name."""
    _, _, listed = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", listed, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
