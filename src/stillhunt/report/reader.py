"""Takes typed values out of details.json and names the path of a wrong one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from stillhunt.errors import InputError

_T = TypeVar("_T")


def bad(where: str, what: str) -> InputError:
    """An error that names a path of the document."""
    return InputError(
        f"details.json is not what this version reads: {where[:120]!a} is {what}.",
        "Run the hunt again with the version of stillhunt that makes the report.",
    )


def as_object(value: object, where: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise bad(where, "not an object")
    return value


class Reader:
    """Takes typed values out of a JSON object and names the path of a wrong one."""

    def __init__(self, value: object, where: str) -> None:
        self._value = as_object(value, where)
        self._where = where

    def wrong(self, key: str, what: str) -> InputError:
        """An error that names a key of this object."""
        return bad(f"{self._where}.{key}", what)

    def text(self, key: str) -> str:
        """A text."""
        value = self._value.get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "not a text")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self._value.get(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self.wrong(key, "not a number")
        return float(value)

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number from 0 up."""
        value = self._value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(key, "not a whole number from 0 up")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._value.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "neither true nor false")
        return value

    def day(self, key: str) -> date:
        """A date."""
        try:
            return date.fromisoformat(self.text(key))
        except ValueError as error:
            raise self.wrong(key, "not a date") from error

    def moment(self, key: str) -> datetime:
        """A time, in UTC."""
        try:
            moment = datetime.fromisoformat(self.text(key))
        except ValueError as error:
            raise self.wrong(key, "not a time") from error
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def maybe_moment(self, key: str) -> datetime | None:
        """A time, or None."""
        return None if self._value.get(key) is None else self.moment(key)

    def maybe_text(self, key: str) -> str | None:
        """A text, or None."""
        return None if self._value.get(key) is None else self.text(key)

    def has(self, key: str) -> bool:
        """Whether there is anything under a key."""
        return self._value.get(key) is not None

    def array(self, key: str) -> list[Any]:
        """A list."""
        value = self._value.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "not a list")
        return value

    def each(self, key: str, make: Callable[[Reader], _T]) -> tuple[_T, ...]:
        """Every object of a list."""
        return tuple(
            make(Reader(value, f"{self._where}.{key}[{index}]"))
            for index, value in enumerate(self.array(key))
        )

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.array(key)
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "not a list of texts")
        return tuple(values)

    def object(self, key: str) -> Reader:
        """An object."""
        return Reader(self._value.get(key), f"{self._where}.{key}")
