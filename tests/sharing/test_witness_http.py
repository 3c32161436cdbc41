"""Two rivals, each with a log and a witness of the other's, over localhost."""

from __future__ import annotations

import http.client
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from stillhunt.evidence.checkpoint import open_checkpoint
from stillhunt.evidence.entries import CLAIM
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.settings import Settings, WitnessAddress, write_settings
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.split_view import check
from stillhunt.evidence.witness import MAX_REQUEST
from stillhunt.evidence.witness_state import WitnessFolder, create_witness, holding_witness
from stillhunt.records.leaf import LAYOUT
from stillhunt.sharing import witness_server
from stillhunt.sharing.witness_client import Asked, collect
from stillhunt.sharing.witness_server import WitnessServer


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with holding_witness(folder) as held:
        server = WitnessServer(("127.0.0.1", 0), held.witness())
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def grow(root: Path, count: int) -> list[Asked]:
    rows = np.zeros(count, dtype=LAYOUT)
    rows["exchange"] = np.frombuffer(np.random.default_rng().bytes(16 * count), dtype="V16")
    with writing_log(root) as writer:
        writer.append(rows)
        writer.publish()
        return collect(writer, patience=5)


def test_two_rivals_witness_each_other(tmp_path: Path) -> None:
    logs = [create_log(tmp_path / f"log{i}", f"logs.example.com/{i}") for i in range(2)]
    witnesses = [create_witness(tmp_path / f"w{i}", f"w{i}.example.org") for i in range(2)]
    for log, witness in zip(logs, reversed(witnesses), strict=True):
        witness.add_log(log.keys()[0])
    with served(witnesses[0].root) as first, served(witnesses[1].root) as second:
        for log, witness, url in zip(logs, reversed(witnesses), (second, first), strict=True):
            address = WitnessAddress(witness.key(), url)
            write_settings(log.layout, Settings((address,), 1))
        for count in (1, 0, 300):
            for log in logs:
                assert [a.refused for a in grow(log.layout.root, count)] == [""]
    for log, witness in zip(logs, reversed(witnesses), strict=True):
        note = (log.layout.root / "public" / "checkpoint").read_bytes()
        opened = open_checkpoint(note, log.keys(), [witness.key()], log.origin)
        assert opened.checkpoint == log.checkpoint()
        assert opened.witnesses() == {witness.key().name}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, WitnessFolder]:
    log = create_log(tmp_path / "log", "logs.example.com/a")
    witness = create_witness(tmp_path / "w", "w.example.org")
    witness.add_log(log.keys()[0])
    return log.layout.root, witness


def point(root: Path, witness: WitnessFolder, url: str) -> None:
    write_settings(Log(root).layout, Settings((WitnessAddress(witness.key(), url),), 1))


def test_a_log_that_forks_is_found_out(pair: tuple[Path, WitnessFolder], tmp_path: Path) -> None:
    root, witness = pair
    grow(root, 10)
    other = tmp_path / "copy"
    shutil.copytree(root, other)
    with served(witness.root) as url:
        for place in (root, other):
            point(place, witness, url)
        assert [a.refused for a in grow(root, 5)] == [""]
        (asked,) = grow(other, 5)  # the same size, another history
        assert "409" in asked.refused or "another head" in asked.refused
        (asked,) = grow(other, 5)
        assert "422" in asked.refused
    (proof,) = witness.split_views()
    assert check(proof.read_bytes(), Log(root).keys()).first.size == Log(root).checkpoint().size
    assert Log(other).published().checkpoint.size == 11


def test_a_log_restored_from_an_old_copy_is_told(
    pair: tuple[Path, WitnessFolder], tmp_path: Path
) -> None:
    root, witness = pair
    shutil.copytree(root, tmp_path / "old")
    with served(witness.root) as url:
        point(root, witness, url)
        point(tmp_path / "old", witness, url)
        grow(root, 50)
        (asked,) = grow(tmp_path / "old", 5)
    assert "51 leaves" in asked.refused


