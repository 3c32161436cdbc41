"""Client addresses: from what proxies log to one canonical address, or null.

Plain IPv4 is recognised for a whole column at once; only what else there is (IPv6, lists, ports)
is looked at value by value, once per distinct value.
"""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_IPV4 = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
_LONGEST = 4096


def client_addresses(values: pa.Array, trusted_hops: int) -> tuple[pa.Array, np.ndarray]:
    """Resolve a column of logged addresses.

    Args:
        values: string array, n values: an address, with or without a port, or an
            ``X-Forwarded-For`` list of them.
        trusted_hops: how many proxies of the operator's own stand before the gateway.

    Returns:
        Canonical addresses (string array, n values; null where there is none), and a mask of
        shape (n,), bool: there was something, but no address could be made of it.
    """
    plain = pc.fill_null(pc.match_substring_regex(values, _PLAIN_IPV4), False)
    rest = pc.if_else(plain, pa.scalar(None, pa.string()), values)
    if rest.null_count == len(rest):
        return values, np.zeros(len(values), dtype=bool)
    encoded = rest.dictionary_encode()
    resolved = pa.array(
        [client_address(value, trusted_hops) for value in encoded.dictionary.to_pylist()],
        pa.string(),
    ).take(encoded.indices)
    out = pc.if_else(plain, values, resolved)
    blank = pc.equal(pc.utf8_trim_whitespace(values), "")
    bad = pc.and_not(pc.and_(values.is_valid(), out.is_null()), pc.fill_null(blank, False))
    return out, np.asarray(bad)


def client_address(value: str, trusted_hops: int) -> str | None:
    """Return the client's address from an address or an ``X-Forwarded-For`` list.

    Each proxy appends the address it was called from, so of a list only the last
    ``trusted_hops`` entries were written by the operator's own proxies, and the first of those is
    the client. Entries further left are whatever the caller claimed. Without trusted hops the
    last entry is taken. A list shorter than the trusted hops did not come through them: None.
    """
    if len(value) > _LONGEST:
        value = value[-_LONGEST:].partition(",")[2]
    entries = [entry.strip() for entry in value.split(",")]
    hops = max(1, trusted_hops)
    if len(entries) == 1:
        return parse_address(entries[0])
    if len(entries) < hops:
        return None
    return parse_address(entries[-hops])


def parse_address(text: str) -> str | None:
    """Return one address in canonical form; ports, brackets, quotes and zones are dropped.

    IPv4 addresses mapped into IPv6 become IPv4. None where it is no address.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
