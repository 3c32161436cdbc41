"""Time stamps: asked for, taken and refused, against an authority made for the test."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import warnings
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the evidence extra")
pytest.importorskip("rfc3161_client", reason="needs the evidence extra")

import tsa
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.errors import UsageError
from stillhunt.evidence.timestamps import (
    MOST_BYTES,
    StampError,
    StampRefusal,
    check_stamp,
    new_nonce,
    stamp_request,
)

DIGEST = hashlib.sha256(b"statement").digest()
AUTHORITY = tsa.Authority()
ROOT = tsa.pem(AUTHORITY.root)
REPLY = AUTHORITY.reply(DIGEST, nonce=5)
LATER = tsa.NOON + timedelta(days=1)


def refusal(reply: bytes, root: bytes = ROOT, nonce: int | None = None) -> StampRefusal:
    with pytest.raises(StampError) as caught:
        check_stamp(reply, DIGEST, roots=[root], nonce=nonce, now=LATER)
    return caught.value.code


def test_a_good_reply_says_when() -> None:
    stamp = check_stamp(REPLY, DIGEST, roots=[ROOT], nonce=5, now=LATER)
    assert stamp.time == tsa.NOON
    assert stamp.accuracy == timedelta(seconds=1)
    assert (stamp.serial, stamp.policy) == (77, "1.2.3.4.1")
    assert stamp.authority == "CN=Test Time Stamping"
    # The nonce is the asker's affair; a later verifier does not know it. DER serves as PEM does.
    der = AUTHORITY.root.public_bytes(serialization.Encoding.DER)
    assert check_stamp(REPLY, DIGEST, roots=[tsa.pem(tsa.Authority().root), der], now=LATER)


def test_certificates_need_to_be_valid_at_the_time_of_the_stamp_only() -> None:
    years_later = tsa.NOON + timedelta(days=3000)
    assert check_stamp(REPLY, DIGEST, roots=[ROOT], now=years_later).time == tsa.NOON


def test_a_reply_without_certificates_needs_the_signers() -> None:
    bare = AUTHORITY.reply(DIGEST, with_certificate=False)
    assert refusal(bare) is StampRefusal.NO_CERTIFICATE
    signer = tsa.pem(AUTHORITY.signer)
    assert check_stamp(bare, DIGEST, roots=[ROOT], intermediates=[signer], now=LATER)


CODE_SIGNING, STAMPING = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING
EXPIRED = tsa.Authority(ends=tsa.NOON - timedelta(seconds=1))
NOT_YET = tsa.Authority(begins=tsa.NOON + timedelta(seconds=1))
WITHOUT_USE = tsa.Authority(uses=())
OTHER_USE = tsa.Authority(uses=(CODE_SIGNING,))
MORE_USES = tsa.Authority(uses=(STAMPING, CODE_SIGNING))
NOT_CRITICAL = tsa.Authority(critical=False)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (AUTHORITY.reply(hashlib.sha256(b"other").digest()), StampRefusal.OTHER_DIGEST),
        (AUTHORITY.reply(DIGEST, algorithm=tsa.SHA512), StampRefusal.OTHER_HASH),
        (AUTHORITY.reply(DIGEST, time=tsa.NOON + timedelta(days=2)), StampRefusal.FUTURE),
        (AUTHORITY.reply(DIGEST, flip=True), StampRefusal.UNTRUSTED),
        (AUTHORITY.reply(DIGEST, status=1), StampRefusal.NOT_GRANTED),
        (tsa.refused(), StampRefusal.NOT_GRANTED),
        (REPLY[:-1], StampRefusal.MALFORMED),
        (REPLY + b"\x00", StampRefusal.MALFORMED),
        (b"", StampRefusal.MALFORMED),
        (b"\x30" * MOST_BYTES, StampRefusal.MALFORMED),
        (REPLY + bytes(MOST_BYTES), StampRefusal.MALFORMED),
    ],
)
def test_what_is_wrong_is_said(reply: bytes, code: StampRefusal) -> None:
    assert refusal(reply) is code


@pytest.mark.parametrize(
    ("authority", "code"),
    [
        (EXPIRED, StampRefusal.CERTIFICATE_EXPIRED),
        (NOT_YET, StampRefusal.CERTIFICATE_EXPIRED),
        (WITHOUT_USE, StampRefusal.NOT_AN_AUTHORITY),
        (OTHER_USE, StampRefusal.NOT_AN_AUTHORITY),
        (MORE_USES, StampRefusal.NOT_AN_AUTHORITY),
        (NOT_CRITICAL, StampRefusal.NOT_AN_AUTHORITY),
    ],
)
def test_who_may_not_stamp(authority: tsa.Authority, code: StampRefusal) -> None:
    assert refusal(authority.reply(DIGEST), tsa.pem(authority.root)) is code


def test_other_nonce() -> None:
    assert refusal(REPLY, nonce=6) is StampRefusal.OTHER_NONCE
    assert refusal(AUTHORITY.reply(DIGEST), nonce=5) is StampRefusal.OTHER_NONCE


@pytest.mark.parametrize("title", ["Test Time Stamping", "Somebody else"])
def test_other_root(title: str) -> None:
    assert refusal(REPLY, tsa.pem(tsa.Authority(title=title).root)) is StampRefusal.UNTRUSTED


def test_a_signature_by_a_key_that_is_not_the_certificates() -> None:
    stranger = tsa.Authority()
    stranger.signer = AUTHORITY.signer
    assert refusal(stranger.reply(DIGEST)) is StampRefusal.UNTRUSTED


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(REPLY) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(place: int, change: int) -> None:
    changed = bytearray(REPLY)
    changed[place] ^= change
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of negative serial numbers in changed certificates
        try:
            stamp = check_stamp(bytes(changed), DIGEST, roots=[ROOT], now=LATER)
        except StampError:
            return
    # CMS signs neither the name of the signature's algorithm nor acts on it.
    assert tsa.ECDSA[4:] in REPLY[place - 8 : place + 9]
    assert stamp == check_stamp(REPLY, DIGEST, roots=[ROOT], now=LATER)


def test_a_root_is_needed_and_has_to_be_one() -> None:
    with pytest.raises(UsageError):
        check_stamp(REPLY, DIGEST, roots=[])
    with pytest.raises(UsageError):
        check_stamp(REPLY, DIGEST, roots=[b"-----BEGIN CERTIFICATE-----"])
    with pytest.raises(UsageError):
        stamp_request(b"short", 1)
    with pytest.raises(UsageError):
        stamp_request(DIGEST, -1)


@pytest.mark.parametrize("nonce", [0, 127, 128, 2**63, 2**64 - 1])
def test_request_is_the_der_of_the_rfc(nonce: int) -> None:
    imprint = tsa.sequence(tsa.SHA256, tsa.der(0x04, DIGEST))
    wanted = tsa.sequence(tsa.integer(1), imprint, tsa.integer(nonce), tsa.der(0x01, b"\xff"))
    assert stamp_request(DIGEST, nonce) == wanted
    assert 0 <= new_nonce() < 2**64


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl program, as a second opinion")
def test_openssl_reads_the_request_and_takes_the_reply(tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(stamp_request(DIGEST, 5))
    (tmp_path / "r").write_bytes(REPLY)
    (tmp_path / "root").write_bytes(ROOT)
    seconds = str(int(LATER.timestamp()))

    def ask(*words: str) -> str:
        return subprocess.run(
            ["openssl", "ts", *words], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    assert "Nonce: 0x05" in ask("-query", "-in", "q", "-text")
    where = ("-in", "r", "-CAfile", "root", "-attime", seconds)
    assert "Verification: OK" in ask("-verify", *where, "-queryfile", "q")
