"""Fetching a time stamp, from an authority on this machine."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

pytest.importorskip("rfc3161_client", reason="needs the evidence extra")
sys.path.append(str(Path(__file__).parents[1] / "evidence"))

import tsa
from forge import Forge
from typer.testing import CliRunner

from stillhunt.cli.app import app
from stillhunt.errors import InputError, UsageError
from stillhunt.evidence.timestamps import StampError, StampRefusal
from stillhunt.evidence.verify import read_trust, verify
from stillhunt.report.claim_reading import read_claim
from stillhunt.sharing.timestamping import fetch_stamp

DIGEST = hashlib.sha256(b"statement").digest()
NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = tsa.Authority(begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=1))
ROOT = tsa.pem(AUTHORITY.root)
Answer = Callable[[bytes], tuple[int, dict[str, str], bytes]]
REPLY = {"Content-Type": "application/timestamp-reply"}


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, reply = answer(body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def nonce_of(request: bytes) -> int:
    # After version and imprint: INTEGER, then BOOLEAN true as the last three bytes.
    start = request.index(DIGEST) + 32
    assert request[start] == 0x02
    return int.from_bytes(request[start + 2 : -3], "big")


def test_a_stamp_is_fetched(serve: Callable[[Answer], str]) -> None:
    url = serve(lambda q: (200, REPLY, AUTHORITY.reply(DIGEST, time=NOW, nonce=nonce_of(q))))
    reply, stamp = fetch_stamp(url, DIGEST, roots=[ROOT])
    assert reply[0] == 0x30
    assert stamp.time == NOW


def test_a_claim_is_stamped_by_the_command(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    forge = Forge(tmp_path / "forge")
    done = forge.whole()
    path = done.write(tmp_path / "c.claim")
    root, trust = tmp_path / "root.pem", tmp_path / "trust.json"
    root.write_bytes(ROOT)
    trust.write_text(
        json.dumps({"log": [str(key) for key in forge.trust().log], "authorities": ["root.pem"]})
    )
    stamped = done.statement.digest

    def answer(request: bytes) -> tuple[int, dict[str, str], bytes]:
        assert stamped in request
        start = request.index(stamped) + 32
        nonce = int.from_bytes(request[start + 2 : -3], "big")
        return 200, REPLY, AUTHORITY.reply(stamped, time=NOW, nonce=nonce)

    url = serve(answer)
    run = CliRunner().invoke
    asked = ["timestamp", str(path), "--authority", url, "--root", str(root)]
    assert run(app, asked).exit_code == 0
    assert verify(path, trust=read_trust(trust)).figures["timestamps"][0]["time"] == NOW.isoformat()
    # The same again, on a machine without a network.
    query, reply = tmp_path / "c.tsq", tmp_path / "c.tsr"
    assert run(app, ["timestamp", str(path), "--request", str(query)]).exit_code == 0
    reply.write_bytes(answer(query.read_bytes())[2])
    taken = ["timestamp", str(path), "--reply", str(reply), "--root", str(root)]
    assert run(app, taken).exit_code == 0
    assert run(app, taken).exit_code == 0  # once more changes nothing
    report = verify(path, trust=read_trust(trust))
    assert report.ok
    assert len(report.figures["timestamps"]) == 2
    assert isinstance(run(app, [*taken, "--authority", url]).exception, UsageError)
    facts = read_claim(path, read_trust(trust))
    assert facts.stamps[0] == (NOW, "CN=Test Time Stamping")


def test_an_old_reply_is_not_taken(serve: Callable[[Answer], str]) -> None:
    url = serve(lambda _: (200, REPLY, AUTHORITY.reply(DIGEST, time=NOW, nonce=1)))
    with pytest.raises(StampError) as caught:
        fetch_stamp(url, DIGEST, roots=[ROOT])
    assert caught.value.code is StampRefusal.OTHER_NONCE


def test_endless_answers_end(serve: Callable[[Answer], str]) -> None:
    url = serve(lambda _: (200, REPLY, bytes(1 << 20)))
    with pytest.raises(StampError) as caught:
        fetch_stamp(url, DIGEST, roots=[ROOT])
    assert caught.value.code is StampRefusal.MALFORMED


@pytest.mark.parametrize(
    "answer",
    [
        (500, REPLY, b"no"),
        (200, {"Content-Type": "text/html"}, b"<p>"),
        (302, {"Location": "file:///etc/passwd"}, b""),
    ],
)
def test_what_is_no_answer(
    serve: Callable[[Answer], str], answer: tuple[int, dict[str, str], bytes]
) -> None:
    url = serve(lambda _: answer)
    with pytest.raises(InputError):
        fetch_stamp(url, DIGEST, roots=[ROOT])


def test_nobody_there_and_nothing_to_trust() -> None:
    with pytest.raises(InputError):
        fetch_stamp("http://127.0.0.1:9/", DIGEST, roots=[ROOT])
    with pytest.raises(UsageError):
        fetch_stamp("file:///etc/passwd", DIGEST, roots=[ROOT])
    with pytest.raises(UsageError):
        fetch_stamp("http://127.0.0.1:9/", DIGEST, roots=[])
