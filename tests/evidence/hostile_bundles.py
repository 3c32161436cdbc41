"""The list of hostile bundles: each broken in one way, and what it has to be refused for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from forge import Done, Forge

from stillhunt.evidence import container
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.verify import Trust

Broken = Done | bytes
"""A bundle by its members, or the file's bytes."""


@dataclass(frozen=True)
class Case:
    """One hostile bundle.

    Attributes:
        name: in words; check, code: where and why it has to be refused.
        build: makes it, and whom the verifier trusts.
    """

    name: str
    check: int
    code: Code
    build: Callable[[Forge], Broken | tuple[Broken, Trust]]

    def write(self, forge: Forge, path: Path) -> Trust:
        """Write the bundle; returns whom the verifier trusts."""
        # Keys that stand twice leave no room for a separator: what it becomes does not matter.
        with np.errstate(divide="ignore"):
            made = self.build(forge)
        broken, trust = made if isinstance(made, tuple) else (made, forge.trust())
        if isinstance(broken, bytes):
            path.write_bytes(broken)
        else:
            container.write(path, broken.members)
        return trust


CASES: list[Case] = []


def refused(
    check: int, code: Code
) -> Callable[[Callable[[Forge], object]], Callable[[Forge], object]]:
    """Add a builder to the list, by its name."""

    def add(build: Callable[[Forge], object]) -> Callable[[Forge], object]:
        name = build.__name__.replace("_", " ")
        CASES.append(Case(name, check, code, build))  # type: ignore[arg-type]
        return build

    return add


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case, in the order of the checks that refuse them."""
    import hostile_audits  # noqa: F401
    import hostile_containers  # noqa: F401
    import hostile_extras  # noqa: F401
    import hostile_leaves  # noqa: F401
    import hostile_logs  # noqa: F401
    import hostile_opened  # noqa: F401
    import hostile_stamps  # noqa: F401
    import hostile_statements  # noqa: F401

    return tuple(sorted(CASES, key=lambda case: case.check))
