from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.fingerprints.hashing import hash32, hash64
from stillhunt.fingerprints.observe import Observer
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.records.observation import OBSERVATION_SCHEMA

OBSERVER = Observer(threads=1)
TIME = datetime(2026, 1, 5, tzinfo=UTC)


def observed(*exchanges: dict[str, Any]) -> list[dict[str, Any]]:
    batch = pa.RecordBatch.from_pylist(
        [{"exchange_id": "e", "time": TIME, "account": "a"} | row for row in exchanges],
        schema=EXCHANGE_SCHEMA,
    )
    observations = OBSERVER.observe(batch)
    observations.validate(full=True)
    assert observations.schema == OBSERVATION_SCHEMA
    assert all(
        field.nullable or not observations.column(field.name).null_count
        for field in OBSERVATION_SCHEMA
    )
    return observations.to_pylist()


def reference_hash(value: str, domain: str) -> int:
    h = int.from_bytes(blake2b(domain.encode(), digest_size=8).digest(), "little")
    for byte in value.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 1):
        h = (h ^ h >> 33) * factor % 2**64
    return h - 2**64 if h >> 63 else h


def test_what_the_log_does_not_say_stays_null() -> None:
    (row,) = observed({})
    filled = {name for name, value in row.items() if value is not None}
    assert filled == {"exchange", "time", "account", "grams"}
    assert row["grams"] == []


def test_an_empty_text_is_not_a_missing_one() -> None:
    empty, missing = observed({"prompt": "", "response": ""}, {})
    assert (empty["words"], empty["cues"], empty["response_bytes"]) == (0, 0, 0)
    assert empty["item"] is not None
    assert (missing["words"], missing["cues"], missing["response_bytes"]) == (None, None, None)


def test_counts_are_clipped_and_never_wrapped() -> None:
    many = {"input_tokens": 2**40, "output_tokens": 2**31, "max_tokens": -5, "status": 70000}
    (row,) = observed(many)
    assert row["input_tokens"] == row["output_tokens"] == 2**31 - 1
    assert row["max_tokens"] == 0
    assert row["status"] == 32767


def test_columns_are_what_they_are_said_to_be() -> None:
    (row,) = observed(
        {
            "exchange_id": "réq-1",
            "account": "a-7",
            "organization": "org",
            "credential": "key",
            "client_address": "203.0.113.9",
            "user_agent": "curl/8",
            "response": "né",
            "finish_reason": "length",
            "temperature": 0.1,
            "stream": True,
        }
    )
    assert row["exchange"] == blake2b("réq-1".encode(), digest_size=16).digest()
    assert row["time"] == TIME
    assert row["account"] == reference_hash("a-7", "account")
    assert row["organization"] == reference_hash("org", "organization")
    assert row["address"] == reference_hash("203.0.113.9", "address")
    assert row["network"] == reference_hash("203.0.113.0/24", "network")
    low = reference_hash("curl/8", "agent") % 2**32
    assert row["agent"] % 2**32 == low
    assert row["response_bytes"] == 3
    assert row["finish"] == 1
    assert row["temperature"] == np.float32(0.1)
    assert row["stream"] is True


def test_an_unknown_finish_reason_is_other() -> None:
    rows = observed({"finish_reason": "error"}, {"finish_reason": "moon"}, {})
    assert [row["finish"] for row in rows] == [4, 5, None]


def test_a_temperature_that_is_no_number_is_null() -> None:
    numbers = [float("nan"), float("inf"), 1e300, 1.5, None]
    rows = observed(*({"temperature": number} for number in numbers))
    assert [row["temperature"] for row in rows] == [None, None, None, 1.5, None]


def test_equal_values_of_different_columns_hash_differently() -> None:
    (row,) = observed({"account": "x", "organization": "x", "client_address": "x"})
    assert len({row["account"], row["organization"], row["address"]}) == 3


texts = st.none() | st.text(max_size=60)


@given(
    st.lists(st.tuples(texts, texts, st.none() | st.integers(0, 2**40), texts), max_size=9),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_slices_and_zero_rows(
    values: list[tuple[str | None, str | None, int | None, str | None]], data: st.DataObject
) -> None:
    batch = pa.RecordBatch.from_pylist(
        [
            {"exchange_id": str(i), "time": TIME, "account": "a", "system": s, "prompt": p}
            | {"input_tokens": n, "client_address": c}
            for i, (s, p, n, c) in enumerate(values)
        ],
        schema=EXCHANGE_SCHEMA,
    )
    whole = OBSERVER.observe(batch)
    first = data.draw(st.integers(0, len(values)))
    size = data.draw(st.integers(0, len(values) - first))
    part = OBSERVER.observe(batch.slice(first, size))
    assert part.equals(whole.slice(first, size))
    assert Observer(threads=3).observe(batch).equals(whole)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_hashes_of_chunked_and_sliced_columns(kind: pa.DataType) -> None:
    column = pa.array(["skip", "a", None, "", "é", "a"], kind).slice(1)
    expected = [reference_hash(v, "d") if v is not None else None for v in column.to_pylist()]
    assert hash64(column, "d").to_pylist() == expected
    assert hash64(pa.chunked_array([column, column]), "d").to_pylist() == expected * 2
    narrow = hash32(column, "d").to_pylist()
    for wide, low in zip(expected, narrow, strict=True):
        assert (low is None) == (wide is None)
        assert low is None or low % 2**32 == wide % 2**32  # type: ignore[operator]
    assert hash64(column.slice(0, 0), "d").to_pylist() == []
