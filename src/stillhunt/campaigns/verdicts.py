"""Reviewers' verdicts: read from a file in which every mistake is told with its line."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError
from stillhunt.records.pseudonyms import Pseudonymiser

SUBJECTS = ("campaign", "account", "organization")
VERDICTS = ("confirmed", "lawful", "unsure")

_MOST_BYTES = 16 << 20
_LONGEST = {"reviewer": 200, "reason": 2000}
_LONGEST_NAME = 1024
_COLUMNS = frozenset({*SUBJECTS, "verdict", "reviewer", "time", "reason", "expires"})
_ENTRY = re.compile(r"^\s*\[\[\s*verdict\s*\]\]")
_PSEUDONYM = re.compile(r"[ao]_[0-9a-f]{20}\Z")
_WANTED = (
    "Each verdict has a campaign, account or organization; a verdict (confirmed, lawful or unsure); a "
    "reviewer; a time; a reason; and, if it is to end, expires."
)


@dataclass(frozen=True)
class ReviewerVerdict:
    """What a reviewer concluded.

    Attributes:
        subject: one of SUBJECTS; name: its id or name.
        verdict: one of VERDICTS.
        reviewer, reason: as written; show them only made visible.
        time: when it was given; expires: from when on it no longer holds; UTC.
    """

    subject: str
    name: str
    verdict: str
    reviewer: str
    time: datetime
    reason: str
    expires: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it has not expired at ``now``."""
        return self.expires is None or now < self.expires

    def row(self) -> dict[str, Any]:
        """As the table ``verdicts`` has it."""
        return asdict(self)


