"""What each format carries: told by what the fixtures give, not by what somebody wrote down."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from reader_logs import FIXTURES, read

from stillhunt.readers import log_formats
from stillhunt.records.exchange import EXCHANGE_SCHEMA

ROOT = Path(__file__).parents[2]
# Any column is a mapping's to give, and the canonical format's to have.
UNIVERSAL = ("canonical", "mapping")
JOINED = ("azure-apim", "openinference", "otel")
SHORT = {"carried": "carried", "derived": "derived", "absent": ""}


def _logs() -> Iterator[Path]:
    """Every log among the fixtures; versions and tables of columns are none."""
    for path in sorted(FIXTURES.rglob("*")):
        if path.is_file() and path.suffix not in (".json", ".toml", ".md", ".txt", ".pem"):
            yield path


def _leaves(value: Any) -> Iterator[Any]:
    """Every value in a record, JSON in strings and in event streams looked into."""
    if isinstance(value, dict):
        for key, inner in value.items():
            # Names of headers and attributes may be what stands for a value in OTLP.
            yield from _leaves(inner)
            yield key
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
        if isinstance(value, str):
            for part in (value, *(line[5:] for line in value.splitlines() if line[:5] == "data:")):
                if part.strip()[:1] in ("{", "["):
                    try:
                        yield from _leaves(json.loads(part))
                    except ValueError:
                        continue


def _marked(record: Any) -> Iterator[Any]:
    """Leaves, with truth values told apart from numbers."""
    for leaf in _leaves(record):
        yield ("bool", leaf) if isinstance(leaf, bool) else leaf


def _moment(value: Any) -> datetime | None:
    """A time as logs write it, to the microsecond."""
    if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        number = float(value)
        whole = int(value) if "." not in str(value) else None
    except (TypeError, ValueError):
        return None
    for scale in (1, 1_000, 1_000_000, 1_000_000_000):
        if 1.4e9 <= number / scale < 3e9:
            micro = round(number / scale * 1e6) if whole is None else whole * 1_000_000 // scale
            return datetime.fromtimestamp(micro // 1_000_000, UTC).replace(
                microsecond=micro % 1_000_000
            )
    return None


def _same(name: str, value: Any, leaves: set[Any], moments: set[datetime]) -> bool:
    if name == "time":
        return value in moments
    if isinstance(value, bool):
        return ("bool", value) in leaves
    return value in leaves or str(value) in leaves


@cache
def observed() -> dict[str, dict[str, str]]:
    """By format and column: carried, derived or absent, as the fixtures have it."""
    import tempfile

    found: dict[str, dict[str, set[bool]]] = defaultdict(lambda: defaultdict(set))
    for path in _logs():
        mapping = path.parent / "mine.toml"
        options = {"mapping": mapping} if mapping.is_file() else {}
        with tempfile.TemporaryDirectory() as folder:
            got = read(Path(folder), path, **options)
        source = got.reader.files[0].source
        try:
            lines = [set(_marked(json.loads(line))) for line in path.read_text().splitlines()]
        except ValueError:
            continue  # protobuf: told by the same producer's JSON
        whole = set().union(*lines)
        for place, row in zip(got.places, got.rows, strict=True):
            # Formats that put a call together from several lines find it in any of them.
            leaves = whole if source in JOINED else lines[place - 1]
            moments = {moment for leaf in leaves if (moment := _moment(leaf)) is not None}
            for name, value in row.items():
                if value is not None:
                    found[source][name].add(_same(name, value, leaves, moments))
    return {
        source: {
            name: "absent" if not ways[name] else "carried" if ways[name] == {True} else "derived"
            for name in EXCHANGE_SCHEMA.names
        }
        for source, ways in found.items()
    }


def table() -> str:
    """Format by canonical column, as Markdown."""
    known = [name for name in log_formats() if name not in UNIVERSAL]
    lines = [f"| | {' | '.join(known)} |", "|---" * (len(known) + 1) + "|"]
    for column in EXCHANGE_SCHEMA.names:
        cells = [SHORT[log_formats()[name].columns.get(column, "absent")] for name in known]
        lines.append(f"| `{column}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", sorted(log_formats()))
def test_a_format_carries_what_it_says(name: str) -> None:
    seen = observed()
    assert name in seen, "no fixture of this format"
    declared = {
        column: log_formats()[name].columns.get(column, "absent")
        for column in EXCHANGE_SCHEMA.names
    }
    if name not in UNIVERSAL:
        assert seen[name] == declared
    assert set(declared) == set(EXCHANGE_SCHEMA.names)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + table())
    assert set(observed()) == set(log_formats())


def test_the_documentation_has_this_table() -> None:
    assert table() in (ROOT / "docs" / "formats.md").read_text()


def test_what_can_be_switched_on_is_a_column() -> None:
    for one in log_formats().values():
        for switch in one.switches:
            assert set(switch.columns) <= set(EXCHANGE_SCHEMA.names), one.name
            assert switch.how.endswith("."), one.name
