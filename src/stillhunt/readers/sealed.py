"""Opens fields that a log delivery encrypted for the operator's key: Cloudflare's Logpush.

Scheme, from Cloudflare's documentation of Workers Logpush for AI Gateway: a field is an object
``{key, iv, data}``, all base64. ``key`` is an AES-256 key under RSA-OAEP with SHA-256, ``data`` is
AES-GCM (NIST SP 800-38D) with its 16-byte tag at the end.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError, MissingExtraError

_KEPT = 64
_LARGEST = 1 << 16
_REMEDY = "Give the PEM file of the RSA private key whose public half Cloudflare has."


class SealedFieldError(ValueError):
    """A field cannot be opened; ``args[0]`` says why in a few words."""


def is_sealed(value: Any) -> bool:
    """Whether a value is an encrypted field."""
    return isinstance(value, Mapping) and {"key", "iv", "data"} <= value.keys()


class Opener:
    """Opens encrypted fields with one private key."""

    def __init__(self, path: Path) -> None:
        """Load the key.

        Args:
            path: PEM file of an RSA private key, not encrypted.

        Raises:
            MissingExtraError: the package cryptography is not installed.
            InputError: no such file, or no such key in it.
        """
        try:
            from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
            from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError(
                "Opening encrypted log fields needs the package cryptography, which is not installed.",
                "Install it with: pip install 'stillhunt[cloudflare]'.",
            ) from error
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST)
        except OSError as error:
            raise InputError(
                f"The key {path} cannot be read: {error.strerror}.", _REMEDY
            ) from error
        try:
            key = serialization.load_pem_private_key(data, password=None)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} holds no private key that can be used.", _REMEDY) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise InputError(f"{path} holds a private key, but not of RSA.", _REMEDY)
        self._key = key
        self._aes = AESGCM
        sha256 = hashes.SHA256()
        self._padding = padding.OAEP(padding.MGF1(sha256), sha256, None)
        # Fields of one row may share a key, and RSA is what costs.
        self._opened: OrderedDict[str, Any] = OrderedDict()

    def open(self, sealed: Mapping[str, Any]) -> str:
        """Return the text of an encrypted field.

        Raises:
            SealedFieldError: it is malformed, damaged, or encrypted for another key.
        """
        wrapped = sealed["key"]
        try:
            iv = _base64(sealed["iv"])
            data = _base64(sealed["data"])
            cipher = self._cipher(wrapped)
            opened: bytes = cipher.decrypt(iv, data, None)
        except SealedFieldError:
            raise
        except Exception as error:  # cryptography raises InvalidTag, ValueError, OverflowError
            raise SealedFieldError("encrypted for another key, or damaged") from error
        return opened.decode("utf-8", "replace")

    def _cipher(self, wrapped: Any) -> Any:
        found = self._opened.get(wrapped) if isinstance(wrapped, str) else None
        if found is None:
            found = self._aes(self._key.decrypt(_base64(wrapped), self._padding))
            self._opened[wrapped] = found
            if len(self._opened) > _KEPT:
                self._opened.popitem(last=False)
        return found


def _base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise SealedFieldError("not base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealedFieldError("not base64") from error
