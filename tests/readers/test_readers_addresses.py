"""Client addresses and trusted hops."""

from __future__ import annotations

import ipaddress
import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.readers.addresses import client_address, client_addresses
from stillhunt.records.pseudonyms import networks, split_address


@pytest.mark.parametrize(
    ("logged", "hops", "address"),
    [
        ("203.0.113.7", 0, "203.0.113.7"),
        (" 203.0.113.7 ", 0, "203.0.113.7"),
        ("203.0.113.7:443", 0, "203.0.113.7"),
        ("[2001:DB8::1]:443", 0, "2001:db8::1"),
        ("[2001:db8::1]", 0, "2001:db8::1"),
        ("2001:0db8:0:0::1", 0, "2001:db8::1"),
        ("fe80::1%eth0", 0, "fe80::1"),
        ("::ffff:203.0.113.7", 0, "203.0.113.7"),
        ('"203.0.113.7"', 0, "203.0.113.7"),
        ("unknown", 0, None),
        ("203.0.113.256", 0, None),
        ("", 0, None),
        # The list as the gateway sees it; each proxy appended whom it was called by.
        ("6.6.6.6, 203.0.113.7", 0, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.0.0.1", 2, "203.0.113.7"),
        ("203.0.113.7, 10.0.0.1", 2, "203.0.113.7"),
        ("203.0.113.7, 10.0.0.1", 3, None),
        ("203.0.113.7", 3, "203.0.113.7"),
        ("6.6.6.6, unknown, 10.0.0.1", 2, None),
        ("6.6.6.6," * 5000 + "203.0.113.7", 1, "203.0.113.7"),
    ],
)
def test_one_address(logged: str, hops: int, address: str | None) -> None:
    assert client_address(logged, hops) == address
    column, bad = client_addresses(pa.array([logged, None, "1.2.3.4"]), hops)
    assert column.to_pylist() == [address, None, "1.2.3.4"]
    assert bad.tolist() == [address is None and logged != "", False, False]


@given(st.lists(st.ip_addresses().map(str) | st.text(max_size=20) | st.none(), max_size=20))
def test_networks_of_a_column(values: list[str | None]) -> None:
    column, _ = client_addresses(pa.array(values, pa.string()), 0)
    got = networks(column).to_pylist()
    for address, network in zip(column.to_pylist(), got, strict=True):
        if address is None:
            assert network is None
            continue
        assert split_address(address) == (network, address)
        assert ipaddress.ip_address(address) in ipaddress.ip_network(network)
        assert network.endswith("/24" if "." in address else "/48")


def test_two_hundred_thousand_addresses_are_no_wait() -> None:
    addresses = pa.array(
        [f"{i % 223 + 1}.{i // 223 % 256}.{i % 251}.{i % 13}" for i in range(200_000)]
    )
    begun = time.perf_counter()
    column, bad = client_addresses(addresses, 0)
    networks(column)
    assert not bad.any()
    assert time.perf_counter() - begun < 2.0
