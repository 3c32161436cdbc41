"""Receives OTLP over HTTP: /v1/traces and /v1/logs, protobuf or JSON, with or without gzip.

Python's own server carries it: a collector is one well-behaved client with a few connections, so what
counts is that every resource is bounded (connections, seconds, bytes of a body before and after
unpacking, bytes of all bodies together) and that nothing is answered before it is on the disk.
"""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stillhunt.errors import OutputError
from stillhunt.readers.otlp.checked import RefusedError, check_request
from stillhunt.store.sources.otlp_answers import JSON, PROTOBUF, Answer, Signal
from stillhunt.store.sources.otlp_spool import FullError, Spool

_PATHS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/logs": "logs"}
_READ = 1 << 16
_MEMBERS = 64
"""Of a gzip body: senders write one."""
_OUT = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Limits:
    """What one receiver takes at a time.

    Attributes:
        body: bytes of a request as it is sent; unpacked: after gzip.
        together: bytes of all requests being received or looked through.
        connections: at a time.
        seconds: that a client may be silent, and by ten times that a request may last.
        retry_after: seconds after which a client that was put off should try again.
    """

    body: int = 20 << 20
    unpacked: int = 64 << 20
    together: int = 256 << 20
    connections: int = 64
    seconds: float = 10.0
    retry_after: int = 5


