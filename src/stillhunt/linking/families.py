"""Which indicator families there are, and which pairs of them are put to the test.

A pair is left out where the two depend on one another for innocent reasons: a tool's users share
its template *and* its client library; an address lies in its network.
"""

from __future__ import annotations

TEMPLATE = "template"
ADDRESS = "address"
NETWORK = "network"
CLIENT = "client"
PAYMENT = "payment"
EMAIL_DOMAIN = "email_domain"

FAMILIES: tuple[str, ...] = (TEMPLATE, ADDRESS, NETWORK, CLIENT, PAYMENT, EMAIL_DOMAIN)

PAIRS: tuple[tuple[str, str], ...] = (
    (ADDRESS, TEMPLATE),
    (NETWORK, TEMPLATE),
    (PAYMENT, TEMPLATE),
    (EMAIL_DOMAIN, TEMPLATE),
    (ADDRESS, PAYMENT),
    (NETWORK, PAYMENT),
    (ADDRESS, EMAIL_DOMAIN),
    (EMAIL_DOMAIN, PAYMENT),
    (ADDRESS, CLIENT),
    # Two different addresses (or payers) in common: what remains where there is nothing else.
    (ADDRESS, ADDRESS),
)

HELD_OUT: tuple[tuple[str, ...], ...] = (
    (TEMPLATE,),
    (ADDRESS, NETWORK),
    (PAYMENT,),
    (CLIENT,),
)
"""What is kept from forming clusters and then tests them, one entry at a time. Families that imply
one another are held out together; the first of an entry is the one that tests."""


def pairs_without(held_out: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The pairs that may form clusters while some families are held out."""
    return tuple(pair for pair in PAIRS if not set(pair) & set(held_out))
