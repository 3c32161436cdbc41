"""What an OTLP receiver answers, in the encoding of the question.

OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import orjson

from stillhunt.readers.otlp.wire import encoded, encoded_number

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
            return _number(1, code) + encoded(2, self.message.encode())
        if not self.rejected:
            return b"{}" if is_json else b""
        if is_json:
            told = {_REJECTED[signal]: str(self.rejected), "errorMessage": self.message}
            return orjson.dumps({"partialSuccess": told})
        return encoded(1, _number(1, self.rejected) + encoded(2, self.message.encode()))


def _number(field: int, value: int) -> bytes:
    return encoded_number(field << 3) + encoded_number(value)
