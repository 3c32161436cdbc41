"""64- and 32-bit hashes of Arrow string columns, for equality only.

Not cryptographic: what must not be guessed (accounts, addresses) is replaced by keyed pseudonyms
at the reader before it comes here.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

_FNV = np.uint64(0x100000001B3)
_MIX1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX2 = np.uint64(0xC4CEB9FE1A85EC53)


@njit(cache=True, nogil=True)
def _hash_rows(data, offsets, seed, out):  # type: ignore[no-untyped-def]
    for row in range(len(out)):
        h = seed
        for i in range(offsets[row], offsets[row + 1]):
            h = (h ^ np.uint64(data[i])) * _FNV
        h ^= h >> np.uint64(33)
        h *= _MIX1
        h ^= h >> np.uint64(33)
        h *= _MIX2
        out[row] = np.int64(h ^ (h >> np.uint64(33)))


def hash64(column: pa.Array, domain: str) -> pa.Int64Array:
    """Hash strings to int64; null stays null.

    Args:
        column: string or large_string array.
        domain: what the values are ("account", "address"); equal strings of different domains
            hash differently.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    valid = pc.is_valid(column)
    text = pc.fill_null(column.cast(pa.large_string()), "")
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    body = (
        np.frombuffer(data, dtype=np.uint8)
        if data is not None and data.size
        else np.zeros(1, np.uint8)
    )
    seed = np.uint64(
        int.from_bytes(hashlib.blake2b(domain.encode(), digest_size=8).digest(), "little")
    )
    out = np.empty(len(text), dtype=np.int64)
    _hash_rows(body, ends, seed, out)
    return pa.array(out, mask=~np.asarray(valid))


def hash32(column: pa.Array, domain: str) -> pa.Int32Array:
    """Hash strings to int32, for columns with few distinct values; null stays null."""
    wide = hash64(column, domain)
    low = (np.asarray(wide.fill_null(0)) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return pa.array(low, mask=np.asarray(wide.is_null()))
