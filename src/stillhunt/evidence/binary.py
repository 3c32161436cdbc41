"""Reading and writing compact bytes: numbers of seven bits a byte, in one way only."""

from __future__ import annotations

from stillhunt.evidence.refusal import Code, Refused

_MOST = (1 << 64) - 1


def put_number(out: bytearray, value: int) -> None:
    """Append a number, 0 to 2**64 - 1, as unsigned LEB128 without padding."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


class Reader:
    """Reads bytes in order; refuses what is short or not minimal.

    Args:
        body: hostile bytes.
        code: what is said of them where they are malformed.
    """

    def __init__(self, body: bytes | memoryview, code: Code) -> None:
        self._body = memoryview(body)
        self._at = 0
        self._code = code

    def take(self, count: int) -> bytes:
        """The next bytes, exactly so many."""
        part = bytes(self._body[self._at : self._at + count])
        if len(part) != count:
            raise self.malformed()
        self._at += count
        return part

    def number(self, most: int = _MOST) -> int:
        """The next number, at most ``most``."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 63:
                raise self.malformed()
        if value > most or (byte == 0 and shift > 7):
            raise self.malformed()
        return value

    def increasing(self, below: int) -> list[int]:
        """A list of strictly increasing numbers below ``below``: how many, then their differences."""
        count = self.number(below)
        values: list[int] = []
        next_ = 0
        for _ in range(count):
            next_ += self.number(below)
            if next_ >= below:
                raise self.malformed()
            values.append(next_)
            next_ += 1
        return values

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._body):
            raise self.malformed()

    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._body) - self._at

    def malformed(self) -> Refused:
        """The refusal for bytes that are not as they must be."""
        return Refused(self._code, "A part of the bundle is not encoded as it must be.")


def put_increasing(out: bytearray, values: list[int]) -> None:
    """Append strictly increasing numbers; see ``Reader.increasing``."""
    put_number(out, len(values))
    next_ = 0
    for value in values:
        put_number(out, value - next_)
        next_ = value + 1
