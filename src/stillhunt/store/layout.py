"""Where things lie in a store, and what columns its files have. ``docs/formats.md`` publishes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from stillhunt.records.observation import OBSERVATION_SCHEMA

STORE_VERSION = 1
"""Of the layout; a change of files, columns or meaning is a new one."""

STORED_SCHEMA: pa.Schema = OBSERVATION_SCHEMA.append(pa.field("key", pa.int64(), nullable=False))
"""An observation as it is stored: ``key``, by which tables are joined, is the first 8 bytes of
``exchange``, little-endian. It is written although it follows from ``exchange``: neither DuckDB nor
Spark makes an integer of little-endian bytes cheaply."""

PAIRS = pa.field("pairs", pa.list_(pa.int32()))
"""Word pairs of a prompt; only in stores that live as long as a run of the window alarm."""

NAMES_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("file", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
"""Beside each part, row for row: what findings need to name exchanges and to find their text again.
``file`` is the input's number in the manifest, ``row`` its row or line there, from 1, or its offset."""

IDENTITY_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
    ]
)
"""Distinct names seen in a part, and the hash that observations have in their place."""

IDENTITY_KINDS: dict[str, tuple[str, str]] = {
    "account": ("account", "account"),
    "organization": ("organization", "organization"),
    "address": ("address", "client_address"),
    "agent": ("agent", "user_agent"),
}
"""Kind to the column of observations with its hash and the column of exchanges with its name."""

ROW_GROUP = 1 << 18
"""Rows in a row group, at most."""

_DICTIONARY = (
    "account", "organization", "asn", "tls", "agent", "model", "system", "guarantee", "cues", "words",
    "response_bytes", "input_tokens", "output_tokens", "max_tokens", "status", "finish", "temperature",
)  # fmt: skip

OBSERVATION_ENCODING: dict[str, Any] = {
    # A dictionary of hashes that hardly repeat costs more than it saves; of what comes in runs
    # zstd makes less by itself. BYTE_STREAM_SPLIT would save a byte, but Spark 3 cannot read it.
    "use_dictionary": list(_DICTIONARY),
    "column_encoding": {"time": "DELTA_BINARY_PACKED"},
}
NAMES_ENCODING: dict[str, Any] = {
    "use_dictionary": ["file"],
    "column_encoding": {"exchange_id": "DELTA_BYTE_ARRAY", "row": "DELTA_BINARY_PACKED"},
}


@dataclass(frozen=True)
class Layout:
    """Paths of a store.

    Attributes:
        root: its folder.
    """

    root: Path

    @property
    def header(self) -> Path:
        """What says that this is a store."""
        return self.root / "store.json"

    @property
    def manifest(self) -> Path:
        """Folder of transactions."""
        return self.root / "manifest"

    @property
    def temporary(self) -> Path:
        """Folder for what lives as long as a transaction; whatever is in it may be swept."""
        return self.root / "tmp"

    @property
    def spool(self) -> Path:
        """Folder of what was received and is not yet taken in; nothing sweeps it."""
        return self.root / "spool"

    def transaction(self, number: int) -> Path:
        """File of a transaction."""
        return self.manifest / f"{number:08d}.json"

    def observations(self, part: str, day: str) -> Path:
        """File of a part's observations."""
        return self.root / "observations" / f"day={day}" / f"{part}.parquet"

    def names(self, part: str, day: str) -> Path:
        """File of a part's names."""
        return self.root / "names" / f"day={day}" / f"{part}.parquet"

    def identities(self, part: str) -> Path:
        """File of the names of accounts, organizations, addresses and clients seen in a part."""
        return self.root / "identities" / f"{part}.parquet"

    def accounts(self, part: str) -> Path:
        """File of one version of the accounts table."""
        return self.root / "accounts" / f"{part}.parquet"

    def quarantine(self, part: str) -> Path:
        """File of the rows that a transaction could not take."""
        return self.root / "quarantine" / f"{part}.jsonl"

    def keys(self, run: str) -> Path:
        """File of a run of the key index."""
        return self.root / "keys" / f"{run}.keys"

    def part_files(self, part: str, day: str) -> tuple[Path, Path, Path]:
        """Observations, names and identities of a part."""
        return self.observations(part, day), self.names(part, day), self.identities(part)