class _AnswerError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class Receiver(ThreadingHTTPServer):
    """The server; ``serve_forever`` runs until ``shutdown``.

    Attributes:
        accepted, rejected: records so far.
    """

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], spool: Spool, limits: Limits | None = None
    ) -> None:
        """Bind.

        Args:
            address: host and port; port 0 takes any.
            spool: where requests are kept.
            limits: what is taken at a time.

        Raises:
            OutputError: the address cannot be had.
        """
        self.spool = spool
        self.limits = limits or Limits()
        self.accepted = self.rejected = 0
        self._room = threading.BoundedSemaphore(self.limits.connections)
        self._looking = threading.BoundedSemaphore(2)
        self._bytes = 0
        self._lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise OutputError(
                f"OTLP cannot be received at {address[0]}:{address[1]}: {error.strerror}.",
                "Name an address of this machine and a port that is free.",
            ) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, if there are not too many."""
        if not self._room.acquire(blocking=False):
            request.settimeout(1.0)
            with suppress(OSError):
                request.sendall(_OUT)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._room.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As its base does."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""

    def take(self, signal: Signal, data: bytes, *, is_json: bool) -> Answer:
        """Keep a request, and answer when it is on the disk."""
        try:
            with self._looking:
                checked = check_request(data, is_json=is_json)
        except RefusedError as error:
            return Answer(400, f"The body is no OTLP request: {error.args[0]}.")
        if checked.records == 0:
            return Answer(200)
        try:
            self.spool.append(data, checked.keys, is_json=is_json)
        except FullError:
            return Answer(
                503, "Too much waits to be taken in.", retry_after=self.limits.retry_after
            )
        except OutputError as error:
            return Answer(503, error.problem, retry_after=self.limits.retry_after)
        with self._lock:
            self.accepted += checked.records - checked.rejected
            self.rejected += checked.rejected
        if not checked.rejected:
            return Answer(200)
        word = "spans" if signal == "traces" else "log records"
        return Answer(200, f"{checked.rejected} {word} are no exchange; most often: {checked.reason}.",
                      checked.rejected)  # fmt: skip

    @contextmanager
    def reserved(self, size: int) -> Iterator[Callable[[int], None]]:
        """Hold so many bytes of what all requests may take together; gives what asks for more."""
        held = 0

        def more(by: int) -> None:
            nonlocal held
            with self._lock:
                if self._bytes + by > self.limits.together:
                    raise _AnswerError(Answer(429, "Too many requests at a time.", retry_after=1))
                self._bytes += by
                held += by

        try:
            more(size)
            yield more
        finally:
            with self._lock:
                self._bytes -= held


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stillhunt"
    sys_version = ""
    server: Receiver

    def setup(self) -> None:
        """Let no read or write wait for longer than the limit."""
        super().setup()
        self.connection.settimeout(self.server.limits.seconds)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: requests hold customers' texts."""

    def do_POST(self) -> None:
        """Take one request."""
        signal = _PATHS.get(self.path.partition("?")[0])
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        is_json = kind == JSON
        try:
            if signal is None:
                raise _AnswerError(Answer(404, "There are /v1/traces and /v1/logs."))
            if kind not in (JSON, PROTOBUF):
                raise _AnswerError(Answer(415, f"Send {PROTOBUF} or {JSON}."))
            answer = self._take(signal, is_json=is_json)
        except _AnswerError as error:
            answer = error.answer
            self.close_connection = True  # what is left of the body is not read
        except (TimeoutError, OSError):
            self.close_connection = True
            return
        self._answer(answer, signal or "traces", is_json=is_json)

    def do_GET(self) -> None:
        """There is nothing to get."""
        self.close_connection = True
        self._answer(Answer(405, "Send POST."), "traces", is_json=True)

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815 - the base's names

    def _answer(self, answer: Answer, signal: Signal, *, is_json: bool) -> None:
        body = answer.body(signal, is_json=is_json)
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", JSON if is_json else PROTOBUF)
            self.send_header("Content-Length", str(len(body)))
            if answer.retry_after is not None:
                self.send_header("Retry-After", str(answer.retry_after))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def _take(self, signal: Signal, *, is_json: bool) -> Answer:
        limits = self.server.limits
        coding = (self.headers.get("Content-Encoding") or "identity").strip().lower()
        if coding not in ("identity", "gzip"):
            raise _AnswerError(Answer(415, "Send it plain or with gzip."))
        chunked, size = self._length()
        if size > limits.body:
            raise _AnswerError(Answer(413, f"The body is longer than {limits.body} bytes."))
        with self.server.reserved(size) as more:
            data = b"".join(self._body(chunked, size, more))
            if coding == "gzip":
                data = _unpacked(data, limits.unpacked, more)
            return self.server.take(signal, data, is_json=is_json)

    def _length(self) -> tuple[bool, int]:
        """Whether the body comes in chunks, and how long it is otherwise."""
        coding, given = (
            self.headers.get("Transfer-Encoding"),
            self.headers.get_all("Content-Length"),
        )
        if coding is not None:
            if coding.strip().lower() != "chunked" or given:
                raise _AnswerError(Answer(400, "Its length is told in two ways."))
            return True, 0
        if not given:
            raise _AnswerError(Answer(411, "Say how long the body is."))
        if len(given) > 1 or not given[0].strip().isdecimal() or len(given[0]) > 18:
            raise _AnswerError(Answer(400, "Content-Length is no number."))
        return False, int(given[0])

    def _body(self, chunked: bool, size: int, more: Callable[[int], None]) -> Iterator[bytes]:
        deadline = time.monotonic() + 10 * self.server.limits.seconds
        if not chunked:
            yield from self._exactly(size, deadline)
            return
        total = 0
        while True:
            line = self.rfile.readline(64)
            word = line.partition(b";")[0].strip()
            if not line.endswith(b"\n") or len(word) > 8 or not _is_hex(word):
                raise _AnswerError(Answer(400, "A chunk's length is no number."))
            length = int(word, 16)
            if length == 0:
                self._trailer()
                return
            total += length
            if total > self.server.limits.body:
                limit = self.server.limits.body
                raise _AnswerError(Answer(413, f"The body is longer than {limit} bytes."))
            more(length)
            yield from self._exactly(length, deadline)
            if self.rfile.readline(3).strip():
                raise _AnswerError(Answer(400, "A chunk is longer than it says."))

    def _trailer(self) -> None:
        for _ in range(32):
            if not self.rfile.readline(1024).strip():
                return
        raise _AnswerError(Answer(400, "The body ends in too many headers."))

    def _exactly(self, size: int, deadline: float) -> Iterator[bytes]:
        left = size
        while left:
            if time.monotonic() > deadline:
                raise _AnswerError(Answer(408, "The body took too long to come."))
            part = self.rfile.read1(min(left, _READ))
            if not part:
                raise ConnectionError
            left -= len(part)
            yield part


def _unpacked(data: bytes, most: int, more: Callable[[int], None]) -> bytes:
    """Unpack gzip, bounded."""
    parts: list[bytes] = []
    size = members = 0
    while data:
        members += 1
        if members > _MEMBERS:  # each copies what is left of the body
            raise _AnswerError(Answer(400, "The body's gzip has too many parts."))
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                part = member.decompress(data, 1 << 20)
            except zlib.error:
                raise _AnswerError(Answer(400, "The body is no valid gzip.")) from None
            size += len(part)
            if size > most:
                raise _AnswerError(Answer(413, f"The body unpacks to more than {most} bytes."))
            more(len(part))
            parts.append(part)
            data = member.unused_data if member.eof else member.unconsumed_tail
            if not data and not part and not member.eof:
                raise _AnswerError(Answer(400, "The body's gzip is cut off."))
    return b"".join(parts)


def _is_hex(word: bytes) -> bool:
    return bool(word) and all(byte in b"0123456789abcdefABCDEF" for byte in word)
