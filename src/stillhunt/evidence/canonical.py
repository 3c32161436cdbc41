"""JSON and base64 with one way to write them, so that digests of texts are digests of meaning.

JSON has its keys sorted, no spaces, whole numbers or short decimals. What is read back is encoded again
and has to be the same bytes, so that no two texts mean the same. Names that a human compares by eye keep to
an alphabet in which nothing looks like anything else's.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import unicodedata
from typing import Any

from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.refusal import Code, Refused

MOST_BYTES = 8 << 20
MOST_DEPTH = 12
MOST_DIGITS = 19
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:/@+-]{0,198}[A-Za-z0-9])?\Z")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def encode(value: object, *, verbatim: bool = False) -> bytes:
    """The one text of a value.

    Args:
        value: of None, bool, int, float, str, list or tuple, and dict with keys of text.
        verbatim: texts may hold anything, as signed notes do: who signed them must not be able to choose
            them so that they cannot be shown.

    Raises:
        Refused: it holds what has no canonical form: something else, or text that is not NFC or holds
            control characters.
    """
    _check(value, 0, verbatim)
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def decode(text: bytes, most: int = MOST_BYTES, *, verbatim: bool = False) -> Any:
    """Read the one text of a value.

    Args:
        text: JSON as ``encode`` writes it; hostile.
        most: bytes that are read at most; verbatim: as of ``encode``.

    Raises:
        Refused: too long, too deep, a key twice, a number of too many digits, or not canonical.
    """
    _check_size(text, most)
    try:
        value = json.loads(
            text.decode("utf-8"), parse_int=_whole, parse_float=_decimal, parse_constant=_constant
        )
        again = encode(value, verbatim=verbatim)
    except (ValueError, RecursionError) as error:
        raise Refused(Code.JSON_NOT_CANONICAL, "A text is no JSON.") from error
    # A key given twice, spaces, escapes, another order: all of them are gone when encoded again.
    if again != text:
        raise Refused(Code.JSON_NOT_CANONICAL, "A JSON text is not in its canonical form.")
    return value


def decode_loose(text: bytes) -> Any:
    """Read JSON that people write: bounded, but with spaces, in any order.

    Raises:
        ValueError: it is none.
        Refused: too long or too deep.
    """
    _check_size(text, MOST_BYTES)
    return json.loads(text.decode("utf-8"), parse_constant=_constant)


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The opposite; only the canonical spelling is taken.

    Raises:
        EvidenceError: it is another.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise EvidenceError("Something that should be base64 is not.") from error
    if encode_base64(data) != text:
        raise EvidenceError("Something in base64 is not spelt canonically.")
    return data


def is_plain_name(text: str) -> bool:
    """Whether an identifier keeps to ASCII letters, digits and ``._:/@+-``, at most 200 of them."""
    return _NAME.match(text) is not None


def _check_size(text: bytes, most: int) -> None:
    if len(text) > most:
        raise Refused(Code.JSON_TOO_LARGE, f"A JSON text has {len(text):,} bytes of {most:,}.")
    # Depth before parsing: the parser recurses.
    deep = 0
    for byte in re.findall(rb"[\[\]{}]", _STRING.sub(b"", text)):
        deep += 1 if byte in b"[{" else -1
        if deep > MOST_DEPTH + 1:
            raise Refused(Code.JSON_TOO_LARGE, "A JSON text is nested too deeply.")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS + 1:
        raise Refused(Code.JSON_NOT_CANONICAL, "A JSON text holds a number of too many digits.")
    return int(digits)


def _decimal(digits: str) -> float:
    if len(digits) > 32:
        raise Refused(Code.JSON_NOT_CANONICAL, "A JSON text holds a number of too many digits.")
    return float(digits)


def _constant(_: str) -> None:
    raise Refused(Code.JSON_NOT_CANONICAL, "A JSON text holds what is no number.")


def _check(value: object, depth: int, verbatim: bool) -> None:  # noqa: C901 - one case a type
    if depth > MOST_DEPTH:
        raise Refused(Code.JSON_TOO_LARGE, "A JSON value is nested too deeply.")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Refused(Code.JSON_NOT_CANONICAL, "A JSON object has a key that is no text.")
            _check_text(key, verbatim)
            _check(inner, depth + 1, verbatim)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1, verbatim)
    elif isinstance(value, str):
        _check_text(value, verbatim)
    elif isinstance(value, int):
        if abs(value) >= 10**MOST_DIGITS:
            raise Refused(Code.JSON_NOT_CANONICAL, "A JSON value is a number of too many digits.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Refused(Code.JSON_NOT_CANONICAL, "A JSON value is no finite number.")
    elif value is not None:
        raise Refused(Code.JSON_NOT_CANONICAL, f"{type(value).__name__} has no canonical form.")


def _check_text(text: str, verbatim: bool) -> None:
    if verbatim:
        return
    if not unicodedata.is_normalized("NFC", text):
        raise Refused(Code.NAME_DECEPTIVE, "A text is not in Unicode's normal form C.")
    if any(unicodedata.category(c) in _HIDDEN for c in text if c > "~" or c < " "):
        raise Refused(Code.NAME_DECEPTIVE, "A text holds control or invisible characters.")
