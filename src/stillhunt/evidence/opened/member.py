"""The member ``opened``: exchanges of a claim opened whole, with what proves that it counts them.

At depth counts that is their path through the claim's trees and a batch proof that the log holds them; at
pseudonymous depth they are named by their places, and what the bundle does not show of them is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.binary import Reader, put_increasing, put_number
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.claim.tree import Walk, Weights, account_hash, exchange_hashes
from stillhunt.evidence.claim.values import REFERRED, values_of
from stillhunt.evidence.entries import LEAF_BYTES, SALT_BYTES, SALTS_BYTES
from stillhunt.evidence.merkle import NodeReader
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.pseudonyms import salt as opening_of
from stillhunt.evidence.refusal import Code
from stillhunt.records.leaf import LAYOUT

MAGIC = b"stillhunt opened 1\n"
MOST_ID_BYTES = 1 << 12
"""Of an exchange's id in UTF-8."""

_HIDDEN = slice(30, 78)  # who and where: what pseudonymous leaves do not show
_HIDDEN_SALTS = 2 * SALT_BYTES


@dataclass(frozen=True)
class Whole:
    """One exchange as it was sealed.

    Attributes:
        exchange_id: its id in clear; position: of its leaf in the log.
        leaf: 198 canonical bytes, of which a member at pseudonymous depth holds who and where alone.
        salts: 48 bytes, of which such a member holds the first 32.
        openings: 16 bytes for each kind of REFERRED, zeroes for none; at pseudonymous depth only.
    """

    exchange_id: str
    position: int
    leaf: bytes
    salts: bytes
    openings: tuple[bytes, ...] = ()

    @property
    def record(self) -> np.ndarray:
        """Its leaf as a record of LAYOUT, (1,)."""
        return np.frombuffer(self.leaf, dtype=LAYOUT)


@dataclass(frozen=True)
class Placed:
    """An exchange where a member has it.

    Attributes:
        account, place: index of its account, and its place among the account's exchanges.
        value: hash of the account, 8 bytes; opening: what opens that account's pseudonym, 16 bytes.
        least, most: between which its key has to lie; 0 to the largest at pseudonymous depth.
        whole: what is shown of it.
    """

    account: int
    place: int
    value: bytes
    opening: bytes
    least: int
    most: int
    whole: Whole


@dataclass(frozen=True)
class Traced:
    """A member of depth counts, read.

    Attributes:
        placed: exchanges; misplaced: whether an account stands where another must stand.
        weights, root: of the claim's tree, as they lead to it; proof: that the log holds them.
    """

    placed: list[Placed]
    misplaced: bool
    weights: Weights
    root: bytes
    proof: bytes


def write_traced(
    trees: ClaimTrees, chosen: Mapping[int, Whole], nodes: NodeReader, size: int
) -> bytes:
    """The member at depth counts.

    Args:
        trees: of the claim; chosen: exchanges by their number in the claim's order, at least one.
        nodes: of the log, of which the first ``size`` leaves are proven against.
    """
    rows, of_account = trees.rows, _by_account(trees, chosen)
    out = bytearray(MAGIC)

    def write_account(account: int) -> None:
        first, tree = int(rows.starts[account]), trees.exchanges(account)
        places = of_account[account]
        out.extend(trees.value(account) + trees.opening(account))
        put_number(out, tree.size)
        put_increasing(out, places)
        tree.prove(places, out, lambda place: write(chosen[first + place]), counted=False)

    def write(one: Whole) -> None:
        _put_id(out, one.exchange_id)
        put_number(out, one.position)
        out.extend(one.salts + one.leaf)

    put_increasing(out, list(of_account))
    trees.top.prove(list(of_account), out, write_account, counted=True)
    positions = sorted(one.position for one in chosen.values())
    return bytes(out) + batch_proof(nodes, size, positions)


def write_placed(trees: ClaimTrees, secret: bytes, chosen: Mapping[int, Whole]) -> bytes:
    """The member at pseudonymous depth; ``secret``: the claim's key. Else as ``write_traced``."""
    of_account = _by_account(trees, chosen)
    out = bytearray(MAGIC)
    put_increasing(out, list(of_account))
    for account, places in of_account.items():
        out.extend(trees.value(account) + trees.opening(account))
        put_increasing(out, places)
        for place in places:
            one = chosen[int(trees.rows.starts[account]) + place]
            _put_id(out, one.exchange_id)
            out.extend(one.salts[:_HIDDEN_SALTS] + one.leaf[_HIDDEN])
            out.extend(b"".join(_openings(one.record, secret)))
    return bytes(out)


