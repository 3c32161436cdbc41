"""What is in a store: the fold of its transactions, in their order.

A transaction is one small JSON file, put in place in one step. What no transaction names is not in
the store, whatever lies in its folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from stillhunt.errors import InputError, OutputError
from stillhunt.store.durable import write_json

CHECKPOINT_EVERY = 64
"""Transactions after which the fold is written down, so that the next one starts there."""

_NUMBERED = re.compile(r"(\d{8})\.json")
_PART = re.compile(r"[A-Za-z0-9_-]{1,80}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Part:
    """Observations of one day that were written together.

    Attributes:
        part: name of its files; day: ISO date, UTC; rows: how many.
        bytes, names_bytes: of the observations and of the names.
    """

    part: str
    day: str
    rows: int
    bytes: int = 0
    names_bytes: int = 0


@dataclass(frozen=True)
class Input:
    """One input: a file, or a stretch of a partition of a topic.

    Attributes:
        path: where it was; sha256: of its bytes, empty for a topic; bytes: its size.
        modified: nanoseconds since 1970, 0 where it is not known.
        rows: exchanges that were read; duplicates: of those, that were there already.
        quarantined: rows that were lost, duplicates included.
        source: the format it was read as.
        refused: why nothing of it was taken; empty where it was.
    """

    path: str
    sha256: str = ""
    bytes: int = 0
    modified: int = 0
    rows: int = 0
    duplicates: int = 0
    quarantined: int = 0
    source: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Transaction:
    """One step of a store's history.

    Attributes:
        kind: ``ingest``, ``compaction`` or ``retention``.
        at: when, ISO 8601.
        added, removed: parts, and names of parts.
        inputs: in the order of their numbers.
        offsets: topic to partition to the next offset to read.
        accounts: name of a version of the accounts table; empty: none.
        accounts_removed: versions that are superseded.
        keys_added, keys_removed: runs of the key index.
        keys_through: last transaction whose rows the key index holds; 0: does not say.
        quarantine: name of a quarantine file; empty: nothing was lost.
        quarantines_removed: names of such files that have expired.
    """

    kind: str
    at: str
    added: tuple[Part, ...] = ()
    removed: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    offsets: dict[str, dict[str, int]] = field(default_factory=dict)
    accounts: str = ""
    accounts_removed: tuple[str, ...] = ()
    keys_added: tuple[str, ...] = ()
    keys_removed: tuple[str, ...] = ()
    keys_through: int = 0
    quarantine: str = ""
    quarantines_removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """What a store holds after so many transactions.

    Attributes:
        transactions: how many; they are numbered from 1.
        parts: name to part; inputs: by their numbers; offsets: as in a transaction.
        accounts: versions of the accounts table, oldest first.
        keys: runs of the key index; keys_through: last transaction whose rows they hold, 0: none.
        rows_through: last transaction that brought rows, 0: none.
        quarantines: name of each quarantine file to when it was written.
    """

    transactions: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    offsets: dict[str, dict[str, int]] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    keys_through: int = 0
    rows_through: int = 0
    quarantines: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Observations in the store."""
        return sum(part.rows for part in self.parts.values())

    @property
    def next_number(self) -> int:
        """Number of the transaction to come."""
        return self.transactions + 1

    def step(self, transaction: Transaction) -> State:
        """The state after one more transaction.

        Raises:
            ValueError: it adds what is there, or removes what is not.
        """
        number = self.transactions + 1
        parts = dict(self.parts)
        for name in transaction.removed:
            if parts.pop(name, None) is None:
                raise ValueError(f"part {name} is removed and is not there")
        for part in transaction.added:
            if part.part in parts:
                raise ValueError(f"part {part.part} is added twice")
            parts[part.part] = part
        offsets = {topic: dict(at) for topic, at in self.offsets.items()}
        for topic, at in transaction.offsets.items():
            offsets.setdefault(topic, {}).update(at)
        left = _without(tuple(self.quarantines), transaction.quarantines_removed)
        quarantines = {name: self.quarantines[name] for name in left}
        if transaction.quarantine:
            quarantines[transaction.quarantine] = transaction.at
        versions = _without(self.accounts, transaction.accounts_removed)
        brings_rows = bool(transaction.added) and transaction.kind == "ingest"
        return State(
            transactions=number,
            parts=parts,
            inputs=self.inputs + transaction.inputs,
            offsets=offsets,
            accounts=versions + ((transaction.accounts,) if transaction.accounts else ()),
            keys=_without(self.keys, transaction.keys_removed) + transaction.keys_added,
            keys_through=max(self.keys_through, transaction.keys_through),
            rows_through=number if brings_rows else self.rows_through,
            quarantines=quarantines,
        )


