"""Reading the answers to an audit, and holding every one of them to the claim and to the log."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from stillhunt.evidence.audit import Plan
from stillhunt.evidence.batch_proof import batch_root
from stillhunt.evidence.binary import Reader
from stillhunt.evidence.claim.answer import MAGIC
from stillhunt.evidence.claim.tree import Walk, Weights, account_hash, exchange_hashes
from stillhunt.evidence.claim.values import REFERRED
from stillhunt.evidence.entries import WHAT, WHERE, WHERE_BYTES, WHO
from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.verify.binding import check_binding
from stillhunt.evidence.verify.leaf import Leaf, leaf_of
from stillhunt.evidence.verify.shown import ShownLeaves


@dataclass(frozen=True)
class Committed:
    """What a claim fixed before the audit.

    Attributes:
        accounts: how many; weights: exchanges, input and output tokens; root: of its tree.
        first, last: microseconds, of the period.
        before, size, log_root: claimed leaves lie from ``before`` to below ``size``, in the log with
            that root.
    """

    accounts: int
    weights: Weights
    root: bytes
    first: int
    last: int
    before: int
    size: int
    log_root: bytes
    shown: ShownLeaves | None = None


@dataclass
class Answers:
    """What an audit showed.

    Attributes:
        accounts, exchanges, inputs, outputs: how many of each were drawn.
        no_account, no_exchange, no_input, no_output: of those, how many were not answered.
        opened, opened_accounts: leaves and accounts opened.
    """

    accounts: int
    exchanges: int
    inputs: int
    outputs: int
    no_account: int = 0
    no_exchange: int = 0
    no_input: int = 0
    no_output: int = 0
    opened: int = 0
    opened_accounts: int = 0


def check_answers(body: bytes | memoryview, claim: Committed, plan: Plan) -> Answers:
    """Check answers.

    Args:
        body: the member ``audit``; claim: what it is about; plan: what was drawn.

    Raises:
        Refused: something is malformed, not what was committed to, not in the log, or not what it was
            claimed to be.
    """
    reader = Reader(body, Code.AUDIT_MALFORMED)
    if reader.take(len(MAGIC)) != MAGIC:
        raise reader.malformed()
    state = _State(reader, claim, plan)
    opened = reader.increasing(claim.accounts)
    walk = Walk(reader, opened, counted=True, start=(0, 0, 0))

    def account(index: int, low: int, high: int) -> tuple[Weights, bytes]:
        return state.account(index, low, high, walk.before)

    found = walk.root(claim.accounts, account, state.closed)
    if found != (claim.weights, claim.root):
        raise Refused(Code.AUDIT_TREE, "What was opened is not what the claim committed to.")
    state.finish()
    return state.answers


@dataclass
class _Drawn:
    """Numbers drawn of one kind, and which of them were met."""

    numbers: tuple[int, ...]
    met: int = 0

    def between(self, low: int, high: int) -> int:
        """How many lie from ``low`` to below ``high``."""
        return bisect_left(self.numbers, high) - bisect_left(self.numbers, low)


@dataclass
class _State:
    reader: Reader
    claim: Committed
    plan: Plan
    answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        plan = self.plan
        self._drawn = (_Drawn(plan.exchanges), _Drawn(plan.inputs), _Drawn(plan.outputs))
        self._accounts = _Drawn(plan.accounts)
        self._leaves: dict[int, bytes] = {}
        self._salts: list[bytes] = []
        self.answers = Answers(
            len(plan.accounts), len(plan.exchanges), len(plan.inputs), len(plan.outputs)
        )

    def closed(self, before: Weights, weights: Weights, first: int, count: int) -> None:
        """Nothing that was drawn may stay closed."""
        self._none(before, weights)
        if self._accounts.between(first, first + count):
            raise Refused(Code.AUDIT_SELECTION, "An account that was drawn was not opened.")

    def _none(self, before: Weights, weights: Weights) -> None:
        for drawn, low, span in zip(self._drawn, before, weights, strict=True):
            if drawn.between(low, low + span):
                raise Refused(Code.AUDIT_SELECTION, "A leaf that was drawn was not opened.")

    def account(self, index: int, low: int, high: int, before: Weights) -> tuple[Weights, bytes]:
        """Read one opened account with its exchanges."""
        value, opening = self.reader.take(8), self.reader.take(16)
        if not low <= int.from_bytes(value, "little") <= high:
            raise Refused(
                Code.LEAVES_ORDER, "An account stands where another must stand, or stands twice."
            )
        size = self.reader.number(self.claim.weights[0])
        if size == 0:
            raise self.reader.malformed()
        opened = self.reader.increasing(size)
        walk = Walk(self.reader, opened, counted=False, start=before)
        good = 0

        def exchange(place: int, least: int, most: int) -> tuple[Weights, bytes]:
            nonlocal good
            found, answered = self._exchange(value, (index, place), least, most, walk.before)
            good += answered
            return found

        def closed(start: Weights, weights: Weights, _: int, __: int) -> None:
            self._none(start, weights)

        weights, root = walk.root(size, exchange, closed)
        self.answers.opened_accounts += 1
        if self._accounts.between(index, index + 1) and not good:
            self.answers.no_account += 1
        return weights, account_hash(weights, pseudonym("account", opening, value), root)

    def _exchange(
        self, account: bytes, at: tuple[int, int], least: int, most: int, before: Weights
    ) -> tuple[tuple[Weights, bytes], bool]:
        answered = self.reader.number(1) == 1
        position, inputs, outputs = (self.reader.number() for _ in range(3))
        weights = (1, inputs, outputs)
        hits = [
            drawn.between(low, low + span)
            for drawn, low, span in zip(self._drawn, before, weights, strict=True)
        ]
        if answered:
            salt, who = self._salt(), self.reader.take(20)
            salt_what, what = self._salt(), self.reader.take(150)
            where = self._where(who, what, at)
            leaf = leaf_of(who, what)
            self._hold(leaf, account, least, most, position, (inputs, outputs))
            committed = sha256(bytes([WHO]) + salt + who).digest()
            committed += where + sha256(bytes([WHAT]) + salt_what + what).digest()
            self._leaves[position] = sha256(b"\x00\x01" + committed).digest()
            self.answers.opened += 1
        else:
            self.answers.no_exchange += hits[0]
            self.answers.no_input += hits[1]
            self.answers.no_output += hits[2]
        row = np.array([position, inputs, outputs], dtype=np.uint64).reshape(3, 1)
        return (weights, bytes(exchange_hashes(*row)[0].tobytes())), answered

    def _salt(self) -> bytes:
        salt = self.reader.take(16)
        self._salts.append(salt)
        return salt

    def _where(self, who: bytes, what: bytes, at: tuple[int, int]) -> bytes:
        """The commitment to where: as it is given, or of what is opened where there are pseudonyms."""
        shown = self.claim.shown
        if shown is None:
            return self.reader.take(32)
        salt, where = self._salt(), self.reader.take(WHERE_BYTES)
        openings = [self.reader.take(16) for _ in REFERRED]
        check_binding(shown, at, who, where, what, openings)
        return sha256(bytes([WHERE]) + salt + where).digest()

    def _hold(
        self,
        leaf: Leaf,
        account: bytes,
        least: int,
        most: int,
        position: int,
        tokens: tuple[int, int],
    ) -> None:
        claim = self.claim
        if leaf.account != account:
            raise Refused(Code.LEAVES_WRONG_ACCOUNT, "A leaf is of another account than claimed.")
        if not least <= leaf.key <= most:
            raise Refused(
                Code.LEAVES_ORDER, "An exchange stands where another must stand, or twice."
            )
        if (leaf.inputs, leaf.outputs) != tokens:
            raise Refused(Code.LEAVES_TOKENS, "A leaf has other tokens than were claimed for it.")
        if not claim.first <= leaf.time <= claim.last:
            raise Refused(Code.LEAVES_OUTSIDE_PERIOD, "A leaf lies outside the claim's period.")
        if not claim.before <= position < claim.size:
            raise Refused(
                Code.LEAVES_OUTSIDE_LOG, "A leaf lies outside the claim's part of the log."
            )
        if position in self._leaves:
            raise Refused(Code.LEAVES_DUPLICATE, "One leaf of the log was claimed twice.")

    def finish(self) -> None:
        """Hold all opened leaves to the log."""
        hashes = self.reader.take(self.reader.left())
        if not self._leaves:
            if hashes:
                raise self.reader.malformed()
            return
        positions = sorted(self._leaves)
        leaves = b"".join(self._leaves[position] for position in positions)
        try:
            root = batch_root(self.claim.size, positions, leaves, hashes)
        except ProofError as error:
            raise Refused(Code.LEAVES_INCLUSION, error.problem) from error
        if root != self.claim.log_root:
            raise Refused(Code.LEAVES_INCLUSION, "An opened leaf is not in the log.")
        if len(set(self._salts)) < len(self._salts):
            raise Refused(
                Code.SALTS_REPEATED, "Two blocks have one salt: opening one opens others, too."
            )
