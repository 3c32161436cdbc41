"""Appends to a log.

What an append writes lies beyond every head that was signed, and is cut off again if the process ends
before the next head. Signing one comes last, when everything that it covers is on the disk; the file
``private/checkpoints/SIZE`` is the moment at which it holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EEXIST
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence.checkpoint import Checkpoint, SignedCheckpoint, quorum_met
from stillhunt.evidence.entries import (
    ACCOUNT_BYTES,
    BATCH,
    KEY,
    SALT_KEY_BYTES,
    account_entries,
    as_rows,
    digest_entry,
    observation_entries,
    salts,
)
from stillhunt.evidence.keys import (
    Signer,
    new_signer,
    read_signer,
    rotation_statement,
    write_signer,
)
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.log.files import held, put, sync, sync_all
from stillhunt.evidence.log.layout import Layout, numbers
from stillhunt.evidence.log.payload import PayloadWriter
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.recovery import cut_off_batches, settle_rotation, sweep
from stillhunt.evidence.log.seam import MakeTotals, Unsealed
from stillhunt.evidence.log.settings import read_settings
from stillhunt.evidence.log.tile_writer import TileWriter, cut_off
from stillhunt.evidence.merkle import (
    Frontier,
    HashRows,
    Rows,
    frontier_of,
    hash_rows,
    leaf_hashes,
)
from stillhunt.evidence.note import Note, Signature
from stillhunt.records.leaf import LAYOUT

_AT_ONCE = 1 << 16
"""Leaves that are hashed at a time; a multiple of a payload's frame."""


