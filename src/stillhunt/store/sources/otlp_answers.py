"""What an OTLP receiver answers, in the encoding of the question.

OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import orjson

JSON, PROTOBUF = "application/json", "application/x-protobuf"

Signal = Literal["traces", "logs"]

_REJECTED = {"traces": "rejectedSpans", "logs": "rejectedLogRecords"}
# google.rpc.Code by HTTP status
_CODES = {400: 3, 404: 5, 405: 12, 408: 4, 411: 3, 413: 8, 415: 3, 429: 8, 503: 14}


@dataclass(frozen=True)
class Answer:
    """An answer under way.

    Attributes:
        status: HTTP's.
        message: what is wrong, for all but 200; with 200, why some records were rejected.
        rejected: how many.
        retry_after: seconds until it is worth trying again, where it is.
    """

    status: int
    message: str = ""
    rejected: int = 0
    retry_after: int | None = None

    def body(self, signal: Signal, *, is_json: bool) -> bytes:
        """Return the body."""
        if self.status != 200:
            code = _CODES.get(self.status, 2)
            if is_json:
                return orjson.dumps({"code": code, "message": self.message})
            return _number(1, code) + _bytes(2, self.message.encode())
        if not self.rejected:
            return b"{}" if is_json else b""
        if is_json:
            told = {_REJECTED[signal]: str(self.rejected), "errorMessage": self.message}
            return orjson.dumps({"partialSuccess": told})
        return _bytes(1, _number(1, self.rejected) + _bytes(2, self.message.encode()))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
