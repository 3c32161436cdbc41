"""What a dishonest claimant has: his own log and keys, and every part of a bundle to put together anew.

Whatever he may sign or seal again he does, so that in what comes out one thing only is wrong.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_claims import World, claim, world

from stillhunt.evidence import container
from stillhunt.evidence.audit import Plan, plan, seed_of
from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.claim import leaves as leaves_module
from stillhunt.evidence.claim.answer import LeafSource, answer
from stillhunt.evidence.claim.bundle import log_part, readme
from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.leaves import leaf_members
from stillhunt.evidence.claim.make import log_signer
from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.dsse import open_envelope, seal
from stillhunt.evidence.entries import CLAIM
from stillhunt.evidence.keys import Signer
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.merkle import NodeReader
from stillhunt.evidence.seed import Seed
from stillhunt.evidence.statement import Statement
from stillhunt.evidence.verify import Trust
from stillhunt.records.leaf import LAYOUT

Members = dict[str, bytes]
SECRET = sha256(b"a claim's key for tests").digest()


def canonical(value: object) -> bytes:
    """Canonical JSON, of whatever: a liar checks nothing."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


@dataclass
class Draft:
    """A claim that is not signed yet; whatever is in it may be changed.

    Attributes:
        trees: over what is claimed; before, after: sizes of the log around them.
        predicate: of the statement, its members' digests still to come.
        members: that the statement names.
    """

    depth: str
    trees: ClaimTrees
    before: int
    after: int
    predicate: dict[str, Any]
    members: Members


@dataclass(frozen=True)
class Done:
    """A bundle, in parts.

    Attributes:
        members: of the bundle; statement: that was signed; trees: over what it claims.
    """

    members: Members
    statement: Statement
    trees: ClaimTrees

    @property
    def rows(self) -> ClaimRows:
        """What is claimed."""
        return self.trees.rows

    def having(self, **changes: bytes | None) -> Done:
        """With members changed, added, or (None) left out; ``log__after`` is ``log/after``."""
        members = dict(self.members)
        for name, body in changes.items():
            if body is None:
                del members[name.replace("__", "/")]
            else:
                members[name.replace("__", "/")] = body
        return replace(self, members=members)

    def write(self, path: Path) -> Path:
        container.write(path, self.members)
        return path