def test_a_witness_that_is_away_does_not_stop_sealing(pair: tuple[Path, WitnessFolder]) -> None:
    root, witness = pair
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    point(root, witness, f"http://127.0.0.1:{port}")
    (asked,) = grow(root, 5)
    assert "cannot be reached" in asked.refused
    log = Log(root)
    assert (log.checkpoint().size, log.published().checkpoint.size) == (6, 0)
    with served(witness.root) as url:
        point(root, witness, url)
        with writing_log(root) as writer:
            writer.append_entry(CLAIM, bytes(32))
            writer.publish()
            collect(writer)
    assert log.published().checkpoint.size == 7


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (1 << 17),
        b"HTTP/1.1 409 No\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 2\r\n\r\n-1",
        b"HTTP/1.1 409 No\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 2\r\n\r\n99",
        b"HTTP/1.1 500 \x1b[31m\r\nContent-Length: 4\r\n\r\n\x1b[2J",
        "HTTP/1.1 200 OK\r\n\r\n— w.example.org AAAAAAA=\n".encode(),
    ],
)
def test_a_hostile_witness(pair: tuple[Path, WitnessFolder], answer: bytes) -> None:
    root, witness = pair
    with socket.create_server(("127.0.0.1", 0)) as server:
        point(root, witness, f"http://127.0.0.1:{server.getsockname()[1]}")

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        connection.recv(1 << 16)
                        connection.sendall(answer)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        (asked,) = grow(root, 3)
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert asked.refused
    assert "\x1b" not in asked.refused
    assert Log(root).head().cosigned == ()


def test_a_witness_that_drips_is_given_up(pair: tuple[Path, WitnessFolder]) -> None:
    root, witness = pair
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        point(root, witness, f"http://127.0.0.1:{server.getsockname()[1]}")

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                while not stop.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        rows = np.zeros(1, dtype=LAYOUT)
        with writing_log(root) as writer:
            writer.append(rows)
            writer.publish()
            (asked,) = collect(writer, patience=0.1)
        stop.set()
        thread.join(5)
    assert "slowly" in asked.refused


# -- the server against hostile clients -----------------------------------------------------------


def send(url: str, method: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def raw(url: str, data: bytes) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        told = b""
        while some := connection.recv(4096):
            told += some
        return told


def test_requests_that_are_none(pair: tuple[Path, WitnessFolder]) -> None:
    _, witness = pair
    with served(witness.root) as url:
        assert send(url, "POST", "/add-checkpoint", b"nonsense")[0] == 400
        assert send(url, "POST", "/elsewhere", b"")[0] == 404
        assert send(url, "GET", "/", b"")[0] == 404
        assert send(url, "GET", "/vkey", b"") == (200, f"{witness.key()}\n".encode())
        assert send(url, "PUT", "/add-checkpoint", b"")[0] == 501
        top = b"POST /add-checkpoint HTTP/1.1\r\n"
        for line, status in (
            (b"Content-Length: -1", b"411"),
            (b"Content-Length: 1e3", b"411"),
            (b"Transfer-Encoding: chunked", b"411"),
            (b"X: y", b"411"),
            (f"Content-Length: {MAX_REQUEST + 1}".encode(), b"413"),
            (b"Content-Length: " + b"9" * 400, b"413"),
        ):
            assert raw(url, top + line + b"\r\n\r\n").split(b" ")[1] == status
        assert raw(url, top + b"Content-Length: 100\r\n\r\nshort") == b""
        # After all that it still answers.
        assert send(url, "GET", "/vkey", b"")[0] == 200


def test_silent_and_too_many_clients_are_cut_off(
    pair: tuple[Path, WitnessFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, witness = pair
    monkeypatch.setattr(witness_server, "AT_ONCE", 3)
    monkeypatch.setattr(witness_server, "LIFETIME", 0.5)
    with served(witness.root) as url:
        host, port = url.removeprefix("http://").split(":")
        silent = [socket.create_connection((host, int(port)), timeout=5) for _ in range(3)]
        with pytest.raises((OSError, http.client.HTTPException)):
            send(url, "GET", "/vkey", b"")
        for connection in silent:
            assert connection.recv(10) == b""
            connection.close()
        for _ in range(100):
            try:
                assert send(url, "GET", "/vkey", b"")[0] == 200
                break
            except (OSError, http.client.HTTPException):
                continue
        else:
            raise AssertionError("it does not answer again")
