"""Anyone's own records, as described by a TOML file; ``docs/formats.md`` tells how to write one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from stillhunt.errors import InputError, UsageError
from stillhunt.readers import messages
from stillhunt.readers.bodies import request_fields, response_fields
from stillhunt.readers.nested import decoded
from stillhunt.readers.options import ReadOptions
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import Fields, LogFormat, Mapper, Opened, filled, register
from stillhunt.readers.streams import whole_body
from stillhunt.records.exchange import EXCHANGE_SCHEMA, REQUIRED

_NAMES = frozenset(EXCHANGE_SCHEMA.names)
_FIELD_KEYS = frozenset({"path", "constant", "values", "unit", "format", "zone"})
_CHAT_KEYS = frozenset({"input", "tools", "instructions", "output", "request", "response"})
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0.001}
_LARGEST = 1 << 20
_GUIDE = 'See "A format of your own" in docs/formats.md.'

Path_ = tuple[str, ...]


@register
class OwnFormat(LogFormat):
    """Records described by a mapping file."""

    name = "mapping"
    summary = "your own JSON lines, CSV or Parquet, described by --mapping FILE"
    columns = filled(carried=" ".join(EXCHANGE_SCHEMA.names))

    def __init__(self, options: ReadOptions) -> None:
        super().__init__(options)
        if options.mapping is None:
            raise UsageError(
                "--source mapping needs a mapping file.", f"Add --mapping FILE. {_GUIDE}"
            )
        self._fields, self._chat = load_mapping(options.mapping)

    def sniff(self, sample: Sample) -> float:
        """By the share of records in which the required fields are found."""
        required = [self._fields[name] for name in REQUIRED]
        if sample.container == "parquet":
            return (
                1.0
                if all(f.constant is not None or f.known(sample.columns) for f in required)
                else 0.0
            )
        if not sample.records:
            return 0.0
        found = sum(all(f.raw(r) is not None for f in required) for r in sample.records)
        return found / len(sample.records)

    def check(self, sample: Sample) -> None:
        """Raise InputError where a required field's column is not in a table."""
        if sample.container == "json lines" or not sample.columns:
            return
        for name in REQUIRED:
            wanted = self._fields[name]
            if wanted.constant is None and not wanted.known(sample.columns):
                path = " or ".join(".".join(p) for p in wanted.paths)
                raise InputError(
                    f"{sample.path} has no column for fields.{name} = {path!r} of"
                    f" {self.options.mapping}.",
                    f"Correct the path; the file has {', '.join(sample.columns[:20])}.",
                )

    def mapper(self, file: Opened) -> Mapper:
        """Return the mapper that the file describes."""
        wanted = file.settler.wanted
        fields = {name: field for name, field in self._fields.items() if wanted(name)}
        return _OwnMapper(fields, self._chat)


@dataclass(frozen=True)
class Field:
    """Where a canonical column comes from.

    Attributes:
        paths: alternatives; the first that is there counts.
        constant: a value for every row, instead.
        values: replacements by the value as text.
        convert: turns a time into microseconds, or None.
    """

    paths: tuple[Path_, ...]
    constant: Any = None
    values: Mapping[str, Any] | None = None
    convert: Callable[[Any], Any] | None = None

    def known(self, columns: tuple[str, ...]) -> bool:
        """Whether a table with these columns can have the field."""
        return any(path[0] in columns or ".".join(path) in columns for path in self.paths)

    def raw(self, record: Mapping[str, Any]) -> Any:
        """Return the value as the record has it, or None."""
        if self.constant is not None:
            return self.constant
        for path in self.paths:
            found = follow(record, path)
            if found is not None and found != "":
                return found
        return None

    def value(self, record: Mapping[str, Any]) -> Any:
        """Return the value after replacement and conversion, or None."""
        found = self.raw(record)
        if found is None:
            return None
        if self.values is not None:
            return self.values.get(_word(found), found)
        return self.convert(found) if self.convert is not None else found