class LogWriter:
    """Appends to a log that is held for writing; see ``writing_log``.

    Attributes:
        log: the log, as of its latest head.
        size: leaves, those not covered by a head yet included.
    """

    def __init__(self, root: Path, hasher: HashRows = hash_rows) -> None:
        """Cut off what a killed writer left, and go on behind the latest head.

        Args:
            root: of the log; hasher: SHA-256 of many rows.

        Raises:
            InputError: it is no log, or its tiles do not belong to its latest head.
        """
        self.log = Log(root)
        self._layout: Layout = self.log.layout
        self._hasher = hasher
        self._broken = False
        self._head = self.log.head()
        self.size = self._head.checkpoint.size
        sweep(self._layout)
        cut_off_batches(self._layout, len(self.log.batches()))
        cut_off(self._layout.public, self.size)
        settle_rotation(self._layout, self._head)
        self._publish_again()
        self._frontier: Frontier = frontier_of(self.log.tree(self.size), self.size)
        if self._frontier.root() != self._head.checkpoint.root:
            raise InputError(
                f"The tiles of the log {root} are not those of its latest head.",
                "Restore the folder public/tile from a backup; do not seal before.",
            )
        self._tiles = TileWriter(self._layout.public, self.size)
        self._written: list[Path] = []
        self._batches = [*self.log.batches()]
        self._index = self.log.exchange_index(write=True)
        self._index.sweep()
        self._unindexed: list[tuple[Batch, Rows]] = []

    def append(
        self,
        observations: np.ndarray,
        accounts: np.ndarray | None = None,
        *,
        source: dict[str, Any] | None = None,
        totals: MakeTotals | None = None,
    ) -> Batch:
        """Append a batch; it holds from the next head on.

        Args:
            observations: records of LAYOUT (n,), as ``records.observation.canonical_bytes`` makes
                them, or their bytes (n, 198); in the order in which they get positions.
            accounts: rows of ``entries.ACCOUNT_LAYOUT`` (m,), or their bytes (m, 35), that are new
                or changed.
            source: where they are from: names to strings, numbers or lists of these.
            totals: called with the batch; what it returns is sealed with it.

        Raises:
            OutputError: the log cannot be written.
        """
        rows = as_rows(observations)
        number = len(self._batches) + 1
        extra = (
            np.empty((0, ACCOUNT_BYTES), dtype=np.uint8) if accounts is None else as_rows(accounts)
        )
        key = os.urandom(SALT_KEY_BYTES)
        records = np.ascontiguousarray(rows).reshape(-1).view(LAYOUT)
        times = records["time"]
        made = totals(Unsealed(number, self.size, records, extra)) if totals is not None else None
        batch = Batch(
            batch=number,
            first=self.size,
            observations=len(rows),
            accounts=len(extra),
            period=(int(times.min()), int(times.max())) if len(rows) else None,
            source=source or {},
            totals=made.record if made is not None else None,
            previous=self._batches[-1].digest().hex() if self._batches else "",
        )
        record = batch.encode()
        with self.writing():
            put(self._layout.salts(number), key, 0o600)
            if made is not None:
                put(self._layout.totals(number), made.data, 0o600)
            with PayloadWriter(self._layout.payload(number)) as payload:
                for some, salt in self._chunks(rows, key, 0):
                    payload.add(some)
                    self._extend(observation_entries(some, salt, self._hasher))
                for some, salt in self._chunks(extra, key, len(rows)):
                    payload.add(some)
                    self._extend(account_entries(some, salt, self._hasher))
            sync(self._layout.payload(number))
            sync(self._layout.payload(number).parent)
            put(self._layout.record(number), record, 0o600)
            self._extend_digest(BATCH, batch.digest())
        self._batches.append(batch)
        self._unindexed.append((batch, rows[:, 6:22].copy()))
        return batch

    def append_entry(self, kind: int, digest: bytes) -> int:
        """Append an entry that holds a digest; it holds from the next head on.

        Args:
            kind: ``entries.CLAIM`` or ``entries.KEY``; digest: SHA-256, 32 bytes.

        Returns:
            Its position.
        """
        position = self.size
        with self.writing():
            self._extend_digest(kind, digest)
        return position

    def publish(self, more: Iterable[Signer] = ()) -> SignedCheckpoint:
        """Sign a head over everything that was appended, and make it public.

        Where the log has a quorum of witnesses, a head becomes public when it is met; it is signed and
        holds before.

        Args:
            more: further keys of the log to sign with, while one is rotated.

        Returns:
            The head.

        Raises:
            OutputError: the log cannot be written.
        """
        with self.writing():
            if self.size == self._head.checkpoint.size:
                return self._head
            self._tiles.finish()
            sync_all(self._layout.public, self._tiles.written)
            checkpoint = Checkpoint(self.log.origin, self.size, self._frontier.root())
            signers = [self._signer(), *more]
            note = Note(checkpoint.text, tuple(s.sign(checkpoint.text) for s in signers))
            if self._layout.head(self.size).exists():
                raise FileExistsError(EEXIST, "there is another head of this size")
            put(self._layout.head(self.size), note.encode())  # from here on it holds
            self._head = self.log.head(self.size)
            self._publish_again()
            self._tiles.settled()
            for batch, digests in self._unindexed:
                positions = batch.first + np.arange(len(digests), dtype=np.int64)
                self._index.add(batch.batch, digests, positions)
            self._unindexed = []
        return self._head

    def add_cosignatures(self, signatures: Iterable[Signature]) -> SignedCheckpoint:
        """Add witnesses' cosignatures to the latest head; public it is when the quorum is met.

        Those of witnesses that the log does not know are left out.

        Raises:
            SignatureError: one does not verify.
        """
        settings = read_settings(self._layout)
        known = {(w.key.name, w.key.key_id): w.key for w in settings.witnesses}
        text = self._head.checkpoint.text
        good = [s for s in signatures if (s.name, s.key_id) in known]
        for signature in good:
            known[signature.name, signature.key_id].check(text, signature)
        with self.writing():
            size = self._head.checkpoint.size
            put(self._layout.head(size), self._head.note.having(good).encode())
            self._head = self.log.head(size)
            self._publish_again()
        return self._head

    def rotate(self) -> Path:
        """Give the log a new key; the head that says so is signed by both.

        Returns:
            File of the new key.

        Raises:
            OutputError: the log cannot be written.
        """
        old, new = self._signer(), new_signer(self.log.origin)
        number = numbers(self._layout.keys, ".key")[-1] + 1
        statement = rotation_statement(self.log.origin, self.size, old, new)
        with self.writing():
            put(self._layout.keys / f"{number:04d}.statement", statement)
            write_signer(self._layout.key(number).with_suffix(".new"), new)
        self.append_entry(KEY, sha256(statement).digest())
        self.publish([new])
        with self.writing():
            settle_rotation(self._layout, self._head)
            self._head = self.log.head()
        return self._layout.key(number)

    def positions_of(self, exchanges: Rows) -> np.ndarray:
        """As of ``Log``, with what was appended and is not covered by a head yet.

        Args:
            exchanges: digests, uint8 (n, 16).
        """
        found = self._index.positions_of(exchanges)
        for batch, digests in self._unindexed:
            here = {row.tobytes(): batch.first + i for i, row in enumerate(digests)}
            for i in np.flatnonzero(found < 0):
                found[i] = here.get(exchanges[i].tobytes(), -1)
        return found

    @property
    def batches(self) -> list[Batch]:
        """Records of all batches, those not covered by a head yet included."""
        return self._batches

    def _chunks(self, rows: Rows, key: bytes, first: int) -> Iterator[tuple[Rows, Rows]]:
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            yield some, salts(key, first + start, len(some))

    def _extend(self, entries: Rows) -> None:
        nodes = self._frontier.extend(leaf_hashes(entries, self._hasher), self._hasher)
        self._tiles.grow(entries, nodes)
        self.size = self._frontier.size

    def _extend_digest(self, kind: int, digest: bytes) -> None:
        entry = digest_entry(kind, digest)
        self._extend(np.frombuffer(entry, dtype=np.uint8).reshape(1, -1))

    def _signer(self) -> Signer:
        return read_signer(self._layout.key(numbers(self._layout.keys, ".key")[-1]))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What is written within ends well, or nothing more is written; errors say what to do."""
        if self._broken:
            raise OutputError(
                "An earlier append to the log did not end well.", "Open the log again and go on."
            )
        self._broken = True
        try:
            yield
            self._broken = False
        except OSError as error:
            raise OutputError(
                f"The log {self._layout.root} cannot be written: {error.strerror}.",
                "Free disk space, or check the permissions of its folder, and run this again.",
            ) from error

    def _publish_again(self) -> None:
        """Have the latest head public, if so many witnesses cosigned it as are asked for."""
        note = self._head.note.encode()
        if not quorum_met(self._head, read_settings(self._layout).quorum):
            return
        if not self._layout.checkpoint.exists() or self._layout.checkpoint.read_bytes() != note:
            put(self._layout.checkpoint, note)


@contextmanager
def writing_log(root: Path, hasher: HashRows = hash_rows) -> Iterator[LogWriter]:
    """Hold a log for writing.

    Args:
        root: its folder; hasher: SHA-256 of many rows.

    Raises:
        UsageError: another process writes to it.
        InputError: it is no log, or damaged.
        OutputError: it cannot be written.
    """
    layout = Log(root).layout
    with held(layout.root, "log"):
        yield LogWriter(root, hasher)
