"""Reads a log: its heads, its tree, its batches, and what its leaves commit to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stillhunt.errors import InputError
from stillhunt.evidence.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from stillhunt.evidence.entries import ACCOUNT_BYTES, ACCOUNT_LAYOUT, LEAF_BYTES, salts
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.log.batches import Batch, read_batch
from stillhunt.evidence.log.index import ExchangeIndex
from stillhunt.evidence.log.layout import LOG_VERSION, Layout, numbers
from stillhunt.evidence.log.payload import PayloadReader
from stillhunt.evidence.log.settings import read_settings
from stillhunt.evidence.merkle import Rows
from stillhunt.evidence.note import Note, VerifierKey, parse_note, parse_vkey
from stillhunt.evidence.tiles import ENTRIES, WIDTH, TileReader, read_tile, unpack_entries

_AT_ONCE = 1 << 16

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Opened:
    """Leaves with what they commit to, k of them.

    Attributes:
        positions: int64 (k,), ascending.
        rows: canonical bytes (k, 198); of rows of the accounts table (k, 35).
        salts: (k, 48).
    """

    positions: Positions
    rows: Rows
    salts: Rows


class Log:
    """A log as its latest signed head says that it is.

    Attributes:
        layout: where its files are; origin: its name; created: when, ISO 8601.
    """

    def __init__(self, root: Path) -> None:
        """Open a log.

        Raises:
            InputError: the folder is none, or one of another version.
        """
        self.layout = Layout(root)
        try:
            header = json.loads(self.layout.header.read_bytes())
            version, self.origin, self.created = (
                header[name] for name in ("log", "origin", "created")
            )
        except FileNotFoundError as error:
            raise InputError(
                f"{root} is no log.", "Make one with stillhunt log init, or name another folder."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"The log's {self.layout.header} cannot be read.", "Restore it from a backup."
            ) from error
        if version != LOG_VERSION:
            raise InputError(
                f"The log {root} has version {version}; this program reads {LOG_VERSION}.",
                "Use the version of Stillhunt that made it.",
            )
        self._batches: list[Batch] = []
        self._index: ExchangeIndex | None = None

    def keys(self) -> list[VerifierKey]:
        """Public keys that the log has ever signed with, the first one first."""
        paths = sorted(self.layout.keys.glob("*.vkey"))
        return [parse_vkey(path.read_text("utf-8").strip()) for path in paths]

    def sizes(self) -> list[int]:
        """Sizes of all heads that were signed, ascending."""
        return numbers(self.layout.checkpoints)

    def head(self, size: int | None = None) -> SignedCheckpoint:
        """A signed head: the latest, or the one of a size.

        Raises:
            InputError: there is none, or it was tampered with.
        """
        if size is None:
            sizes = self.sizes()
            if not sizes:
                raise InputError(f"The log {self.layout.root} has no head.", "Restore a backup.")
            size = sizes[-1]
        return self._check(self._note(self.layout.head(size)))

    def published(self) -> SignedCheckpoint:
        """The head that is public, which may be behind the latest one.

        Raises:
            InputError: there is none, or it was tampered with.
        """
        return self._check(self._note(self.layout.checkpoint))

    def checkpoint(self) -> Checkpoint:
        """The latest head without its signatures."""
        return self.head().checkpoint

    def tree(self, size: int | None = None) -> TileReader:
        """The tree, of the latest head or of a size up to that."""
        return TileReader(self.read_public, self.checkpoint().size if size is None else size)

    def read_public(self, path: str) -> bytes:
        """A file of the public part, by its path."""
        return (self.layout.public / path).read_bytes()

    def entries(self, first: int, end: int) -> Iterator[bytes]:
        """Entries from one position to before another.

        Raises:
            EvidenceError: the log has none there.
        """
        size = self.checkpoint().size
        if not 0 <= first <= end <= size:
            raise EvidenceError(f"The log has {size:,} leaves.", "Ask for one of those.")
        for index in range(first // WIDTH, -(-end // WIDTH)):
            start = index * WIDTH
            bundle = unpack_entries(read_tile(self.read_public, size, ENTRIES, index))
            yield from bundle[max(first - start, 0) : end - start]

    def entry(self, position: int) -> bytes:
        """One entry."""
        return next(self.entries(position, position + 1))

    def batches(self) -> Sequence[Batch]:
        """Records of all batches that the latest head covers."""
        size = self.checkpoint().size
        for number in numbers(self.layout.record(1).parent)[len(self._batches) :]:
            batch = read_batch(self.layout.record(number))
            if batch.end > size:
                break
            self._batches.append(batch)
        return self._batches

    def is_openable(self, batch: Batch) -> bool:
        """Whether what a batch commits to is still kept."""
        return self.layout.payload(batch.batch).exists() and self.layout.salts(batch.batch).exists()

    def positions_of(self, exchanges: Rows) -> Positions:
        """Positions of exchanges' leaves, -1 where one is not sealed or no longer kept.

        Args:
            exchanges: digests, uint8 (n, 16), as observations have them.
        """
        try:
            return self.exchange_index().positions_of(exchanges)
        except FileNotFoundError:  # a writer has merged runs meanwhile
            self._index = None
            return self.exchange_index().positions_of(exchanges)

    def exchange_index(self, *, write: bool = False) -> ExchangeIndex:
        """The index of exchanges, made again where it is not whole; on the disk only if it may."""
        batches = self.batches()
        if self._index is None or self._index.through < len(batches):
            self._index = ExchangeIndex(self.layout.index, len(batches), write=write)
            for batch in batches[self._index.through :]:
                self._index_batch(self._index, batch)
        return self._index

    def account_rows(self) -> dict[int, bytes]:
        """Of each account the row (35 bytes of ACCOUNT_LAYOUT) that was sealed last and is kept."""
        latest: dict[int, bytes] = {}
        for batch in self.batches():
            if batch.accounts and self.is_openable(batch):
                for rows in self._content(batch)[0].frames(ACCOUNT_BYTES):
                    records = np.ascontiguousarray(rows).reshape(-1).view(ACCOUNT_LAYOUT)
                    latest |= zip(
                        records["account"].tolist(), [r.tobytes() for r in rows], strict=True
                    )
        return latest

    def open_leaves(self, positions: Positions) -> Iterator[Opened]:
        """What leaves of observations commit to, some thousands at a time.

        Args:
            positions: int64 (n,), strictly increasing.

        Raises:
            EvidenceError: one is no observation's, or its content was deleted.
        """
        return self._open(positions, LEAF_BYTES)

    def open_accounts(self, positions: Positions) -> Iterator[Opened]:
        """As ``open_leaves``, for rows of the accounts table."""
        return self._open(positions, ACCOUNT_BYTES)

    def _open(self, positions: Positions, width: int) -> Iterator[Opened]:
        batches = self.batches()
        ends = np.array([batch.end for batch in batches], dtype=np.int64)
        of_batch = np.searchsorted(ends, positions, side="right")
        for number in np.unique(of_batch):
            if number == len(batches):
                raise self._no_leaf(int(positions[of_batch == number][0]))
            batch = batches[number]
            offset = 0 if width == LEAF_BYTES else batch.observations
            count = batch.observations if width == LEAF_BYTES else batch.accounts
            mine = positions[of_batch == number]
            places = mine - batch.first - offset
            wrong = (places < 0) | (places >= count)
            if wrong.any():
                raise self._no_leaf(int(mine[wrong][0]))
            payload, key = self._content(batch)
            for start in range(0, len(mine), _AT_ONCE):
                some = places[start : start + _AT_ONCE]
                low = int(some[0]) + offset
                stream = salts(key, low, int(some[-1]) + offset - low + 1)
                yield Opened(
                    mine[start : start + _AT_ONCE],
                    payload.rows(width, some),
                    stream[some + offset - low],
                )

    def _content(self, batch: Batch) -> tuple[PayloadReader, bytes]:
        try:
            key = self.layout.salts(batch.batch).read_bytes()
            payload = PayloadReader(
                self.layout.payload(batch.batch), batch.observations, batch.accounts
            )
        except FileNotFoundError as error:
            raise EvidenceError(
                f"What the leaves {batch.first:,} to {batch.leaf:,} commit to was deleted.",
                "It can be shown that they are in the log, and nothing else about them.",
            ) from error
        return payload, key

    def _index_batch(self, index: ExchangeIndex, batch: Batch) -> None:
        digests = [np.empty((0, 16), dtype=np.uint8)]
        if self.is_openable(batch):
            payload, _ = self._content(batch)
            digests += [rows[:, 6:22] for rows in payload.frames(LEAF_BYTES)]
        found = np.concatenate(digests)
        index.add(batch.batch, found, batch.first + np.arange(len(found), dtype=np.int64))

    def _note(self, path: Path) -> Note:
        try:
            return parse_note(path.read_bytes())
        except OSError as error:
            raise InputError(f"The head {path} cannot be read.", "Restore a backup.") from error

    def _check(self, note: Note) -> SignedCheckpoint:
        return open_checkpoint(note, self.keys(), self._witness_keys(), self.origin)

    def _witness_keys(self) -> list[VerifierKey]:
        return [witness.key for witness in read_settings(self.layout).witnesses]

    def _no_leaf(self, position: int) -> EvidenceError:
        return EvidenceError(
            f"The leaf {position:,} of the log is of another kind, or not there.",
            "Ask for leaves of observations.",
        )