class _OwnMapper(Mapper):
    def __init__(self, fields: dict[str, Field], chat: dict[str, Field]) -> None:
        self._fields = fields
        self._chat = chat

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Map one record."""
        out: Fields = {}
        if self._chat:
            part = {name: decoded(field.value(record)) for name, field in self._chat.items()}
            out |= request_fields(part.get("request"))
            out |= response_fields(part.get("response"))
            if part.keys() & {"input", "tools", "instructions"}:
                out["system"], out["prompt"] = messages.conversation(
                    part.get("input"), part.get("tools"), part.get("instructions")
                )
            if "output" in part:
                output = whole_body(part["output"])
                out["response"] = messages.reply(output)
                out["finish_reason"] = messages.finish_reason(output)
        for name, field in self._fields.items():
            out[name] = field.value(record)
        return ((row, out),)


def follow(record: Any, path: Path_) -> Any:
    """Step into nested objects, lists and JSON in strings; None where a step leads nowhere."""
    whole = ".".join(path)
    if isinstance(record, Mapping) and whole in record:
        return record[whole]
    value = record
    for step in path:
        value = decoded(value)
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.lstrip("-").isdecimal() and len(step) < 6:
            index = int(step)
            value = value[index] if -len(value) <= index < len(value) else None
        else:
            return None
    return value


def load_mapping(path: Path, *, partial: bool = False) -> tuple[dict[str, Field], dict[str, Field]]:
    """Read a mapping file.

    Args:
        path: the file.
        partial: what the Exchange requires need not be in it.

    Returns:
        The fields by canonical column, and those of the table ``chat``.

    Raises:
        InputError: unreadable, no TOML, or a key in it makes no sense; the error names the key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST)
        document = tomllib.loads(content.decode())
    except OSError as error:
        raise InputError(f"The mapping {path} cannot be read: {error.strerror}.", _GUIDE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The mapping {path} is no valid TOML: {error}.", _GUIDE) from error

    for table in document:
        if table not in ("fields", "chat"):
            raise _wrong(path, table, "is unknown; the tables are fields and chat")
    tables = {}
    for table, allowed in (("fields", _NAMES), ("chat", _CHAT_KEYS)):
        entries = document.get(table, {})
        if not isinstance(entries, dict):
            raise _wrong(path, table, "must be a table")
        for key in entries:
            if key not in allowed:
                raise _wrong(
                    path, f"{table}.{key}", f"is unknown; use {', '.join(sorted(allowed))}"
                )
        tables[table] = {k: _field(path, f"{table}.{k}", v) for k, v in entries.items()}
    for name in REQUIRED:
        if name not in tables["fields"] and not partial:
            raise _wrong(path, f"fields.{name}", "is missing, and required")
    return tables["fields"], tables["chat"]


def _field(file: Path, key: str, spec: Any) -> Field:
    if isinstance(spec, str | list):
        return Field(_paths(file, key, spec))
    if not isinstance(spec, dict):
        raise _wrong(file, key, "must be a path, a list of paths, or a table")
    for name in spec:
        if name not in _FIELD_KEYS:
            raise _wrong(file, f"{key}.{name}", f"is unknown; use {', '.join(sorted(_FIELD_KEYS))}")
    if ("path" in spec) == ("constant" in spec):
        raise _wrong(file, key, "needs either path or constant")
    if "constant" in spec:
        return Field((), constant=spec["constant"])
    values = spec.get("values")
    if values is not None and not isinstance(values, dict):
        raise _wrong(file, f"{key}.values", "must be a table of replacements")
    return Field(_paths(file, key, spec["path"]), values=values, convert=_time(file, key, spec))


def _paths(file: Path, key: str, spec: Any) -> tuple[Path_, ...]:
    found = spec if isinstance(spec, list) else [spec]
    if not found or not all(isinstance(path, str) and path for path in found):
        raise _wrong(file, key, "must be a path such as request.user.id, or a list of such")
    try:
        return tuple(_steps(path) for path in found)
    except ValueError as error:
        raise _wrong(file, key, str(error)) from None


def _steps(path: str) -> Path_:
    """Split a path at its dots; a step in double quotes may hold dots itself."""
    steps: list[str] = []
    rest = path
    while True:
        if rest.startswith('"'):
            step, closed, rest = rest[1:].partition('"')
            if not closed or (rest and not rest.startswith(".")):
                raise ValueError(f"has an unclosed quote in {path!r}")
            more, rest = bool(rest), rest[1:]
        else:
            step, dot, rest = rest.partition(".")
            more = bool(dot)
        if not step:
            raise ValueError(f"has an empty step in {path!r}")
        steps.append(step)
        if not more:
            return tuple(steps)


def _time(file: Path, key: str, spec: dict[str, Any]) -> Callable[[Any], Any] | None:
    """Return the conversion that unit, format and zone ask for; only times may have them."""
    given = [name for name in ("unit", "format", "zone") if name in spec]
    if not given:
        return None
    if key != "fields.time":
        raise _wrong(file, f"{key}.{given[0]}", "belongs to fields.time only")
    if "unit" in spec:
        if spec["unit"] not in _UNITS or len(given) > 1:
            raise _wrong(
                file, f"{key}.unit", f"must be one of {', '.join(_UNITS)}, without format or zone"
            )
        return _scaled(_UNITS[spec["unit"]])
    try:
        zone = ZoneInfo(spec.get("zone", "UTC"))
    except (KeyError, ValueError, TypeError, OSError):
        raise _wrong(file, f"{key}.zone", "is no time zone such as Europe/Paris") from None
    pattern = spec.get("format")
    if pattern is not None and not isinstance(pattern, str):
        raise _wrong(file, f"{key}.format", "must be a pattern such as %d/%m/%Y %H:%M:%S")

    def convert(value: Any) -> Any:
        try:
            text = str(value)[:64]
            moment = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)
        except ValueError:
            return {"unreadable": True}  # no time: the row goes to the quarantine
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    return convert


def _scaled(factor: float) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        try:
            number = float(value) if isinstance(value, str) else value
            whole = round(number * factor)
            # A datetime, so that the magnitude is not taken for another unit.
            return datetime.fromtimestamp(whole / 1_000_000, tz=ZoneInfo("UTC"))
        except (TypeError, ValueError, OverflowError, OSError):
            return {"unreadable": True}

    return convert


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _wrong(file: Path, key: str, what: str) -> InputError:
    return InputError(f"In the mapping {file}, {key} {what}.", _GUIDE)
