"""What a claim counts, read from the opened blocks of a leaf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stillhunt.evidence.entries import WHAT_BYTES, WHO_BYTES
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.records.leaf import LAYOUT, OBSERVATION_VERSION, SCALARS

_FIELDS: Mapping[str, Any] = LAYOUT.fields or {}


def place(name: str) -> int:
    """Where a field of the observation stands in the block what."""
    offset = int(_FIELDS[name][1])
    return offset if offset < 30 else offset - 48


def null_bit(name: str) -> int:
    """The bit of ``nulls`` that belongs to a field."""
    return [scalar for scalar, _ in SCALARS].index(name)


_TIME, _DIGEST = place("time"), place("exchange")
_INPUT, _OUTPUT, _NULLS = place("input_tokens"), place("output_tokens"), place("nulls")
_NO_ACCOUNT = 1 << null_bit("account")
_VERSION = 0


@dataclass(frozen=True)
class Leaf:
    """One observation, as far as it is counted.

    Attributes:
        account: its hash, 8 bytes as they stand; key: first eight bytes of the exchange's digest.
        time: microseconds; inputs, outputs: tokens, 0 where the log does not say.
    """

    account: bytes
    key: int
    time: int
    inputs: int
    outputs: int


def leaf_of(who: bytes, what: bytes) -> Leaf:
    """Read the opened blocks of an observation.

    Raises:
        Refused: it is of another version.
    """
    if len(who) != WHO_BYTES or len(what) != WHAT_BYTES or what[_VERSION] != OBSERVATION_VERSION:
        raise Refused(Code.LEAVES_MALFORMED, "A leaf is no observation of a known version.")
    nulls = int.from_bytes(what[_NULLS : _NULLS + 4], "little")
    if nulls & _NO_ACCOUNT:
        raise Refused(Code.LEAVES_MALFORMED, "A leaf has no account.")

    def number(at: int, size: int) -> int:
        return int.from_bytes(what[at : at + size], "little", signed=True)

    inputs, outputs = number(_INPUT, 4), number(_OUTPUT, 4)
    if inputs < 0 or outputs < 0:
        raise Refused(Code.LEAVES_MALFORMED, "A leaf has a negative number of tokens.")
    return Leaf(
        who[:8],
        int.from_bytes(what[_DIGEST : _DIGEST + 8], "big"),
        number(_TIME, 8),
        inputs,
        outputs,
    )


def columns_of(what: np.ndarray) -> dict[str, np.ndarray]:
    """The same of many leaves: uint8 (n, 150) to key and rest (the halves of the exchange's digest), time,
    inputs, outputs and nulls, (n,) each.

    Raises:
        Refused: one is of another version, or has a negative number of tokens.
    """
    if len(what) and not bool((what[:, _VERSION] == OBSERVATION_VERSION).all()):
        raise Refused(Code.LEAVES_MALFORMED, "A leaf is no observation of a known version.")

    def column(at: int, kind: str) -> np.ndarray:
        size = np.dtype(kind).itemsize
        return np.ascontiguousarray(what[:, at : at + size]).view(kind).reshape(-1)

    found = {
        "key": column(_DIGEST, ">u8").astype(np.uint64),
        "rest": column(_DIGEST + 8, ">u8").astype(np.uint64),
        "time": column(_TIME, "<i8"),
        "inputs": column(_INPUT, "<i4"),
        "outputs": column(_OUTPUT, "<i4"),
        "nulls": column(_NULLS, "<u4"),
    }
    if bool((found["nulls"] & np.uint32(_NO_ACCOUNT)).any()):
        raise Refused(Code.LEAVES_MALFORMED, "A leaf has no account.")
    if len(what) and min(int(found["inputs"].min()), int(found["outputs"].min())) < 0:
        raise Refused(Code.LEAVES_MALFORMED, "A leaf has a negative number of tokens.")
    return found
