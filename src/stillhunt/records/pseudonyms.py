"""Keyed pseudonyms: what takes the place of accounts, addresses and the like, so that nothing
clear goes further than the readers.

A pseudonym is keyed BLAKE2b (RFC 7693) of the value, with a different personalisation for every
kind of value: equal values of one kind get equal pseudonyms, in every table and every run with the
same key, and nothing can be joined across kinds. Without the key, trying out all IPv4 addresses or
all known accounts reveals nothing.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import stat
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.errors import InputError

MINIMUM_KEY_BYTES = 32

PREFIXES: dict[str, str] = {
    "account": "a",
    "organization": "o",
    "credential": "k",
    "address": "i",
    "network": "n",
    "email_domain": "e",
    "payment": "p",
    "user": "u",
}
"""Kind of value to the letter its pseudonyms begin with."""

_HOW = "Make one with: head -c 32 /dev/urandom > stillhunt.key && chmod 600 stillhunt.key"
_MAXIMUM_KEY_FILE = 4096
_HEX = re.compile(rb"[0-9a-fA-F]+\Z")
_IPV4 = r"^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$"
_TOKEN = r"^n_[0-9a-f]{20}\.i_[0-9a-f]{20}$"  # noqa: S105 - the shape of a pseudonym, no secret


class Pseudonymiser:
    """Replaces values by keyed pseudonyms.

    Attributes:
        key_id: names the key without revealing it (16 hex digits), for a run's record.
        warning: what is unwise about the key file, or None.
    """

    def __init__(self, key: bytes, warning: str | None = None) -> None:
        """Take a key of at least 32 random bytes.

        Raises:
            InputError: the key is shorter, or plainly not random.
        """
        if len(key) < MINIMUM_KEY_BYTES:
            raise InputError(
                f"The pseudonymisation key has {len(key)} bytes; {MINIMUM_KEY_BYTES} are needed.",
                _HOW,
            )
        if len(set(key)) < 8:
            raise InputError("The pseudonymisation key is not random.", _HOW)
        self._key = blake2b(key, person=b"stillhunt key").digest()
        self.warning = warning
        self.key_id = blake2b(key=self._key, person=b"key id", digest_size=8).hexdigest()

    @classmethod
    def from_file(cls, path: Path) -> Pseudonymiser:
        """Read a key file: at least 32 random bytes, raw, or as hex or base64 text.

        Raises:
            InputError: unreadable, too short, or a pass phrase instead of random bytes.
        """
        try:
            with path.open("rb") as file:
                content = file.read(_MAXIMUM_KEY_FILE + 1)
            mode = path.stat().st_mode
        except OSError as error:
            raise InputError(
                f"The key file {path} cannot be read: {error.strerror}.", _HOW
            ) from error
        if len(content) > _MAXIMUM_KEY_FILE:
            raise InputError(f"The key file {path} is larger than a key can be.", _HOW)
        warning = None
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            warning = f"Others on this machine may read the key file {path}: chmod 600 {path}"
        return cls(_decode_key(content, path), warning)

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the pseudonym of one value, such as ``a_`` and 20 hex digits."""
        digest = blake2b(
            value.encode("utf-8", "replace"), key=self._key, person=kind.encode(), digest_size=10
        )
        return f"{PREFIXES[kind]}_{digest.hexdigest()}"

    def derived_key(self, purpose: bytes) -> bytes:
        """A 32-byte key for another use, from which this one cannot be told.

        Args:
            purpose: at most 16 bytes; other purposes get other keys.
        """
        return blake2b(key=self._key, person=purpose, digest_size=32).digest()

    def column(self, kind: str, values: pa.Array) -> pa.Array:
        """Replace every value of a string array; nulls stay null."""
        return _per_distinct(values, lambda value: self.pseudonym(kind, value))

    def addresses(self, values: pa.Array) -> pa.Array:
        """Replace clear addresses by ``<pseudonym of network>.<pseudonym of address>``.

        The network is the /24 (IPv4) or /48 (IPv6). What is no address becomes null.
        """
        return _per_distinct(values, self._address)

    def _address(self, value: str) -> str | None:
        network = _clear_network(value)
        if network is None:
            return None
        return f"{self.pseudonym('network', network)}.{self.pseudonym('address', value)}"


def split_address(value: str) -> tuple[str | None, str]:
    """Split a client address, clear or pseudonymised, into (network, address).

    Clear: the /24 or /48 in CIDR notation and the address itself. Pseudonymised: the two
    pseudonyms. The network is None where the value is neither.
    """
    if re.match(_TOKEN, value):
        network, _, address = value.partition(".")
        return network, address
    return _clear_network(value), value


def networks(addresses: pa.Array) -> pa.Array:
    """Return the network of each client address: CIDR text, or the pseudonym of the network.

    Args:
        addresses: string array of length n, as in ``Exchange.client_address``.

    Returns:
        String array of length n, null where there is no address.
    """
    if isinstance(addresses, pa.ChunkedArray):
        addresses = addresses.combine_chunks()
    addresses = addresses.cast(pa.string())
    is_v4 = pc.match_substring_regex(addresses, _IPV4)
    is_token = pc.match_substring_regex(addresses, _TOKEN)
    v4 = pc.replace_substring_regex(addresses, _IPV4, r"\1.0/24")
    first = pc.utf8_slice_codeunits(addresses, 0, 22)
    rest = pc.if_else(pc.or_(is_v4, is_token), pa.scalar(None, pa.string()), addresses)
    if rest.null_count == len(rest):
        return pc.if_else(is_v4, v4, first)
    others = _per_distinct(rest, lambda value: split_address(value)[0])
    return pc.if_else(is_v4, v4, pc.if_else(is_token, first, others))


def _clear_network(value: str) -> str | None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _per_distinct(values: pa.Array, function: Callable[[str], str | None]) -> pa.Array:
    """Apply a function from string to string or None once per distinct value."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    encoded = values.cast(pa.string()).dictionary_encode()
    mapped = pa.array([function(v) for v in encoded.dictionary.to_pylist()], pa.string())
    return mapped.take(encoded.indices)


def _decode_key(content: bytes, path: Path) -> bytes:
    text = content.strip()
    if _HEX.match(text) and len(text) % 2 == 0:
        return bytes.fromhex(text.decode())
    compact = b"".join(text.split())
    try:
        decoded = base64.b64decode(compact, altchars=b"-_", validate=True) if compact else b""
    except (binascii.Error, ValueError):
        try:
            decoded = base64.b64decode(compact, validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
    if len(decoded) >= MINIMUM_KEY_BYTES:
        return decoded
    if text and all(32 <= byte < 127 for byte in text):
        raise InputError(
            f"The key file {path} holds text that is neither hex nor base64 of"
            f" {MINIMUM_KEY_BYTES} bytes; a pass phrase can be guessed.",
            _HOW,
        )
    return content
