"""Ed25519 (RFC 8032) and AES-256 in counter mode, from the package cryptography."""

from __future__ import annotations

from stillhunt.errors import MissingExtraError

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    _THERE = False
else:
    _THERE = True


def private_key(seed: bytes) -> Ed25519PrivateKey:
    """The private key of 32 bytes."""
    _need()
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(seed: bytes) -> bytes:
    """The public key (32 bytes) of a private one (32 bytes)."""
    public = private_key(seed).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed: bytes, message: bytes) -> bytes:
    """A signature of 64 bytes."""
    return private_key(seed).sign(message)


def is_signature(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is the key's, of that message."""
    _need()
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_stream(key: bytes, block: int, length: int) -> bytes:
    """AES-256's key stream in counter mode (NIST SP 800-38A §6.5), nonce 0.

    Args:
        key: 32 bytes; block: counter of the first block of 16 bytes; length: in bytes.
    """
    _need()
    stream = Cipher(AES(key), CTR(block.to_bytes(16, "big"))).encryptor()
    return stream.update(bytes(length))


def _need() -> None:
    if not _THERE:
        raise MissingExtraError(
            "Sealing and verifying need the package cryptography, which is not installed.",
            "Install it: pip install 'stillhunt[evidence]'.",
        )
