"""LiteLLM's table of spend logs, read from its PostgreSQL database: read-only, page by page.

A page is what follows a key (startTime, request_id), fetched through a cursor on the server, some
rows at a time; no transaction lasts longer than a page. PostgreSQL itself writes each row as JSON,
and the reader of LiteLLM's logs takes it from there.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from stillhunt.errors import InputError, MissingExtraError, UsageError

TABLE = "LiteLLM_SpendLogs"
LARGEST_ROW = 8 << 20
"""Bytes of a row's JSON above which the row is not fetched; LiteLLM shortens what it stores."""

_SCHEMES = ("postgresql://", "postgres://")
_COLUMNS = (
    "request_id", "litellm_call_id", "call_type", "api_key", "startTime", "endTime", "model",
    "model_group", "user", "end_user", "team_id", "organization_id", "metadata", "request_tags",
    "requester_ip_address", "prompt_tokens", "completion_tokens", "status", "messages", "response",
    "proxy_server_request",
)  # fmt: skip
_PAGE = 5_000
_FETCH = 64
_TIMEOUT = 30
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}\Z")
_ADDRESS = "Give postgresql://USER@HOST:5432/DATABASE, the password in PGPASSWORD."


class SpendRow(NamedTuple):
    """One row.

    Attributes:
        moment: its startTime, in microseconds since 1970 UTC.
        name: its request_id.
        data: it as one line of JSON; None where it is larger than LARGEST_ROW.
    """

    moment: int
    name: str
    data: bytes | None


def is_database(log: object) -> bool:
    """Whether what was named as a log is the address of a database."""
    return str(log).startswith(_SCHEMES)


def place_of(address: str) -> str:
    """Return what an address may be called in messages and files: without user and password."""
    parts = urlsplit(address)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"postgresql://{parts.hostname or ''}{port}{parts.path}/{TABLE}"


