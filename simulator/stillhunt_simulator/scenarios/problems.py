"""What can be wrong with a scenario, and where."""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*")(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")


class ScenarioError(ValueError):
    """A scenario that cannot be used: what is wrong, where, and what to do.

    Attributes:
        problem: what is wrong.
        remedy: what to do next.
        file: path or name of the scenario.
        key: dotted key, where there is one.
        line: its line, counted from 1, where known.
    """

    def __init__(
        self,
        problem: str,
        remedy: str,
        *,
        file: str,
        key: str | None = None,
        line: int | None = None,
    ) -> None:
        place = file + (f", line {line}" if line else "") + (f", {key}" if key else "")
        super().__init__(f"{place}: {problem}")
        self.problem, self.remedy = problem, remedy
        self.file, self.key, self.line = file, key, line


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line of a TOML text that sets a key, or that of the nearest table around it.

    Args:
        text: the file.
        path: the key's names, outermost first.
    """
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        key = _KEY.match(line)
        if header:
            table = _names(header[1])
            here = table
        elif key:
            here = (*table, *_names(key[1]))
        else:
            continue
        if here == path[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip('"') for part in dotted.split("."))
