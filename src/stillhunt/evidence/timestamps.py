"""RFC 3161 time stamps: a word from a stranger on when a claim existed, at the latest.

Nothing here speaks to a network: a request's bytes are made, a reply's bytes are checked. The check
needs ``rfc3161-client`` (extra ``evidence``), which verifies the CMS signature and the certificates.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from stillhunt.errors import InputError, MissingExtraError, UsageError

MOST_BYTES = 1 << 16
"""Largest reply that is looked at; real ones hold some certificates and are under 10 kB."""

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead of the verifier's own clock a stamp may be."""

_SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA256_DER = bytes.fromhex("0609608648016503040201")


class StampRefusal(StrEnum):
    """Why a reply is no time stamp of that digest."""

    MALFORMED = "timestamp-malformed"
    NOT_GRANTED = "timestamp-not-granted"
    OTHER_HASH = "timestamp-other-hash"
    OTHER_DIGEST = "timestamp-other-digest"
    OTHER_NONCE = "timestamp-other-nonce"
    NO_CERTIFICATE = "timestamp-no-certificate"
    NOT_AN_AUTHORITY = "timestamp-not-an-authority"
    CERTIFICATE_EXPIRED = "timestamp-certificate-expired"
    FUTURE = "timestamp-in-the-future"
    UNTRUSTED = "timestamp-untrusted"


