"""Asks a time stamping authority over HTTP (RFC 3161 §3.4) and takes only an answer that holds.

Nothing goes out but a digest: the authority learns that something exists, not what.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlsplit

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence.timestamps import (
    MOST_BYTES,
    Stamp,
    check_stamp,
    new_nonce,
    stamp_request,
)


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
