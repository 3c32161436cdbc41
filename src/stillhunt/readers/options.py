"""What a caller may ask of the readers, and what a read gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stillhunt.records.pseudonyms import Pseudonymiser


@dataclass(frozen=True)
class ReadOptions:
    """How to read logs.

    Attributes:
        source: name of a format, or ``auto`` to recognise each file's.
        mapping: TOML file that describes one's own format, for ``source="mapping"``.
        trusted_hops: how many proxies of the operator's own a request passes before the gateway;
            decides which address of an ``X-Forwarded-For`` list is the client's.
        pseudonymiser: replaces personal data; None leaves it clear.
        batch_rows: most rows in a batch. Batches are also bounded by their text (16 MiB).
        columns: canonical columns that are wanted; the others are null. None means all.
        logpush_key: PEM file of the private key that opens what Cloudflare's Logpush encrypted.
    """

    source: str = "auto"
    mapping: Path | None = None
    trusted_hops: int = 0
    pseudonymiser: Pseudonymiser | None = None
    batch_rows: int = 8192
    columns: frozenset[str] | None = None
    logpush_key: Path | None = None


@dataclass(frozen=True)
class ReadBatch:
    """Some rows of one file.

    Attributes:
        exchanges: EXCHANGE_SCHEMA, n rows; what the log does not say is null.
        file: the file, as the user named it.
        rows: shape (n,), int64: row numbers (Parquet, CSV) or line numbers (JSON lines), from 1.
    """

    exchanges: pa.RecordBatch
    file: str
    rows: np.ndarray


class InputFile:
    """One file of the input.

    Attributes:
        path: the file.
        bytes: its size as it lies there (compressed).
        source: name of the format it was recognised as.
    """

    def __init__(self, path: Path, size: int, source: str, digest: Callable[[], str]) -> None:
        self.path = path
        self.bytes = size
        self.source = source
        self._digest = digest

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, in hex; waits for it where it is still being computed."""
        return self._digest()

    def __repr__(self) -> str:
        return f"InputFile({str(self.path)!r}, {self.bytes}, {self.source!r})"
