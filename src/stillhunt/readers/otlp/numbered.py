"""Messages spread over numbered attributes: ``gen_ai.prompt.0.content`` and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEEPEST = 16
LONGEST = 5
"""Steps of a path that are followed, and digits of a number in it."""


def gathered(attributes: Mapping[str, Any], name: str) -> list[Any]:
    """Return what lies below ``name.0``, ``name.1`` and so on, put together again.

    Args:
        attributes: flat, with dots in their keys.
        name: the path above the numbers.

    Returns:
        One object for each number, in order of the numbers; steps that are numbers become lists.
    """
    return gathered_all(attributes, (name,))[name]


def gathered_all(attributes: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the same for several names, in one pass."""
    trees: dict[str, dict[str, Any]] = {name: {} for name in names}
    prefixes = tuple(f"{name}." for name in names)
    for key, value in attributes.items():
        if not key.startswith(prefixes):
            continue
        name = next(
            name for name, prefix in zip(names, prefixes, strict=True) if key.startswith(prefix)
        )
        steps = key[len(name) + 1 :].split(".")
        if len(steps) <= DEEPEST and steps[0].isdecimal():
            _put(trees[name], steps, value)
    return {name: _listed(tree) if tree else [] for name, tree in trees.items()}


def _put(tree: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):  # a value and something below it: the value stays
            return
        tree = inner
    tree.setdefault(steps[-1], value)


def _listed(tree: dict[str, Any]) -> list[Any]:
    numbers = sorted((int(step), step) for step in tree if _is_number(step))
    return [_plain(tree[step]) for _, step in numbers]


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(_is_number(step) for step in value):
        return _listed(value)
    return {step: _plain(inner) for step, inner in value.items()}


def _is_number(step: str) -> bool:
    return step.isdecimal() and len(step) <= LONGEST
