"""The compiled loops: word-run hashes of an exchange, and its id with the digest of it."""

from __future__ import annotations

import numpy as np
from numba import njit

RANDOM, OWN, COMMON = 0, 1, 2
"""How a gram of the library is made anew: never seen before, its group's own, everybody's."""

_G = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_LOW = np.uint64(0xFFFFFFFF)
_UNIT = 2.0**-53
_S11, _S32, _S24, _S16, _S63, _ONE = (np.uint64(n) for n in (11, 32, 24, 16, 63, 1))

_IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    dtype=np.int64,
)
_MIX = np.array(
    [
        [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
        [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
    ],
    dtype=np.int64,
)  # fmt: skip
_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
ID_BYTES = 36


@njit(cache=True, nogil=True, inline="always")
def _mixed(x):  # type: ignore[no-untyped-def]
    x = x + _G
    x = (x ^ (x >> _S30)) * _A
    x = (x ^ (x >> _S27)) * _B
    return x ^ (x >> _S31)


@njit(cache=True, nogil=True)
def fill_grams(  # type: ignore[no-untyped-def]
    source, salt, seed, grams, classes, starts, tail, first, last, power, out
):
    """Grams of n exchanges, one after the other.

    Args:
        source: int64 (n,), row of the library; salt: uint64 (n,), of the exchange's group.
        seed: uint64, of this stretch of rows.
        grams: int32, classes: uint8, both (total,) with ``starts`` int64 (rows + 1,).
        tail: probability that a gram new in the library is one that a larger log would repeat.
        first, last, power: their ranks; so many up to rank r as r to this power.
        out: int32 (sum of counts,).
    """
    at = 0
    state = _mixed(seed)
    least, most = first**power, last**power
    for i in range(len(source)):
        k = source[i]
        for j in range(starts[k], starts[k + 1]):
            what = classes[j]
            if what == 2:
                out[at] = grams[j]
            elif what == 1:
                out[at] = np.int32(_mixed(salt[i] ^ (np.uint64(grams[j]) & _LOW)) & _LOW)
            else:
                state += _G
                luck = np.float64(_mixed(state) >> _S11) * _UNIT
                if luck < tail:
                    rank = np.uint64((least + luck / tail * (most - least)) ** (1.0 / power))
                    out[at] = np.int32(_mixed(rank ^ _B) & _LOW)
                else:
                    out[at] = np.int32(_mixed(state ^ _A) & _LOW)
            at += 1


@njit(cache=True, nogil=True)
def fill_ids(seed, ids, digests):  # type: ignore[no-untyped-def]
    """Random UUIDs (version 4) and BLAKE2b-128 (RFC 7693) of their text.

    Args:
        seed: uint64, of this stretch of rows.
        ids: uint8 (n, 36), filled with text; digests: uint64 (n, 2).
    """
    state = _mixed(seed ^ _B)
    m = np.zeros(16, dtype=np.uint64)
    v = np.zeros(16, dtype=np.uint64)
    h0 = _IV[0] ^ np.uint64(0x01010010)
    for i in range(len(ids)):
        at = 0
        for _ in range(2):
            state += _G
            word = _mixed(state)
            for _ in range(16):
                if at in (8, 13, 18, 23):
                    ids[i, at] = 45
                    at += 1
                ids[i, at] = _DIGITS[np.int64(word >> np.uint64(60))]
                word = word << np.uint64(4)
                at += 1
        ids[i, 14] = 52
        ids[i, 19] = 97
        for j in range(5):
            word = np.uint64(0)
            for b in range(8):
                if 8 * j + b < 36:
                    word |= np.uint64(ids[i, 8 * j + b]) << np.uint64(8 * b)
            m[j] = word
        for j in range(8):
            v[j] = _IV[j]
            v[j + 8] = _IV[j]
        v[0] = h0
        v[12] ^= np.uint64(36)
        v[14] = ~v[14]
        for r in range(12):
            for q in range(8):
                a, b, c, d = _MIX[q, 0], _MIX[q, 1], _MIX[q, 2], _MIX[q, 3]
                v[a] = v[a] + v[b] + m[_SIGMA[r, 2 * q]]
                x = v[d] ^ v[a]
                v[d] = (x >> _S32) | (x << _S32)
                v[c] = v[c] + v[d]
                x = v[b] ^ v[c]
                v[b] = (x >> _S24) | (x << np.uint64(40))
                v[a] = v[a] + v[b] + m[_SIGMA[r, 2 * q + 1]]
                x = v[d] ^ v[a]
                v[d] = (x >> _S16) | (x << np.uint64(48))
                v[c] = v[c] + v[d]
                x = v[b] ^ v[c]
                v[b] = (x >> _S63) | (x << _ONE)
        digests[i, 0] = h0 ^ v[0] ^ v[8]
        digests[i, 1] = _IV[1] ^ v[1] ^ v[9]
