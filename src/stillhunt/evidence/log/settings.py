"""Whom a log asks to cosign its heads, and how many must have before a head is public."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.log.files import put
from stillhunt.evidence.log.layout import Layout
from stillhunt.evidence.note import COSIGNATURE, VerifierKey, parse_vkey


@dataclass(frozen=True)
class WitnessAddress:
    """A witness.

    Attributes:
        key: by which its cosignatures are checked; url: where it is asked; empty: by hand.
    """

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True)
class Settings:
    """Attributes:
    witnesses: who is asked; quorum: how many must cosign before a head is made public.
    """

    witnesses: tuple[WitnessAddress, ...] = ()
    quorum: int = 0


def parse_witness(text: str) -> WitnessAddress:
    """A witness from ``VKEY`` or ``VKEY@URL``.

    Raises:
        UsageError: it is none.
    """
    vkey, sign, rest = text.partition("@http")
    url = f"http{rest}" if sign else ""
    try:
        key = parse_vkey(vkey)
    except EvidenceError as error:
        raise UsageError(
            f"{vkey[:80]!r} is no witness's key.",
            "Give name+id+key as stillhunt witness prints it, with @URL behind it.",
        ) from error
    if key.kind != COSIGNATURE:
        raise UsageError(
            f"The key of {key.name} is none of a witness.", "Ask the witness for its own key."
        )
    return WitnessAddress(key, url)


def read_settings(layout: Layout) -> Settings:
    """What was set; by default nobody is asked.

    Raises:
        InputError: the file is damaged.
    """
    path: Path = layout.witnesses
    try:
        document = decode(path.read_bytes())
        witnesses = tuple(
            WitnessAddress(parse_vkey(str(row["vkey"])), str(row["url"]))
            for row in document["witnesses"]
        )
        return Settings(witnesses, int(document["quorum"]))
    except FileNotFoundError:
        return Settings()
    except (OSError, EvidenceError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The log's {path} cannot be read.", "Name its witnesses again with stillhunt log."
        ) from error


def write_settings(layout: Layout, settings: Settings) -> None:
    """Set them.

    Raises:
        UsageError: more cosignatures are asked for than there are witnesses.
    """
    names = {witness.key.name for witness in settings.witnesses}
    if not 0 <= settings.quorum <= len(names):
        raise UsageError(
            f"A quorum of {settings.quorum} cannot be met by {len(names)} witnesses.",
            "Name more witnesses, or ask for fewer.",
        )
    rows = [{"url": w.url, "vkey": str(w.key)} for w in settings.witnesses]
    put(layout.witnesses, encode({"quorum": settings.quorum, "witnesses": rows}), 0o600)