class StampError(InputError):
    """A reply is refused; ``code`` says why, in a way that programs can read."""

    def __init__(self, code: StampRefusal, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.code = code


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a checked reply says.

    Attributes:
        time: when the authority saw the digest, UTC.
        accuracy: how far that may be off, as the authority says; None where it does not.
        serial: the authority's number of this stamp.
        policy: dotted identifier of the authority's policy.
        authority: the signing certificate's subject (RFC 4514). Somebody else's text.
    """

    time: datetime
    accuracy: timedelta | None
    serial: int
    policy: str
    authority: str


def new_nonce() -> int:
    """Draw a nonce of 64 bits: a reply that holds it is an answer to this very request."""
    return secrets.randbits(64)


def stamp_request(digest: bytes, nonce: int) -> bytes:
    """DER of a TimeStampReq (RFC 3161 §2.4.1) for a SHA-256 digest, asking for certificates.

    Args:
        digest: 32 bytes.
        nonce: 0 or more; ``new_nonce()``.

    Raises:
        UsageError: the digest is not 32 bytes, or the nonce is negative.
    """
    if len(digest) != 32:
        raise UsageError(f"A digest of {len(digest)} bytes is no SHA-256.", "Give 32 bytes.")
    if nonce < 0:
        raise UsageError("A nonce cannot be negative.", "Draw one with new_nonce().")
    algorithm = _der(0x30, _SHA256_DER + _der(0x05, b""))
    imprint = _der(0x30, algorithm + _der(0x04, digest))
    # One bit more than the number has, so that the first bit, the sign, is 0.
    number = nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")
    return _der(0x30, _der(0x02, b"\x01") + imprint + _der(0x02, number) + _der(0x01, b"\xff"))


def check_stamp(
    reply: bytes,
    digest: bytes,
    *,
    roots: Sequence[bytes],
    intermediates: Sequence[bytes] = (),
    nonce: int | None = None,
    now: datetime | None = None,
) -> Stamp:
    """Check a TimeStampResp (RFC 3161 §2.4.2) over a SHA-256 digest.

    The certificates have to be valid at the time of the stamp, not today: an authority's
    certificate runs out long before what it has stamped loses its worth. Revocation is not looked
    up, since that takes a network.

    Args:
        reply: DER, as it came from the authority.
        digest: 32 bytes that have to be what was stamped.
        roots: certificates (PEM or DER) of authorities that the verifier trusts, at least one.
        intermediates: further certificates, where the reply leaves them out.
        nonce: of the request, where the verifier made it; None leaves it unchecked.
        now: the verifier's time; None takes the clock.

    Raises:
        StampError: the reply is refused; its ``code`` is the reason.
        UsageError: no roots, or one that is no certificate.
        MissingExtraError: ``rfc3161-client`` is not installed.
    """
    client = _client()
    if not roots:
        raise UsageError(
            "A time stamp cannot be checked without a root.",
            "Name the certificate of a time stamping authority that you trust.",
        )
    trusted = [_certificate(root) for root in roots]
    helping = [_certificate(one) for one in intermediates]
    response = _parsed(client, reply)
    with _reading():
        info = response.tst_info
        time = info.gen_time.astimezone(UTC)
        _check_content(info, digest, nonce)
    if time > (now or datetime.now(UTC)) + CLOCKS_DIFFER:
        raise _refusal(
            StampRefusal.FUTURE,
            f"The time stamp is of {time:%Y-%m-%d %H:%M:%S}, which is still to come.",
            "Set the clock, or ask where the stamp is from.",
        )
    signer = _signer(response, trusted + helping)
    _check_signer(signer, time)
    builder = client.VerifierBuilder(
        tsa_certificate=signer, roots=trusted, intermediates=helping, nonce=nonce
    )
    try:
        builder.build().verify(response, digest)
    except Exception as error:
        raise _refusal(
            StampRefusal.UNTRUSTED,
            "The time stamp is not signed by an authority that the given roots vouch for.",
            "Name the root of its authority, if you trust that.",
        ) from error
    with _reading():
        return Stamp(
            time=time,
            accuracy=_accuracy(info.accuracy),
            serial=info.serial_number,
            policy=info.policy.dotted_string,
            authority=signer.subject.rfc4514_string(),
        )


def _client() -> Any:
    try:
        import rfc3161_client  # noqa: PLC0415  an extra: verifying the rest does without
    except ImportError as error:
        raise MissingExtraError(
            "Checking a time stamp needs packages that are not installed.",
            "Install them with: pip install 'stillhunt[evidence]'",
        ) from error
    return rfc3161_client


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever a parser raises over hostile bytes means that they are malformed."""
    try:
        yield
    except StampError:
        raise
    except Exception as error:
        raise _refusal(
            StampRefusal.MALFORMED,
            "The time stamp is not a reply in the form of RFC 3161.",
            "Ask the authority again.",
        ) from error


def _parsed(client: Any, reply: bytes) -> Any:
    with _reading():
        _require(len(reply) <= MOST_BYTES)
        response = client.decode_timestamp_response(reply)
        if response.status != 0:
            raise _refusal(
                StampRefusal.NOT_GRANTED,
                f"The authority refused to stamp (PKI status {response.status}).",
                "Ask it again, or another one.",
            )
        # A second writing of the same would be a second file with the same meaning.
        _require(response.as_bytes() == reply)
        # Versions are covered by no signature, yet RFC 3161 and 5652 say which they are.
        _require(response.tst_info.version == 1)
        _require(response.signed_data.version == 3)
        (signer,) = response.signed_data.signer_infos
        _require(signer.version == 1)
    return response


def _require(good: bool) -> None:
    if not good:
        raise ValueError


def _check_content(info: Any, digest: bytes, nonce: int | None) -> None:
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256:
        raise _refusal(
            StampRefusal.OTHER_HASH,
            "The time stamp is over a digest other than SHA-256.",
            "Ask the authority to stamp the SHA-256 of the statement.",
        )
    if imprint.message != digest:
        raise _refusal(
            StampRefusal.OTHER_DIGEST,
            "The time stamp is of something else.",
            "Look for the stamp that belongs to this statement.",
        )
    if nonce is not None and info.nonce != nonce:
        raise _refusal(
            StampRefusal.OTHER_NONCE,
            "The time stamp answers another request.",
            "Ask the authority again.",
        )


def _signer(response: Any, given: Sequence[Any]) -> Any:
    """The certificate that the reply's one signer names by issuer and serial number."""
    from cryptography import x509  # noqa: PLC0415  comes with the extra

    with _reading():
        (named,) = response.signed_data.signer_infos
        sent = [x509.load_der_x509_certificate(der) for der in response.signed_data.certificates]
        for one in (*sent, *given):
            if one.serial_number == named.serial_number and one.issuer == named.issuer:
                return one
    raise _refusal(
        StampRefusal.NO_CERTIFICATE,
        "The time stamp carries no certificate of its signer.",
        "Ask the authority again, for certificates too.",
    )


def _check_signer(signer: Any, time: datetime) -> None:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    stamping = ExtendedKeyUsageOID.TIME_STAMPING
    with _reading():
        usages = [one for one in signer.extensions if one.oid == x509.ExtendedKeyUsage.oid]
        begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
    # RFC 3161 §2.3: this use and no other, and critical.
    if not any(one.critical and list(one.value) == [stamping] for one in usages):
        raise _refusal(
            StampRefusal.NOT_AN_AUTHORITY,
            "The time stamp is signed with a certificate that is not for time stamping alone.",
            "Ask a time stamping authority.",
        )
    if not begins <= time <= ends:
        raise _refusal(
            StampRefusal.CERTIFICATE_EXPIRED,
            f"At {time:%Y-%m-%d %H:%M:%S} the authority's certificate was not valid.",
            "Ask an authority whose certificate is.",
        )


def _certificate(data: bytes) -> Any:
    from cryptography import x509  # noqa: PLC0415

    try:
        if data.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise UsageError(
            "A root of time stamping authorities is no certificate.", "Give PEM or DER."
        ) from error


def _accuracy(stated: Any) -> timedelta | None:
    if stated is None:
        return None
    return timedelta(
        seconds=stated.seconds or 0,
        milliseconds=stated.millis or 0,
        microseconds=stated.micros or 0,
    )


def _refusal(code: StampRefusal, problem: str, remedy: str) -> StampError:
    return StampError(code, problem, remedy)


def _der(tag: int, content: bytes) -> bytes:
    # All that is written here is under 128 bytes, where the length is one byte.
    assert len(content) < 128  # noqa: S101
    return bytes([tag, len(content)]) + content
