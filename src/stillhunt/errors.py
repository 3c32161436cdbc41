"""Errors that say what to do next.

Layer 0: imports nothing of this package.
"""

from __future__ import annotations


class StillhuntError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        problem: what is wrong, one sentence, safe to print on a terminal.
        remedy: what the reader of the message should do next.
    """

    exit_code = 2

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


class UsageError(StillhuntError):
    """The command or function was called in a way that cannot mean anything."""


class InputError(StillhuntError):
    """An input could not be read, or too much of it was bad."""


class OutputError(StillhuntError):
    """Results could not be written."""


class MissingExtraError(StillhuntError):
    """A feature needs a package of an extra that is not installed."""