def _without(names: tuple[str, ...], gone: Iterable[str]) -> tuple[str, ...]:
    left = set(gone)
    if not left <= set(names):
        raise ValueError(f"{sorted(left - set(names))[0]} is removed and is not there")
    return tuple(name for name in names if name not in left)


def fold(transactions: Iterable[Transaction], start: State | None = None) -> State:
    """The state after all of them.

    Raises:
        ValueError: they contradict one another.
    """
    state = start or State()
    for transaction in transactions:
        state = state.step(transaction)
    return state


def read_state(folder: Path) -> State:
    """Fold a manifest, from its checkpoint on where it has one.

    Args:
        folder: of transactions; where there is none, the store is empty.

    Raises:
        InputError: a transaction is missing, cannot be read, or contradicts those before it.
    """
    if not folder.is_dir():
        return State()
    numbers = sorted(
        int(m[1]) for path in folder.iterdir() if (m := _NUMBERED.fullmatch(path.name))
    )
    state = _checkpoint(folder)
    last = numbers[-1] if numbers else 0
    if state.transactions > last:
        state = State()  # the checkpoint is of another history
    for number in range(state.transactions + 1, last + 1):
        try:
            state = state.step(read_transaction(folder, number))
        except ValueError as error:
            raise _unreadable(folder / f"{number:08d}.json", error) from error
    return state


def read_transaction(folder: Path, number: int) -> Transaction:
    """One transaction of a manifest.

    Raises:
        InputError: it is missing, or cannot be read.
    """
    path = folder / f"{number:08d}.json"
    try:
        return transaction_from(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    said = ascii(str(error)[:200])[1:-1]
    return InputError(
        f"The store's transaction {path} cannot be read: {said}.",
        "Copy the store again, or restore its folder manifest from a backup.",
    )


def commit(folder: Path, state: State, transaction: Transaction) -> State:
    """Make a transaction part of the store's history; from then on it holds, whatever happens.

    Whatever it names must be on the disk already.

    Returns:
        The state after it.

    Raises:
        OutputError: it cannot be written, or another process has written one.
    """
    after = state.step(transaction)
    path = folder / f"{after.transactions:08d}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise OutputError(
                f"The store has a transaction {path} that this run did not make.",
                "Let only one process write to a store; then run this again.",
            )
        write_json(path, transaction_json(transaction))
        if after.transactions % CHECKPOINT_EVERY == 0:
            write_json(folder / "checkpoint.json", _state_json(after))
    except OSError as error:
        raise OutputError(
            f"The store's transaction {path} cannot be written: {error.strerror}.",
            "Free disk space, or check the permissions of the store's folder.",
        ) from error
    return after


def transaction_json(transaction: Transaction) -> dict[str, Any]:
    """A transaction as it is written; what is empty is left out."""
    document = asdict(transaction)
    return {k: v for k, v in document.items() if v not in ((), {}, "", 0)}


def transaction_from(document: dict[str, Any]) -> Transaction:
    """A transaction as it was written; keys that are not known are passed over.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if not isinstance(document, dict):
        raise TypeError("it is no object")
    known = {name: document[name] for name in Transaction.__dataclass_fields__ if name in document}
    lists = {k: tuple(v) for k, v in known.items() if isinstance(v, list)}
    transaction = Transaction(**{"kind": "ingest", "at": ""} | known | lists)
    for name in _files(transaction):
        if not _PART.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a file")
    return replace(
        transaction,
        added=tuple(_part(row) for row in transaction.added),
        inputs=tuple(_input(row) for row in transaction.inputs),
    )


def _files(transaction: Transaction) -> tuple[str, ...]:
    one = (transaction.accounts, transaction.quarantine)
    return (*(name for name in one if name), *transaction.keys_added)


def _part(row: Any) -> Part:
    part = Part(**{name: row[name] for name in Part.__dataclass_fields__ if name in row})
    # Names become paths: they must not lead out of the store.
    if not _PART.fullmatch(part.part) or not _DAY.fullmatch(part.day):
        raise ValueError(f"{part.part!r} of {part.day!r} is no name of a part")
    return part


def _input(row: Any) -> Input:
    return Input(**{name: row[name] for name in Input.__dataclass_fields__ if name in row})


def _state_json(state: State) -> dict[str, Any]:
    return asdict(state) | {"parts": [asdict(part) for part in state.parts.values()]}


def _checkpoint(folder: Path) -> State:
    """The state that was written down, or the empty one: a checkpoint only saves time."""
    try:
        document = orjson.loads((folder / "checkpoint.json").read_bytes())
        lists = {k: tuple(v) for k, v in dict(document).items() if isinstance(v, list)}
        state = State(**document | lists)
        parts = [_part(row) for row in document["parts"]]
        return replace(
            state,
            parts={part.part: part for part in parts},
            inputs=tuple(_input(row) for row in state.inputs),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return State()
