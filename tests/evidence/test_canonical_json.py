"""Canonical JSON and envelopes, against hostile texts."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.evidence.canonical import decode, encode, is_plain_name
from stillhunt.evidence.dsse import PAYLOAD_TYPE, open_envelope, pre_authentication, seal
from stillhunt.evidence.refusal import Code, Refused

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_what_is_written_is_read_and_has_one_form(value: object) -> None:
    text = encode(value)
    assert decode(text) == value
    assert encode(decode(text)) == text
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a":1,"a":1}', Code.JSON_NOT_CANONICAL),
        (b'{"b":1,"a":1}', Code.JSON_NOT_CANONICAL),
        (b'{"a": 1}', Code.JSON_NOT_CANONICAL),
        (b'{"a":1}\n', Code.JSON_NOT_CANONICAL),
        (b'"\\u0061"', Code.JSON_NOT_CANONICAL),
        (b"1.0e5", Code.JSON_NOT_CANONICAL),
        (b"-0", Code.JSON_NOT_CANONICAL),
        (b"NaN", Code.JSON_NOT_CANONICAL),
        (b"1" * 21, Code.JSON_NOT_CANONICAL),
        (b"1" * 20, Code.JSON_NOT_CANONICAL),
        (b"1." + b"1" * 40, Code.JSON_NOT_CANONICAL),
        (b"1e999", Code.JSON_NOT_CANONICAL),
        (b"\xff", Code.JSON_NOT_CANONICAL),
        (b"\xef\xbb\xbf1", Code.JSON_NOT_CANONICAL),
        (b'"\\ud800"', Code.NAME_DECEPTIVE),
        (b"[" * 1000, Code.JSON_TOO_LARGE),
        (b"[" * 14 + b"]" * 14, Code.JSON_TOO_LARGE),
        ('"e\u0301"'.encode(), Code.NAME_DECEPTIVE),
        ('"a\u202eb"'.encode(), Code.NAME_DECEPTIVE),
        ('"a\u200bb"'.encode(), Code.NAME_DECEPTIVE),
        (b'"a\\nb"', Code.NAME_DECEPTIVE),
        (b"1" * (9 << 20), Code.JSON_TOO_LARGE),
    ],
)
def test_other_texts_are_refused(text: bytes, code: Code) -> None:
    with pytest.raises(Refused) as refusal:
        decode(text)
    assert refusal.value.code is code


@given(st.text())
def test_signed_texts_are_kept_as_they_are(text: str) -> None:
    try:
        expected = text.encode()
    except UnicodeEncodeError:  # a surrogate is in no text that was read
        with pytest.raises(UnicodeEncodeError):
            encode([text], verbatim=True)
        return
    body = encode([text], verbatim=True)
    assert decode(body, verbatim=True)[0].encode() == expected
    with pytest.raises(Refused):
        decode(body + b" ", verbatim=True)


@given(VALUES)
def test_the_form_is_that_of_sorted_compact_json(value: object) -> None:
    # Of batch records, settings and statements alike, whoever writes them.
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert encode(value) == encode(value, verbatim=True) == plain.encode()
    assert encode((1, (2, 3))) == b"[1,[2,3]]"


def test_brackets_in_texts_are_no_depth() -> None:
    assert decode(encode(["[{" * 100, '"[[' * 50])) == ["[{" * 100, '"[[' * 50]


@pytest.mark.parametrize("name", ["c-0ef4fdfeba3a", "example.com/log", "a", "A.b_c:d@e+f"])
def test_plain_names(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize(
    "name", ["", "a b", "-a", "a-", "\u0430", "a\n", "x" * 201, "a\u200d", "..", "caf\u00e9"]
)
def test_names_that_can_deceive(name: str) -> None:
    assert not is_plain_name(name)


def test_pre_authentication_is_the_published_one() -> None:
    # The example of DSSE v1's protocol.md.
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == expected


def test_envelopes_are_read_by_another_implementation() -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="needs securesystemslib")
    key = Ed25519PrivateKey.generate()
    text = seal(b'{"a":1}', [key])
    theirs = dsse.Envelope.from_dict(json.loads(text))
    assert theirs.payload == b'{"a":1}'
    assert theirs.payload_type == PAYLOAD_TYPE
    (signature,) = theirs.signatures.values()
    key.public_key().verify(bytes.fromhex(signature.signature), theirs.pae())


def envelope(**changes: object) -> bytes:
    value = json.loads(seal(b"{}", [Ed25519PrivateKey.generate()]))
    return encode(value | changes)


@pytest.mark.parametrize(
    "text",
    [
        envelope(payloadType="text/plain"),
        envelope(signatures=[]),
        envelope(more=1),
        envelope(payload="e30"),
        envelope(payload="e30=\n".strip() + "="),
        envelope(payload=1),
        envelope(signatures=[{"keyid": "a" * 64, "sig": base64.b64encode(b"x").decode()}]),
        envelope(signatures=[{"keyid": "a" * 64, "sig": base64.b64encode(b"x" * 64).decode()}] * 2),
        envelope(signatures=["x"]),
        encode([]),
    ],
)
def test_malformed_envelopes_are_refused(text: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        open_envelope(text)
    assert refusal.value.code is Code.ENVELOPE_MALFORMED


def test_a_signature_is_of_its_key_and_payload_alone() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    read = open_envelope(seal(b"{}", [key]))
    assert read.is_signed_by(key.public_key().public_bytes_raw())
    assert not read.is_signed_by(other.public_key().public_bytes_raw())
    value = json.loads(seal(b"{}", [key]))
    moved = encode(value | {"payload": base64.b64encode(b"[]").decode()})
    assert not open_envelope(moved).is_signed_by(key.public_key().public_bytes_raw())
