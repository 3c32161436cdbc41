"""A witness over HTTP: C2SP tlog-witness, ``POST /add-checkpoint``."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stillhunt.errors import OutputError, StillhuntError
from stillhunt.evidence.witness import MAX_REQUEST, Reply, Witness

PATIENCE = 10.0
"""Seconds that a client may be silent."""
LIFETIME = 60.0
"""Seconds that a connection may last, however little it sends."""
AT_ONCE = 32
"""Connections; more are closed at once."""


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness. Bodies, time and connections are bounded."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        witness: Witness,
        told: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Listen.

        Args:
            address: host and port; port 0: any that is free.
            witness: what answers; told: a line for each request.

        Raises:
            OutputError: nothing can listen there.
        """
        self.witness = witness
        self.told = told
        self._free = threading.BoundedSemaphore(AT_ONCE)
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise OutputError(
                f"Nothing can listen at {address[0]} port {address[1]}: {error.strerror}.",
                "Name another address or port with --listen.",
            ) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin with a connection, if there are not too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that went away is no news."""
        self.told(f"{client_address[0]} went away")


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "stillhunt-witness"
    sys_version = ""
    timeout = PATIENCE

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            self._send(Reply(404, b"There is nothing here.\n"), close=True)
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or self.headers.get("Transfer-Encoding"):
            self._send(Reply(411, b"Say how long the request is.\n"), close=True)
            return
        if len(length) > 9 or int(length) > MAX_REQUEST:
            self._send(Reply(413, b"The request is too long.\n"), close=True)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        try:
            reply = self.server.witness.add_checkpoint(body)
        except (OSError, StillhuntError) as error:
            self.server.told(f"cannot cosign: {error}")
            reply = Reply(500, b"This witness cannot cosign now.\n")
        self._send(reply)

    def do_GET(self) -> None:
        if self.path == "/vkey":
            self._send(Reply(200, f"{self.server.witness.key}\n".encode()))
        else:
            self._send(Reply(404, b"There is nothing here.\n"), close=True)

    def _send(self, reply: Reply, *, close: bool = False) -> None:
        self.close_connection = self.close_connection or close
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        self.server.told(f"{self.client_address[0]} {ascii(format % args)[1:-1][:200]}")

    def setup(self) -> None:
        super().setup()
        self._end = threading.Timer(LIFETIME, self._cut)
        self._end.daemon = True
        self._end.start()

    def finish(self) -> None:
        self._end.cancel()
        super().finish()

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
