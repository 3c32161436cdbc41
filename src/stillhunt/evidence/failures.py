"""What is raised where evidence does not hold."""

from __future__ import annotations

from stillhunt.errors import InputError


class EvidenceError(InputError):
    """Something that was to be checked is malformed, or does not hold."""

    def __init__(self, problem: str, remedy: str = "Ask whoever sent it for another one.") -> None:
        super().__init__(problem, remedy)


class ProofError(EvidenceError):
    """A Merkle proof does not lead to the root, or is none."""


class NoteError(EvidenceError):
    """A signed note, checkpoint, key or request is malformed."""


class SignatureError(EvidenceError):
    """A signature is not that of the key that it names, or none is of a key that is trusted."""