class Forge:
    """A log, its keys, and honest claims to start from."""

    def __init__(self, folder: Path, made: World | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.world = made or world(folder, rows=160, accounts=8, named=3)
        self.signer = log_signer(self.log)
        self._honest: dict[str, tuple[dict[str, Any], ClaimRows]] = {}

    @property
    def log(self) -> Log:
        return Log(self.world.root)

    def trust(self, **changes: object) -> Trust:
        """The log's key; no witnesses unless they are named."""
        usual = {"most_error": Trust.most_error, "least_confidence": Trust.least_confidence}
        return self.world.trust(**{"witnesses": (), **usual, **changes})

    @property
    def between(self) -> int:
        """Size of the log's head between its two batches."""
        return self.log.sizes()[1]

    def late_rows(self, depth: str) -> ClaimRows:
        """Honest rows that lie in the second batch."""
        _, rows = self.honest(depth)
        return kept(rows, rows.position >= self.between)

    def honest(self, depth: str) -> tuple[dict[str, Any], ClaimRows]:
        """Statement and rows of an honest claim of that depth."""
        if depth not in self._honest:
            made = claim(self.world, self.folder / f"{depth}.claim", depth)
            self._honest[depth] = (made.statement.predicate, read_state(made.private).rows)
        predicate, rows = self._honest[depth]
        return copy.deepcopy(predicate), rows

    def draft(
        self,
        depth: str = "counts",
        rows: ClaimRows | None = None,
        leaves: LeafSource | None = None,
        *,
        late: bool = False,
        made: type[ClaimTrees] = ClaimTrees,
    ) -> Draft:
        """A claim of some rows, honest but for them.

        Args:
            depth: of the claim; rows: None for the honest ones.
            leaves: opens what the log does not hold.
            late: say that all leaves are of the log's second batch.
            made: how trees are made.
        """
        predicate, own = self.honest(depth)
        rows = own if rows is None else rows
        log = self.log
        trees = made(rows, SECRET)
        before = predicate["log"]["before"]
        after = min(size for size in log.sizes() if size > int(rows.position.max()))
        predicate["log"]["size"] = after
        exchanges, inputs, outputs = rows.weights
        predicate["counts"] |= {
            "accounts": len(rows.account),
            "exchanges": exchanges,
            "input_tokens": inputs,
            "output_tokens": outputs,
        }
        predicate["tree"] = trees.top.root.hex()
        source = leaves or LogLeaves(log)
        _, opened, _ = source.open_leaves(np.unique(rows.position).astype(np.int64))
        time = np.ascontiguousarray(opened).reshape(-1).view(LAYOUT)["time"]
        predicate["period"] = {"first": int(time.min()), "last": int(time.max())}
        if late:
            before = predicate["log"]["before"] = self.between
        with patch.object(leaves_module, "batch_proof", _proof_of_distinct):
            members = leaf_members(trees, SECRET, source, log.tree(after), after, depth)
        return Draft(depth, trees, before, after, predicate, members)

    def finish(
        self,
        draft: Draft,
        *,
        payload: Callable[[bytes], bytes] = lambda data: data,
        signer: Signer | None = None,
        named: Signer | None = None,
    ) -> Done:
        """Sign a draft, commit to it in the log, and put the bundle together.

        Args:
            draft: the claim; payload: changes the statement's bytes before they are signed.
            signer: who signs; named: whose key the envelope names, where it is another's.
        """
        predicate = draft.predicate
        predicate["members"] = {
            name: sha256(body).hexdigest() for name, body in draft.members.items()
        }
        statement = payload(
            canonical(
                {
                    "_type": "https://in-toto.io/Statement/v1",
                    "predicate": predicate,
                    "predicateType": "https://stillhunt.dev/attestation/claim/v1",
                    "subject": [
                        {"digest": {"sha256": predicate["tree"]}, "name": predicate["campaign"]}
                    ],
                }
            )
        )
        signed = Statement(statement, predicate)
        position = self.commit(signed.digest)
        envelope = envelope_of(statement, signer or self.signer, named)
        return Done(
            self.around(draft, position)
            | {"statement.dsse": envelope, "README.txt": readme(signed)}
            | draft.members,
            signed,
            draft.trees,
        )

    def commit(self, digest: bytes) -> int:
        """Have the log hold a statement's digest; its position."""
        with writing_log(self.world.root) as writer:
            position = writer.append_entry(CLAIM, digest)
            writer.publish()
        return position

    def around(self, draft: Draft, position: int, commit: int | None = None) -> Members:
        """Heads of the log around a claim, and proofs between them."""
        log = self.log
        size = commit or log.head().checkpoint.size
        before = (draft.before, log.head(draft.before).note.encode()) if draft.before else None
        part = log_part(
            log.tree(size),
            before,
            (draft.after, log.head(draft.after).note.encode()),
            (size, log.head(size).note.encode()),
            position,
        )
        return part.members()

    def whole(self, depth: str = "counts", rows: ClaimRows | None = None) -> Done:
        """An honest claim, or one that lies in its rows only."""
        return self.finish(self.draft(depth, rows))

    def drawn(self, done: Done, seed: Seed) -> Plan:
        """What a seed draws of a claim."""
        statement = done.statement
        return plan(
            statement.accounts,
            statement.weights,
            statement.rates,
            seed_of(statement.digest, seed.kind, seed.value),
            seed.tries,
        )

    def answered(
        self,
        done: Done,
        seed: Seed,
        *,
        leaves: LeafSource | None = None,
        trees: ClaimTrees | None = None,
        asked: Callable[[Plan], Plan] = lambda drawn: drawn,
    ) -> Done:
        """Answer an audit; ``trees``, ``leaves``, ``asked``: where the answers are to lie."""
        statement, drawn = done.statement, self.drawn(done, seed)
        size = int(statement.predicate["log"]["size"])
        trees = trees or done.trees
        log = self.log
        secret = SECRET if statement.depth == "pseudonymous" else None
        body, _ = answer(
            trees, asked(drawn), leaves or LogLeaves(log), log.tree(size), size, secret
        )
        return done.having(audit=body, seed=seed.encode())


def _proof_of_distinct(nodes: NodeReader, size: int, positions: np.ndarray) -> bytes:
    return batch_proof(nodes, size, np.unique(positions))


def envelope_of(payload: bytes, signer: Signer, named: Signer | None = None) -> bytes:
    """A DSSE envelope; ``named``: whose key it names in place of the signer's."""
    envelope = seal(payload, [Ed25519PrivateKey.from_private_bytes(signer.seed)])
    if named is None:
        return envelope
    ids = [sha256(one.key.public).hexdigest().encode() for one in (signer, named)]
    return envelope.replace(*ids)


def payload_of(done: Done) -> bytes:
    """The statement as it was signed."""
    return open_envelope(done.members["statement.dsse"]).payload


class Lying:
    """Opens leaves as somebody says they are. Reads as an ``answer.LeafSource``."""

    def __init__(self, log: Log, said: Mapping[int, bytes]) -> None:
        """Args:
        log: for all else; said: canonical bytes by position.
        """
        self._log = LogLeaves(log)
        self._said = dict(said)

    def open_leaves(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As of ``LeafSource``."""
        size = self._log._log.head().checkpoint.size
        real = positions[positions < size]
        readable = np.ones(len(positions), dtype=bool)
        rows = np.zeros((len(positions), 198), dtype=np.uint8)
        salts = np.zeros((len(positions), 48), dtype=np.uint8)
        if len(real):
            at = positions < size
            readable[at], rows[at], salts[at] = self._log.open_leaves(real)
        for i, position in enumerate(positions.tolist()):
            if position in self._said:
                rows[i] = np.frombuffer(self._said[position], dtype=np.uint8)
                readable[i] = True
        return readable, rows, salts


def kept(rows: ClaimRows, mask: np.ndarray) -> ClaimRows:
    """Some of a claim's rows; accounts that have none left go."""
    owner = np.repeat(np.arange(len(rows.account)), np.diff(rows.starts))[mask]
    accounts, starts = np.unique(owner, return_index=True)
    return ClaimRows(
        rows.account[accounts],
        np.append(starts, len(owner)).astype(np.int64),
        *(column[mask] for column in (rows.key, rows.position, rows.inputs, rows.outputs)),
    )


def taken(rows: ClaimRows, index: list[int], sizes: list[int], accounts: list[int]) -> ClaimRows:
    """Rows put together anew.

    Args:
        rows: to take from; index: which row stands where.
        sizes: how many each account has; accounts: which account each is.
    """
    return ClaimRows(
        rows.account[accounts],
        np.append(0, np.cumsum(sizes)).astype(np.int64),
        *(column[index] for column in (rows.key, rows.position, rows.inputs, rows.outputs)),
    )


def groups(rows: ClaimRows) -> list[list[int]]:
    """Rows of each account."""
    return [list(range(a, b)) for a, b in pairwise(rows.starts.tolist())]


def regrouped(
    rows: ClaimRows, parts: list[list[int]], accounts: list[int] | None = None
) -> ClaimRows:
    """Rows with other exchanges under each account, in the order of their keys."""
    ordered = [sorted(part, key=lambda i: int(rows.key[i])) for part in parts]
    named = accounts if accounts is not None else list(range(len(parts)))
    return taken(rows, [i for part in ordered for i in part], [len(p) for p in parts], named)
