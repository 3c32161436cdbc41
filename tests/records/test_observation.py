from __future__ import annotations

import json
import re
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.fingerprints.observe import Observer
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.records.observation import (
    GRAMS,
    LAYOUT,
    OBSERVATION_SCHEMA,
    OBSERVATION_VERSION,
    canonical_bytes,
    observations_of,
)

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
SECTION = PAGE[PAGE.index("## Observation, version 1") :]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Written from docs/formats.md and not from the code.
FORMAT = "<BBI16sqqqiqqiiiiiqiqiiiiihbfb16i"
# fmt: off
NAMES = [
    "time", "account", "organization", "credential", "address", "network", "asn", "tls", "agent",
    "model", "system", "item", "guarantee", "cues", "words", "response_bytes", "input_tokens",
    "output_tokens", "max_tokens", "status", "finish", "temperature", "stream",
]
# fmt: on


def decode(leaf: bytes) -> dict[str, Any]:
    version, grams, nulls, exchange, *rest = struct.unpack(FORMAT, leaf)
    assert version == 1
    row: dict[str, Any] = {"exchange": exchange}
    for bit, name in enumerate(NAMES):
        row[name] = None if nulls >> bit & 1 else rest[bit]
        assert rest[bit] == 0 or row[name] is not None
    assert nulls >> len(NAMES) == 0
    row["stream"] = None if row["stream"] is None else bool(row["stream"])
    row["grams"] = rest[len(NAMES) :][:grams]
    assert not any(rest[len(NAMES) + grams :])
    return row


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)


def values(field: pa.Field) -> st.SearchStrategy[Any]:
    if field.name == "time":
        moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1))
        return moments.map(lambda t: t.replace(tzinfo=UTC))
    if field.name == "grams":
        return st.lists(integers(32), max_size=GRAMS)
    if field.name == "exchange":
        return st.binary(min_size=16, max_size=16)
    if pa.types.is_boolean(field.type):
        some: st.SearchStrategy[Any] = st.booleans()
    elif pa.types.is_floating(field.type):
        some = st.floats(0, 2, width=32)
    else:
        some = integers(field.type.bit_width)
    return st.none() | some if field.nullable else some


rows = st.lists(
    st.fixed_dictionaries({field.name: values(field) for field in OBSERVATION_SCHEMA}), max_size=6
)


@given(rows, st.data())
@settings(max_examples=120, deadline=None)
def test_canonical_bytes_say_all_that_the_columns_say(
    table: list[dict[str, Any]], data: st.DataObject
) -> None:
    batch = pa.RecordBatch.from_pylist(table, schema=OBSERVATION_SCHEMA)
    first = data.draw(st.integers(0, len(table)))
    leaves = canonical_bytes(batch.slice(first))
    assert leaves.shape == (len(table) - first,)
    assert leaves.dtype == LAYOUT
    for leaf, row in zip(leaves, table[first:], strict=True):
        expected = dict(row, time=(row["time"] - EPOCH).total_seconds() * 1e6)
        decoded = decode(leaf.tobytes())
        assert abs(decoded.pop("time") - expected.pop("time")) < 1
        assert decoded == expected


@given(rows)
@settings(max_examples=80, deadline=None)
def test_canonical_bytes_are_read_back(table: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(table, schema=OBSERVATION_SCHEMA)
    leaves = canonical_bytes(batch)
    again = observations_of(leaves)
    assert again.schema == OBSERVATION_SCHEMA
    assert again.equals(batch)
    assert canonical_bytes(again).tobytes() == leaves.tobytes()


def test_bytes_of_another_version_are_refused() -> None:
    leaves = np.zeros(2, dtype=LAYOUT)
    with pytest.raises(ValueError, match="version"):
        observations_of(leaves)


def test_the_time_is_kept_to_the_microsecond() -> None:
    row = {field.name: None for field in OBSERVATION_SCHEMA}
    moment = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
    row |= {"exchange": b"x" * 16, "time": moment, "account": -1, "grams": []}
    leaf = canonical_bytes(pa.RecordBatch.from_pylist([row], schema=OBSERVATION_SCHEMA))[0]
    assert decode(leaf.tobytes())["time"] == int(moment.timestamp()) * 10**6 + 123457


def test_the_published_layout_is_the_code_s() -> None:
    assert struct.calcsize(FORMAT) == LAYOUT.itemsize == 198
    assert OBSERVATION_VERSION == 1
    lines = re.findall(r"^\| (\d+) \| (\d+) \| [^|]+ \| `?(\w+)[^|]*\| ?(\d*) \|$", SECTION, re.M)
    published = [(int(at), int(size), name, bit) for at, size, name, bit in lines]
    names = ["version", "number", "nulls", "exchange", *NAMES, "grams"]
    assert [name for _, _, name, _ in published] == names
    coded = [LAYOUT.fields[name][1] for name in LAYOUT.names]
    assert [at for at, _, _, _ in published] == coded
    assert [size for _, size, _, _ in published] == [LAYOUT[n].itemsize for n in LAYOUT.names]
    bits = [bit for _, _, name, bit in published if name in NAMES]
    assert bits == [str(i) for i in range(len(NAMES))]


def test_the_published_columns_are_the_code_s() -> None:
    published = re.findall(r"^\| `(\w+)` \| ([^|]+?) \| [^|]+ \|$", SECTION, re.M)
    assert [name for name, _ in published] == OBSERVATION_SCHEMA.names
    for (_, words), field in zip(published, OBSERVATION_SCHEMA, strict=True):
        assert words.endswith(", never null") == (not field.nullable)
        if pa.types.is_integer(field.type):
            assert words.startswith(str(field.type))


def test_the_published_example_is_what_comes_out() -> None:
    exchange = json.loads(re.search(r"```json\n(.*?)```", SECTION, re.S)[1])  # type: ignore[index]
    published = re.search(r"```text\n(.*?)```", SECTION, re.S)[1]  # type: ignore[index]
    exchange["time"] = datetime.fromisoformat(exchange["time"])
    batch = pa.RecordBatch.from_pylist([exchange], schema=EXCHANGE_SCHEMA)
    leaf = canonical_bytes(Observer(threads=1).observe(batch))[0].tobytes()
    assert leaf.hex() == "".join(published.split())
    decoded = decode(leaf)
    assert decoded["output_tokens"] == 240
    assert decoded["finish"] == 0
    assert len(decoded["grams"]) == 6
    assert decoded["organization"] is None
