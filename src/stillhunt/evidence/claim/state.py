"""What a claimant keeps of a claim, to answer for it later. Never in the bundle."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees

_NAMES = ("account", "starts", "key", "position", "inputs", "outputs")
SUFFIX = ".private"


@dataclass(frozen=True)
class ClaimState:
    """A claimant's part.

    Attributes:
        secret: key of the claim, 32 bytes; rows: that are claimed; statement: SHA-256 of it.
    """

    secret: bytes
    rows: ClaimRows
    statement: bytes

    @property
    def trees(self) -> ClaimTrees:
        """The claim's trees."""
        return ClaimTrees(self.rows, self.secret)


def state_path(bundle: Path) -> Path:
    """Where the claimant's part of a bundle lies: beside it."""
    return bundle.with_name(bundle.name + SUFFIX)


def write_state(path: Path, state: ClaimState) -> None:
    """Write it, readable by its owner only.

    Raises:
        OutputError: it cannot be written.
    """
    body = io.BytesIO()
    arrays = {name: getattr(state.rows, name) for name in _NAMES}
    np.savez(
        body,
        secret=np.frombuffer(state.secret, dtype=np.uint8),
        statement=np.frombuffer(state.statement, dtype=np.uint8),
        **arrays,
    )
    staged = path.with_name(f".{path.name}.new")
    try:
        staged.unlink(missing_ok=True)
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(body.getbuffer())
            out.flush()
            os.fsync(out.fileno())
        staged.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.", "Name another file with --out."
        ) from error


def read_state(path: Path) -> ClaimState:
    """Read it again.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            rows = ClaimRows(**{name: held[name] for name in _NAMES})
            return ClaimState(held["secret"].tobytes(), rows, held["statement"].tobytes())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"The claimant's part {path} cannot be read.",
            "It is written beside the bundle when the claim is made; without it nothing can be opened.",
        ) from error
