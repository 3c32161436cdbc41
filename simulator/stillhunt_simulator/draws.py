"""Chance by key: the same key always draws the same number, in any order and any batch.

Items of a pool are thereby texts without being stored: who sends item 17 of a pool writes it anew,
and the same. The mixing function is SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(n) for n in (30, 27, 31, 11))
_UNIT = 2.0**-53


def mixed(keys: Keys) -> Keys:
    """Scramble 64-bit keys: one to one, and without visible order."""
    out = keys + _GOLDEN
    out ^= out >> _S30
    out *= _FIRST
    out ^= out >> _S27
    out *= _SECOND
    out ^= out >> _S31
    return out


def uniform(keys: Keys) -> Floats:
    """Keys that are already mixed, as numbers in [0, 1)."""
    return (keys >> _S11).astype(np.float64) * _UNIT


def named(seed: int, *names: object) -> int:
    """A 64-bit key for something that has a name in a simulation with this seed."""
    text = "\0".join((str(seed), *(str(name) for name in names)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
