"""Exchanges to observations: the only place where text turns into numbers."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.fingerprints.cues import phrase_table
from stillhunt.fingerprints.hashing import hash32, hash64
from stillhunt.fingerprints.kernel import cue_table
from stillhunt.fingerprints.text import fingerprint_text
from stillhunt.records.observation import FINISH_REASONS, OBSERVATION_SCHEMA
from stillhunt.records.pseudonyms import networks

_INT32_MAX = 2**31 - 1


class Observer:
    """Fingerprints batches of exchanges; holds the compiled cue phrases.

    Args:
        threads: cores for the text kernel; by default all.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._cues = cue_table(phrase_table())
        self._threads = threads

    def observe(self, exchanges: pa.RecordBatch) -> pa.RecordBatch:
        """Observations of n exchanges, in their order (OBSERVATION_SCHEMA)."""
        column = exchanges.column
        text = fingerprint_text(
            column("system"), column("prompt"), self._cues, threads=self._threads
        )
        silent = np.asarray(pc.and_(pc.is_null(column("system")), pc.is_null(column("prompt"))))
        offsets = np.concatenate([[0], np.cumsum(text.count, dtype=np.int64)]).astype(np.int32)
        used = np.arange(text.grams.shape[1])[None, :] < text.count[:, None]
        columns = {
            "exchange": _digests(column("exchange_id")),
            "time": column("time"),
            "account": hash64(column("account"), "account"),
            "organization": hash64(column("organization"), "organization"),
            "credential": hash32(column("credential"), "credential"),
            "address": hash64(column("client_address"), "address"),
            "network": hash64(networks(column("client_address")), "network"),
            "asn": hash32(column("client_asn"), "asn"),
            "tls": hash32(column("tls_fingerprint"), "tls"),
            "agent": hash32(column("user_agent"), "agent"),
            "model": hash32(column("request_model"), "model"),
            "system": pa.array(text.system, mask=text.system == 0),
            "item": pa.array(text.item, mask=silent),
            "grams": pa.ListArray.from_arrays(pa.array(offsets), pa.array(text.grams[used])),
            "guarantee": pa.array(text.guarantee, mask=silent),
            "cues": pa.array(text.cues, mask=silent),
            "words": pa.array(text.words, mask=silent),
            "response_bytes": _clip(pc.binary_length(column("response"))),
            "input_tokens": _clip(column("input_tokens")),
            "output_tokens": _clip(column("output_tokens")),
            "max_tokens": _clip(column("max_tokens")),
            "status": pc.cast(_clip(column("status"), 32767), pa.int16()),
            "finish": _finish(column("finish_reason")),
            "temperature": _finite(column("temperature")),
            "stream": column("stream"),
        }
        return pa.RecordBatch.from_arrays(
            [columns[field.name] for field in OBSERVATION_SCHEMA], schema=OBSERVATION_SCHEMA
        )


def _digests(exchange_ids: pa.Array) -> pa.FixedSizeBinaryArray:
    """BLAKE2b (RFC 7693, digest size 16, no key) of each id's bytes."""
    ids = exchange_ids.cast(pa.binary()).to_pylist()
    digests = b"".join([blake2b(value, digest_size=16).digest() for value in ids])
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(ids), [None, pa.py_buffer(digests)]
    )


def _clip(column: pa.Array, most: int = _INT32_MAX) -> pa.Array:
    """Counts larger than the field become its largest value, never a wrapped one."""
    top = pc.min_element_wise(pc.cast(column, pa.int64()), most, skip_nulls=False)
    return pc.cast(pc.max_element_wise(top, 0, skip_nulls=False), pa.int32())


def _finite(column: pa.Array) -> pa.Array:
    """What is no number, or too large for the field, says nothing and becomes null."""
    narrow = pc.cast(column, pa.float32(), safe=False)
    return pc.if_else(pc.is_finite(narrow), narrow, pa.scalar(None, pa.float32()))


def _finish(column: pa.Array) -> pa.Array:
    index = pc.index_in(column, value_set=pa.array(FINISH_REASONS))
    other = pa.scalar(FINISH_REASONS.index("other"), pa.int32())
    return pc.cast(
        pc.if_else(pc.is_null(column), pa.scalar(None, pa.int32()), pc.fill_null(index, other)),
        pa.int8(),
    )
