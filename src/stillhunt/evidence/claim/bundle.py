"""The members of a bundle that every depth has, and what is taken from a log for them."""

from __future__ import annotations

from dataclasses import dataclass

from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.checkpoint import decode_proof, encode_proof
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.merkle import HASH_BYTES, NodeReader, consistency_proof, inclusion_proof
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.statement import Statement

Proof = tuple[bytes, ...]


@dataclass(frozen=True)
class LogPart:
    """Heads of a log around a claim, and the proofs between them.

    Attributes:
        before: checkpoint before the first claimed leaf; None: there was none.
        after: checkpoint that covers the last one.
        commit: checkpoint that covers the statement's leaf, which is at ``position``.
        inclusion: of that leaf; before_after, after_commit: of the heads.
    """

    before: bytes | None
    after: bytes
    commit: bytes
    position: int
    inclusion: Proof
    before_after: Proof
    after_commit: Proof

    def members(self) -> dict[str, bytes]:
        """As members of a bundle."""
        found = {
            "log/after": self.after,
            "log/commit": self.commit,
            "log/commit.proof": self.position.to_bytes(8, "big") + b"".join(self.inclusion),
            "log/consistency": encode(
                {
                    "after-commit": encode_proof(self.after_commit),
                    "before-after": encode_proof(self.before_after),
                }
            ),
        }
        return found if self.before is None else found | {"log/before": self.before}


def log_part(
    nodes: NodeReader,
    before: tuple[int, bytes] | None,
    after: tuple[int, bytes],
    commit: tuple[int, bytes],
    position: int,
) -> LogPart:
    """Take from a log what a claim needs.

    Args:
        nodes: of the log as of ``commit``.
        before, after, commit: size and signed checkpoint.
        position: of the statement's leaf.
    """
    return LogPart(
        None if before is None else before[1],
        after[1],
        commit[1],
        position,
        tuple(inclusion_proof(nodes, commit[0], position)),
        () if before is None else tuple(consistency_proof(nodes, before[0], after[0])),
        tuple(consistency_proof(nodes, after[0], commit[0])),
    )


def read_commit_proof(body: bytes) -> tuple[int, list[bytes]]:
    """Position and audit path of the statement's leaf.

    Raises:
        Refused: malformed.
    """
    hashes = body[8:]
    if len(body) < 8 or len(hashes) % HASH_BYTES or len(hashes) > 64 * HASH_BYTES:
        raise Refused(Code.COMMIT_INCLUSION, "The proof of the statement's leaf is malformed.")
    path = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    return int.from_bytes(body[:8], "big"), path


def read_consistency(body: bytes) -> tuple[list[bytes], list[bytes]]:
    """Proofs before to after, and after to commit.

    Raises:
        Refused: malformed.
    """
    value = decode(body, 1 << 16)
    wrong = Refused(Code.CHECKPOINT_CONSISTENCY, "The proofs of consistency are malformed.")
    if not isinstance(value, dict) or set(value) != {"after-commit", "before-after"}:
        raise wrong
    if not all(_are_texts(lines) for lines in value.values()):
        raise wrong
    try:
        return decode_proof(value["before-after"]), decode_proof(value["after-commit"])
    except EvidenceError as error:
        raise wrong from error


def _are_texts(lines: object) -> bool:
    return isinstance(lines, list) and all(isinstance(line, str) for line in lines)


def readme(statement: Statement) -> bytes:
    """The member ``README.txt``: for whoever opens the file and knows nothing of it."""
    predicate = statement.predicate
    accounts, (exchanges, _, _) = statement.accounts, statement.weights
    return (
        "This file is evidence that anybody can check.\n"
        "\n"
        f"{predicate['claimant']} claims of campaign {predicate['campaign']}:\n"
        f"{exchanges:,} exchanges by {accounts:,} accounts, sealed in the log {predicate['origin']}.\n"
        f"Depth: {statement.depth}. Signed at {predicate['signed_at']}.\n"
        f"SHA-256 of the statement: {statement.digest.hex()}\n"
        "\n"
        "To check it:\n"
        "    stillhunt verify THIS-FILE --trust TRUST.json\n"
        "or, with Python 3.11, numpy and cryptography and nothing else:\n"
        "    python stillhunt-verify.pyz THIS-FILE --trust TRUST.json\n"
        "\n"
        "TRUST.json holds the public keys of the log and of the witnesses that you trust. Get them from\n"
        "their owners, not from whoever gave you this file. Nothing is looked up on a network.\n"
        "What the check shows, and what it cannot show, is printed with it.\n"
    ).encode()