def read_traced(body: bytes | memoryview, accounts: int, exchanges: int) -> Traced:
    """Read a member of depth counts.

    Args:
        body: hostile; accounts, exchanges: how many are claimed.

    Raises:
        Refused: it is malformed.
    """
    reader = _begin(body)
    opened = _some(reader, accounts)
    walk = Walk(reader, opened, counted=True, start=(0, 0, 0))
    placed: list[Placed] = []
    misplaced = False

    def account(index: int, low: int, high: int) -> tuple[Weights, bytes]:
        nonlocal misplaced
        value, opening = reader.take(8), reader.take(16)
        misplaced |= not low <= int.from_bytes(value, "little") <= high
        size = reader.number(exchanges)
        inner = Walk(reader, _some(reader, size), counted=False, start=walk.before)

        def exchange(place: int, least: int, most: int) -> tuple[Weights, bytes]:
            name, position = _take_id(reader), reader.number()
            salts, leaf = reader.take(SALTS_BYTES), reader.take(LEAF_BYTES)
            whole = Whole(name, position, leaf, salts)
            placed.append(Placed(index, place, value, opening, least, most, whole))
            record = whole.record[0]
            tokens = int(record["input_tokens"]), int(record["output_tokens"])
            if min(tokens) < 0:
                raise reader.malformed()
            row = np.array([[position], [tokens[0]], [tokens[1]]], dtype=np.uint64)
            return (1, *tokens), bytes(exchange_hashes(*row)[0].tobytes())

        weights, root = inner.root(size, exchange, lambda *_: None)
        return weights, account_hash(weights, pseudonym("account", opening, value), root)

    weights, root = walk.root(accounts, account, lambda *_: None)
    return Traced(placed, misplaced, weights, root, reader.take(reader.left()))


def read_placed(body: bytes | memoryview, starts: np.ndarray) -> list[Placed]:
    """Read a member of pseudonymous depth; leaves lack what, salts that of what, and positions are 0.

    Args:
        body: hostile; starts: int64 (m + 1,), where each account's leaves begin.

    Raises:
        Refused: it is malformed.
    """
    reader = _begin(body)
    placed: list[Placed] = []
    for account in _some(reader, len(starts) - 1):
        value, opening = reader.take(8), reader.take(16)
        for place in _some(reader, int(starts[account + 1] - starts[account])):
            name, salts = _take_id(reader), reader.take(_HIDDEN_SALTS)
            hidden = reader.take(_HIDDEN.stop - _HIDDEN.start)
            openings = tuple(reader.take(SALT_BYTES) for _ in REFERRED)
            one = Whole(name, 0, hidden, salts, openings)
            placed.append(Placed(account, place, value, opening, 0, (1 << 64) - 1, one))
    reader.end()
    return placed


def complete(one: Whole, row: np.ndarray) -> Whole:
    """An exchange of ``read_placed`` with what the bundle shows of it, a row of ``leaves.LEAF``."""
    what = row["what"].tobytes()
    head = _HIDDEN.start
    return replace(
        one,
        position=int(row["position"]),
        leaf=what[:head] + one.leaf + what[head:],
        salts=one.salts + row["salt"].tobytes(),
    )


def _by_account(trees: ClaimTrees, chosen: Mapping[int, Whole]) -> dict[int, list[int]]:
    """Accounts, increasing, to places in them, increasing."""
    starts = trees.rows.starts
    found: dict[int, list[int]] = defaultdict(list)
    for number in sorted(chosen):
        account = int(np.searchsorted(starts, number, side="right")) - 1
        found[account].append(number - int(starts[account]))
    return dict(found)


def _openings(record: np.ndarray, secret: bytes) -> list[bytes]:
    """What opens an exchange's pseudonyms, in the order of REFERRED."""
    found = []
    for kind in REFERRED:
        value, said = values_of(record, kind)
        raw = int(value[0]).to_bytes(8, "little", signed=True)
        found.append(opening_of(secret, kind, raw) if said[0] else bytes(SALT_BYTES))
    return found


def _begin(body: bytes | memoryview) -> Reader:
    reader = Reader(body, Code.OPENED_MALFORMED)
    if reader.take(len(MAGIC)) != MAGIC:
        raise reader.malformed()
    return reader


def _some(reader: Reader, below: int) -> list[int]:
    values = reader.increasing(below)
    if not values:
        raise reader.malformed()
    return values


def _put_id(out: bytearray, text: str) -> None:
    raw = text.encode("utf-8")
    put_number(out, len(raw))
    out.extend(raw)


def _take_id(reader: Reader) -> str:
    try:
        return reader.take(reader.number(MOST_ID_BYTES)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise reader.malformed() from error