class SpendLogs:
    """The table, read-only.

    Attributes:
        place: what it is called in messages: the address without user and password.
    """

    def __init__(self, address: str) -> None:
        """Connect.

        Args:
            address: ``postgresql://user:password@host:port/database``, with ``sslmode`` (disable,
                require, verify-full; the last by default unless the host is this one), ``schema``
                and ``host`` (a socket's folder) as parameters. PGUSER and PGPASSWORD serve too.

        Raises:
            MissingExtraError: pg8000 is not installed.
            UsageError: no such address.
            InputError: no such database or table, or no right to read it.
        """
        try:
            import pg8000.dbapi  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError(
                "Reading from PostgreSQL needs pg8000, which is not installed.",
                "Install it with: pip install 'stillhunt[postgres]'.",
            ) from error
        self.place = place_of(address)
        self._errors = (pg8000.dbapi.Error, OSError)
        arguments, self._schema = _arguments(address, self.place)
        try:
            self._connection: Any = pg8000.dbapi.connect(**arguments)
            self._connection.autocommit = True
            self._run("SET default_transaction_read_only = on")
            self._run("SET TIME ZONE 'UTC'")
            self._columns = self._known_columns()
        except self._errors as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    def rows(self, since: int, until: int | None) -> Iterator[SpendRow]:
        """Give rows in the order of startTime and request_id.

        Args:
            since, until: of startTime, in microseconds since 1970 UTC; the end is not included.

        Raises:
            InputError: the database fails.
        """
        after: tuple[int, str] | None = None
        while True:
            given = 0
            for row in self._page(since, until, after):
                given += 1
                after = (row.moment, row.name)
                yield row
            if given < _PAGE:
                return

    def _page(
        self, since: int, until: int | None, after: tuple[int, str] | None
    ) -> Iterator[SpendRow]:
        conditions, values = [f'"startTime" >= {_moment()}'], [since]
        if until is not None:
            conditions.append(f'"startTime" < {_moment()}')
            values.append(until)
        if after is not None:
            conditions.append(f'("startTime", request_id) > ({_moment()}, %s)')
            values += after  # type: ignore[arg-type]
        columns = ", ".join(f'"{name}"' for name in self._columns)
        # The names are constants and a checked schema; values go by parameters.
        statement = f"""
            DECLARE spend NO SCROLL CURSOR FOR
            SELECT (extract(epoch FROM "startTime") * 1000000)::bigint, request_id,
                CASE WHEN octet_length(line) <= {LARGEST_ROW} THEN line END
            FROM (
                SELECT "startTime", request_id, row_to_json(t)::text AS line FROM (
                    SELECT {columns} FROM "{self._schema}"."{TABLE}"
                    WHERE {" AND ".join(conditions)}
                    ORDER BY "startTime", request_id LIMIT {_PAGE}
                ) AS t
            ) AS u ORDER BY "startTime", request_id
        """  # noqa: S608
        try:
            self._run("BEGIN READ ONLY")
            self._run(statement, values)
            while found := self._run(f"FETCH {_FETCH} FROM spend"):
                for moment, name, line in found:
                    # A line feed between JSON's tokens is white space, and in strings there is none.
                    data = None if line is None else line.encode().replace(b"\n", b" ")
                    yield SpendRow(int(moment), str(name), data)
            self._run("COMMIT")
        except self._errors as error:
            raise self._unreadable(error) from error

    def _known_columns(self) -> tuple[str, ...]:
        found = {
            name
            for (name,) in self._run(
                "SELECT column_name FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s",
                [self._schema, TABLE],
            )
        }
        if not {"request_id", "startTime"} <= found:
            raise InputError(
                f"There is no table {TABLE} that can be read at {self.place}.",
                "Check the database, the schema (?schema=NAME), and that the user may SELECT it.",
            )
        return tuple(name for name in _COLUMNS if name in found)

    def _run(self, statement: str, values: list[Any] | None = None) -> list[Any]:
        cursor = self._connection.cursor()
        cursor.execute(statement, values or ())
        return list(cursor.fetchall()) if cursor.description else []

    def _unreadable(self, error: BaseException) -> InputError:
        said = error.args[0] if error.args else ""
        said = said.get("M", "") if isinstance(said, dict) else str(said)
        first = (said.splitlines() or [type(error).__name__])[0][:200]
        return InputError(
            f"{self.place} cannot be read: {first}.",
            "Check address, user, PGPASSWORD and ?sslmode=, and that the user may SELECT the table.",
        )


def _moment() -> str:
    return "(TIMESTAMP '1970-01-01' + %s * INTERVAL '1 microsecond')"


def _arguments(address: str, place: str) -> tuple[dict[str, Any], str]:
    """Return pg8000's arguments, and the schema."""
    parts = urlsplit(address)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    database = parts.path.strip("/")
    schema = query.get("schema", "public")
    try:
        port = parts.port or 5432
    except ValueError:
        port = 0
    if not database or not port or not _SCHEMA.match(schema):
        raise UsageError(f"{place} is no address of a database.", _ADDRESS)
    host = parts.hostname or query.get("host") or os.environ.get("PGHOST") or "localhost"
    arguments: dict[str, Any] = {
        "user": unquote(parts.username or "") or os.environ.get("PGUSER") or "postgres",
        "password": unquote(parts.password or "") or os.environ.get("PGPASSWORD"),
        "database": unquote(database),
        "timeout": _TIMEOUT,
        "application_name": "stillhunt",
    }
    if host.startswith("/"):
        return arguments | {"unix_sock": str(Path(host, f".s.PGSQL.{port}"))}, schema
    local = host in ("localhost", "127.0.0.1", "::1")
    mode = query.get("sslmode", "disable" if local else "verify-full")
    if mode not in ("disable", "require", "verify-full"):
        raise UsageError(
            f"sslmode={mode[:20]} is not known.",
            "Use disable, require or verify-full (the default).",
        )
    if mode != "disable":
        context = ssl.create_default_context()
        if mode == "require":  # encrypted, but whoever answers is believed
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        arguments["ssl_context"] = context
    return arguments | {"host": host, "port": port}, schema