def read_verdicts(
    path: Path, pseudonymiser: Pseudonymiser | None = None
) -> tuple[ReviewerVerdict, ...]:
    """Read verdicts from TOML (``[[verdict]]``), JSON Lines or CSV, told apart by the file's name.

    Of several verdicts on one subject the latest stays. With a pseudonymiser, accounts and
    organizations may be given in clear or as their pseudonyms.

    Raises:
        InputError: names the line and what to do.
    """
    text = _text(path)
    kind = path.suffix.lower()
    readers = {".toml": _toml, ".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _csv}
    if kind not in readers:
        raise InputError(
            f"{path} is neither .toml, .jsonl nor .csv.",
            "Write the verdicts in one of these and name the file so.",
        )
    latest: dict[tuple[str, str], tuple[ReviewerVerdict, int]] = {}
    for line, entry in readers[kind](path, text):
        verdict = _verdict(path, line, entry, pseudonymiser)
        about = verdict.subject, verdict.name
        known = latest.get(about)
        if known is not None and known[0].time == verdict.time and known[0] != verdict:
            raise _wrong(
                path,
                line,
                f"the verdict differs from the one of line {known[1]}, on the same "
                f"{verdict.subject} at the same time",
                "Leave one of the two, or give the later one its later time.",
            )
        if known is None or known[0].time < verdict.time:
            latest[about] = verdict, line
    return tuple(v for _, (v, _) in sorted(latest.items()))


def from_rows(rows: Iterable[dict[str, Any]]) -> tuple[ReviewerVerdict, ...]:
    """Verdicts from rows of the table ``verdicts``.

    Raises:
        InputError: a subject or a verdict that there is not.
    """
    verdicts = tuple(ReviewerVerdict(**row) for row in rows)
    for verdict in verdicts:
        if verdict.subject not in SUBJECTS or verdict.verdict not in VERDICTS:
            raise InputError(
                f"The earlier hunt's table verdicts holds {_quoted(verdict.verdict)} on a "
                f"{_quoted(verdict.subject)}.",
                "Name the verdicts with --verdicts, or mend that table.",
            )
    return verdicts


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"The verdicts {path} cannot be read: {error.strerror}.", "Check --verdicts."
        ) from error
    if len(content) > _MOST_BYTES:
        raise InputError(
            f"{path} is larger than {_MOST_BYTES >> 20} MiB.",
            "Leave out verdicts that have expired.",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _wrong(path, line, "it is not UTF-8", "Save the file as UTF-8.") from error


def _wrong(path: Path, line: int, what: str, remedy: str = _WANTED) -> InputError:
    return InputError(f"{path}, line {line}: {what}.", remedy)


def _toml(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise _wrong(path, line, f"it is no TOML ({_quoted(str(error))})") from error
    other = sorted(document.keys() - {"verdict"})
    if other:
        at = re.search(rf"^\s*\[*\s*[\"']?{re.escape(other[0])}", text, re.M)
        line = text[: at.start()].count("\n") + 1 + at[0].count("\n") if at else 1
        raise _wrong(
            path, line, f"{_quoted(other[0])} means nothing here", "Use [[verdict]] entries."
        )
    entries = document.get("verdict", [])
    if not isinstance(entries, list):
        entries = [entries]
    heads = [i for i, line in enumerate(text.splitlines(), start=1) if _ENTRY.match(line)]
    for i, entry in enumerate(entries):
        # Entries of an inline list have no heading of their own.
        line = heads[i] if len(heads) == len(entries) else 1
        if not isinstance(entry, dict):
            raise _wrong(path, line, "a verdict is no table")
        yield line, entry


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: what one reader sees must be what another applies."""
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise ValueError("a key stands twice")
    return entry


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise _wrong(path, number, f"it is no JSON ({_quoted(str(error))})") from error
        if not isinstance(entry, dict):
            raise _wrong(path, number, "it is no JSON object")
        yield number, entry


def _csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = list(reader.fieldnames or ())
        if len(names) != len(set(names)):
            raise _wrong(path, 1, "its first line names a column twice")
        for row in reader:
            if None in row or None in row.values():
                raise _wrong(
                    path, reader.line_num, "it has more or fewer fields than the first line names"
                )
            given = {k: v for k, v in row.items() if v != ""}
            yield reader.line_num - sum(v.count("\n") for v in given.values()), given
    except csv.Error as error:
        raise _wrong(
            path, reader.reader.line_num, f"it is no CSV ({_quoted(str(error))})"
        ) from error


def _verdict(
    path: Path, line: int, entry: dict[str, Any], pseudonymiser: Pseudonymiser | None
) -> ReviewerVerdict:
    entry = {k: v for k, v in entry.items() if v is not None}
    unknown = sorted(entry.keys() - _COLUMNS)
    if unknown:
        raise _wrong(path, line, f"{_quoted(unknown[0])} means nothing in a verdict")
    subjects = [s for s in SUBJECTS if s in entry]
    if len(subjects) != 1:
        names = " and ".join(subjects) or "neither campaign, account nor organization"
        raise _wrong(path, line, f"a verdict is on one of them; this one has {names}")
    subject = subjects[0]
    name = _short(path, line, entry, subject, _LONGEST_NAME)
    if pseudonymiser is not None and subject != "campaign" and not _PSEUDONYM.match(name):
        name = pseudonymiser.pseudonym(subject, name)
    verdict = entry.get("verdict")
    if verdict not in VERDICTS:
        raise _wrong(
            path,
            line,
            f"{_quoted(verdict)} is no verdict" if "verdict" in entry else "it has no verdict",
            "Write confirmed, lawful or unsure.",
        )
    given = _moment(path, line, entry, "time")
    if given is None:
        raise _wrong(path, line, "it has no time", "Add when the verdict was given.")
    expires = _moment(path, line, entry, "expires")
    if expires is not None and expires <= given:
        raise _wrong(path, line, "it expires before it was given", "Correct time or expires.")
    return ReviewerVerdict(
        subject=subject,
        name=name,
        verdict=str(verdict),
        reviewer=_short(path, line, entry, "reviewer", _LONGEST["reviewer"]),
        time=given,
        reason=_short(path, line, entry, "reason", _LONGEST["reason"]),
        expires=expires,
    )


def _short(path: Path, line: int, entry: dict[str, Any], key: str, longest: int) -> str:
    value = entry.get(key)
    if value is None:
        raise _wrong(path, line, f"it has no {key}")
    if not isinstance(value, str) or not value.strip():
        raise _wrong(path, line, f"{key} is no text")
    if len(value) > longest:
        raise _wrong(
            path,
            line,
            f"{key} has more than {longest:,} characters",
            "Shorten it, or point to a case file.",
        )
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise _wrong(path, line, f"{key} holds half of a character", "Write it as UTF-8 text.")
    return value


def _moment(path: Path, line: int, entry: dict[str, Any], key: str) -> datetime | None:
    value = entry.get(key)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            value = False
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise _wrong(
            path,
            line,
            f"{key} {_quoted(entry[key])} is no time",
            "Write it as 2026-01-09 or 2026-01-09T10:00:00Z.",
        )
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError as error:
        raise _wrong(path, line, f"{key} is out of range", "Correct the year.") from error


def _quoted(value: object) -> str:
    return ascii(str(value)[:60])
