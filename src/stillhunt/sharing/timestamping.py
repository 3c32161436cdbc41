"""Asks a time stamping authority over HTTP (RFC 3161 §3.4) and takes only an answer that holds.

Nothing goes out but a digest: the authority learns that something exists, not what.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence import container
from stillhunt.evidence.dsse import open_envelope
from stillhunt.evidence.statement import read_statement
from stillhunt.evidence.timestamps import (
    MOST_BYTES,
    Stamp,
    check_stamp,
    new_nonce,
    stamp_request,
)

_PREFIX = "timestamps/"
_MOST_STAMPS = 16


def claim_digest(bundle: Path) -> bytes:
    """SHA-256 of a claim's statement, which is what gets stamped; nothing of the bundle is checked.

    Raises:
        InputError: it is no bundle.
    """
    members = container.read(bundle)
    return read_statement(open_envelope(bytes(members["statement.dsse"])).payload).digest


def add_stamp(bundle: Path, reply: bytes, out: Path) -> None:
    """Add a time stamp, which the caller has checked, to a bundle.

    Args:
        bundle: a claim; reply: DER; out: bundle to write, may be the same.

    Raises:
        UsageError: the bundle holds it already, or as many as it can.
        InputError: it is no bundle.
    """
    members = {name: bytes(body) for name, body in container.read(bundle).items()}
    stamps = [body for name, body in members.items() if name.startswith(_PREFIX)]
    if reply in stamps:
        raise UsageError("The bundle holds this time stamp already.", "Ask another authority.")
    if len(stamps) >= _MOST_STAMPS:
        raise UsageError(
            f"A bundle holds {_MOST_STAMPS} time stamps at most.", "Leave it at those."
        )
    container.write(out, {**members, f"{_PREFIX}{len(stamps):02d}.tsr": reply})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An authority that has moved is for its user to judge; a redirect could point anywhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def fetch_stamp(
    url: str, digest: bytes, *, roots: Sequence[bytes], timeout: float = 20.0
) -> tuple[bytes, Stamp]:
    """Have a digest stamped.

    Plain HTTP serves: the reply is signed and holds this request's nonce.

    Args:
        url: of the authority, http or https.
        digest: 32 bytes, SHA-256.
        roots: certificates, PEM or DER, that the reply has to lead to.
        timeout: seconds without an answer after which it is given up.

    Returns:
        The reply's bytes, checked, and what they say.

    Raises:
        UsageError: the address is not HTTP, or there is no root.
        InputError: no answer, or one that does not hold (then a ``StampError``).
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"{url!r} is no web address.", "Give one that begins with https://.")
    if not roots:
        raise UsageError(
            "Without a root the answer could not be checked.",
            "Name the certificate of a time stamping authority that you trust.",
        )
    nonce = new_nonce()
    request = urllib.request.Request(  # noqa: S310  the scheme is looked at above
        url,
        data=stamp_request(digest, nonce),
        headers={
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
            "User-Agent": "stillhunt",
        },
    )
    remedy = "Try again, or ask another authority."
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout) as answer:
            kind = answer.headers.get_content_type()
            reply: bytes = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException, urllib.error.URLError) as error:
        raise InputError(f"{url} did not answer: {error}.", remedy) from error
    if kind != "application/timestamp-reply":
        raise InputError(f"{url} answered with {kind[:80]!r}, which is no time stamp.", remedy)
    return reply, check_stamp(reply, digest, roots=roots, nonce=nonce)
