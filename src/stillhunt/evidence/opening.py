"""Opens one account, or one value of a pseudonym, after the fact: nothing is told of any other."""

from __future__ import annotations

from stillhunt.errors import InputError
from stillhunt.evidence.binary import put_number
from stillhunt.evidence.canonical import encode, encode_base64
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.pseudonyms import salt
from stillhunt.evidence.value_hash import value_hash

COLUMNS = {"account": "account", "organization": "organization", "address": "address",
           "network": "network"}  # fmt: skip
"""Kinds whose pseudonyms stand for the hash of one text."""


def open_account(trees: ClaimTrees, statement: bytes, name: str) -> bytes:
    """Open one account by its name.

    Args:
        trees: of the claim; statement: its SHA-256; name: as in the logs.

    Raises:
        InputError: the claim does not count it.
    """
    value = value_hash(name, "account")
    at = int.from_bytes(value, "little")
    found = [i for i, account in enumerate(trees.rows.account.tolist()) if account == at]
    if not found:
        raise InputError("The claim does not count that account.", "Check how it is written.")
    i = found[0]
    out = bytearray()
    put_number(out, i)

    def leaf(_: int) -> None:
        tree = trees.exchanges(i)
        for number in tree.weights(0, tree.size):
            put_number(out, number)
        out.extend(tree.root)

    trees.top.prove([i], out, leaf, counted=True)
    return encode(
        {
            "kind": "account",
            "name": name,
            "opening": trees.opening(i).hex(),
            "proof": encode_base64(bytes(out)),
            "statement": statement.hex(),
            "value": value.hex(),
        }
    )


def open_value(secret: bytes, statement: bytes, kind: str, name: str) -> bytes:
    """Open the pseudonym of one organization, address or network by its name.

    Raises:
        InputError: no pseudonym stands for a text of that kind.
    """
    if kind not in COLUMNS or kind == "account":
        raise InputError(
            f"Values of kind {kind!r} cannot be opened by name.",
            "Open an account, organization, address or network.",
        )
    value = value_hash(name, COLUMNS[kind])
    return encode(
        {
            "kind": kind,
            "name": name,
            "opening": salt(secret, kind, value).hex(),
            "proof": "",
            "statement": statement.hex(),
            "value": value.hex(),
        }
    )
