"""A witness's folder: its key, the logs that it knows, and the heads that it cosigned.

```
witness.json     {"created":...,"name":...,"witness":1}
witness.key      signing key (mode 0600); witness.vkey its public one
logs             public keys of logs, one a line
heads/SHA256     last head cosigned of a log, by the SHA-256 of its origin
split-views/     proofs against logs that showed two histories
```
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence.canonical import encode
from stillhunt.evidence.checkpoint import parse_checkpoint
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.keys import new_signer, read_signer, write_signer
from stillhunt.evidence.log.files import held, put
from stillhunt.evidence.note import COSIGNATURE, VerifierKey, parse_note, parse_vkey
from stillhunt.evidence.witness import Witness


class WitnessFolder:
    """A witness's memory on disk; what ``witness.Heads`` asks for.

    Attributes:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        """Open it.

        Raises:
            InputError: the folder is none of a witness, or a part is missing.
        """
        self.root = root
        # A witness without its memory must not go on under its key: it might cosign a second history.
        for name in ("witness.json", "witness.key", "heads"):
            if not (root / name).exists():
                raise InputError(
                    f"{root} is no witness's folder, or its {name} is missing.",
                    "Make one with stillhunt witness init. If heads are lost, so is the key: make a "
                    "new witness and tell the logs.",
                )

    def latest(self, origin: str) -> bytes | None:
        """As of ``Heads``."""
        try:
            note = self._head(origin).read_bytes()
        except FileNotFoundError:
            return None
        if parse_checkpoint(parse_note(note).text).origin != origin:
            raise EvidenceError("A kept head is of another log.", "Restore the witness's backup.")
        return note

    def keep(self, origin: str, note: bytes) -> None:
        """As of ``Heads``."""
        put(self._head(origin), note)

    def accuse(self, origin: str, size: int, proof: bytes) -> None:
        """As of ``Heads``; the first proof against a log at a size stays."""
        path = self.root / "split-views" / f"{_name(origin)[:16]}-{size}.json"
        if not path.exists():
            put(path, proof)

    def split_views(self) -> list[Path]:
        """Proofs that were kept."""
        return sorted((self.root / "split-views").glob("*.json"))

    def logs(self) -> list[VerifierKey]:
        """Keys of the logs that it knows."""
        path = self.root / "logs"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [parse_vkey(line) for line in lines if line]

    def add_log(self, key: VerifierKey) -> None:
        """Know one more key of a log."""
        keys = dict.fromkeys([*map(str, self.logs()), str(key)])
        put(self.root / "logs", "".join(f"{line}\n" for line in keys).encode())

    def key(self) -> VerifierKey:
        """Its public key."""
        return read_signer(self.root / "witness.key").key

    def witness(self) -> Witness:
        """The witness."""
        return Witness(read_signer(self.root / "witness.key"), self.logs(), self)

    def _head(self, origin: str) -> Path:
        return self.root / "heads" / _name(origin)


def create_witness(root: Path, name: str) -> WitnessFolder:
    """Make a witness with a new key.

    Args:
        root: a folder that does not exist, or is empty; name: of its key, such as
            ``example.com/witness``.

    Raises:
        OutputError: the folder holds something, or cannot be made.
        NoteError: the name is no name of a key.
    """
    signer = new_signer(name, COSIGNATURE)
    try:
        if root.is_dir() and any(root.iterdir()):
            raise OutputError(f"{root} holds files already.", "Name a new or empty folder.")
        (root / "heads").mkdir(parents=True, mode=0o700)
        root.chmod(0o700)
        write_signer(root / "witness.key", signer)
        put(root / "witness.vkey", f"{signer.key}\n".encode())
        now = datetime.now(UTC).isoformat(timespec="seconds")
        put(root / "witness.json", encode({"created": now, "name": name, "witness": 1}))
    except OSError as error:
        raise OutputError(
            f"The witness {root} cannot be made: {error.strerror}.", "Name another folder."
        ) from error
    return WitnessFolder(root)


@contextmanager
def holding_witness(root: Path) -> Iterator[WitnessFolder]:
    """Hold a witness's folder: two processes must not cosign from one memory.

    Raises:
        InputError: it is none.
        UsageError: another process holds it.
    """
    folder = WitnessFolder(root)
    with held(root, "witness"):
        yield folder


def _name(origin: str) -> str:
    return sha256(origin.encode("utf-8")).hexdigest()
