"""The vectors are what the script makes, and what the standards say of them."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import plain
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stillhunt.errors import StillhuntError
from stillhunt.evidence import audit
from stillhunt.evidence.batch_proof import batch_root
from stillhunt.evidence.checkpoint import open_checkpoint
from stillhunt.evidence.keys import check_rotation
from stillhunt.evidence.merkle import verify_consistency, verify_inclusion
from stillhunt.evidence.note import parse_vkey
from stillhunt.evidence.tiles import parse_tile_path, unpack_entries
from stillhunt.evidence.verify import read_trust, verify

VECTORS = Path(__file__).parent / "vectors"


@cache
def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def make() -> Any:
    spec = importlib.util.spec_from_file_location("make_vectors", VECTORS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = make
    spec.loader.exec_module(make)
    return make


def test_files_are_what_the_script_makes(make: Any) -> None:
    for name, document in make.DOCUMENTS.items():
        assert (VECTORS / name).read_text("utf-8") == make.text_of(document()), name


def test_bundles_are_what_the_script_makes(make: Any) -> None:
    files, listed = make.make_bundles.bundles()
    assert (VECTORS / "bundles.json").read_text("utf-8") == make.text_of(listed)
    assert files == {path.name: path.read_bytes() for path in (VECTORS / "bundles").iterdir()}


@cache
def leaves(size: int) -> list[bytes]:
    return [plain.sha256(b"\x00" + i.to_bytes(8, "big")) for i in range(size)]


def hashes(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


# The roots that the Certificate Transparency code base has tested with since 2012.
CT_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def test_roots() -> None:
    ct = vectors("trees.json")["ct"]
    for i, row in enumerate(ct, 1):
        assert plain.sha256(b"\x00" + bytes.fromhex(row["leaf"])).hex() == row["leaf_hash"]
        assert plain.mth(hashes([r["leaf_hash"] for r in ct[:i]])).hex() == row["root"]
    assert {n: ct[n - 1]["root"] for n in CT_ROOTS} == CT_ROOTS
    for row in vectors("trees.json")["roots"]:
        assert plain.mth(leaves(row["size"])).hex() == row["root"]


def test_inclusion() -> None:
    for row in vectors("trees.json")["inclusion"]:
        at, all_, proof = row["position"], leaves(row["size"]), hashes(row["proof"])
        assert plain.path(at, all_) == proof
        verify_inclusion(all_[at], at, len(all_), proof, plain.mth(all_))


def test_consistency() -> None:
    for row in vectors("trees.json")["consistency"]:
        old, new, proof = row["old"], row["new"], hashes(row["proof"])
        if old:
            assert plain.subproof(old, leaves(new), True) == proof
        verify_consistency(old, new, plain.mth(leaves(old)), plain.mth(leaves(new)), proof)


def test_batch() -> None:
    for row in vectors("trees.json")["batch"]:
        all_, at, proof = leaves(row["size"]), row["positions"], hashes(row["proof"])
        assert plain.batch(at, all_) == proof
        root = batch_root(len(all_), np.array(at), [all_[i] for i in at], proof)
        assert root == plain.mth(all_)


def test_tiles() -> None:
    for row in vectors("trees.json")["tiles"]:
        assert parse_tile_path(row["path"]) == (row["level"], row["index"], row["width"])
    bundle = vectors("trees.json")["entry_bundle"]
    assert unpack_entries(bytes.fromhex(bundle["bundle"])) == hashes(bundle["entries"])
    assert bundle["bundle"] == "".join("0008" + entry for entry in bundle["entries"])


def test_entries() -> None:
    document = vectors("entries.json")
    key = bytes.fromhex(document["batch_key"])
    for row in document["observations"]:
        data = bytes.fromhex(row["canonical"])
        blocks = [data[30:50], data[50:78], data[:30] + data[78:]]
        assert [row["who"], row["where"], row["what"]] == [block.hex() for block in blocks]
        salts = plain.keystream(key, 48 * row["leaf"], 48)
        assert row["salts"] == salts.hex()
        entry = b"\x01" + b"".join(
            plain.sha256(bytes([0x10 + i]) + salts[16 * i : 16 * i + 16] + block)
            for i, block in enumerate(blocks)
        )
        assert row["entry"] == entry.hex()
        assert row["leaf_hash"] == plain.sha256(b"\x00" + entry).hex()
    for row in document["account_rows"]:
        data = bytes.fromhex(row["canonical"])
        salts = plain.keystream(key, 48 * row["leaf"], 32)
        assert row["salts"] == salts.hex()
        who = plain.sha256(b"\x13" + salts[:16] + data[:17])
        bill = plain.sha256(b"\x14" + salts[16:] + data[17:])
        assert row["entry"] == (b"\x02" + who + bill).hex()
    for row in document["digests"]:
        assert row["entry"] == f"{row['kind']:02x}{row['digest']}"


def test_notes() -> None:
    document = vectors("notes.json")
    head = document["checkpoint"]
    root = base64.b64encode(bytes.fromhex(head["root"])).decode()
    assert head["text"] == f"{head['origin']}\n{head['size']}\n{root}\n"
    log, second, witness, _ = (parse_vkey(key["vkey"]) for key in document["keys"])
    text, _, lines = head["cosigned"].partition("\n\n")
    assert text + "\n" == head["text"]
    first, other = lines.splitlines()
    assert head["signed"] == f"{text}\n\n{first}\n"
    signed = head["text"].encode()
    assert plain.signature_holds(log.public, signed, first, log.name, 1)
    cosigned = f"cosignature/v1\ntime {head['time']}\n".encode() + signed
    assert plain.signature_holds(witness.public, cosigned, other, witness.name, 4)
    value = base64.b64decode(other.split(" ")[2])
    assert int.from_bytes(value[4:12], "big") == head["time"]
    read = open_checkpoint(head["cosigned"].encode(), [log], [witness], origin=head["origin"])
    assert (read.checkpoint.size, read.witnesses()) == (1000, {witness.name})
    assert check_rotation(document["rotation"].encode(), head["origin"], log) == second


@pytest.mark.parametrize("row", vectors("notes.json")["refused"], ids=lambda row: row["why"])
def test_notes_that_are_none(row: dict[str, str]) -> None:
    log, _, witness, _ = (parse_vkey(key["vkey"]) for key in vectors("notes.json")["keys"])
    with pytest.raises(StillhuntError):
        open_checkpoint(row["note"].encode(), [log], [witness], origin=log.name)


def test_audit() -> None:
    document = vectors("audit.json")
    given = document["seed"]
    named = bytes.fromhex(given["statement"]) + given["kind"].encode() + b"\n"
    seed = plain.sha256(b"stillhunt/audit/v1\n" + named + bytes.fromhex(given["value"]))
    assert seed.hex() == given["seed"]
    for row in document["streams"]:
        drawn = plain.draws(seed, row["name"].encode(), row["below"], len(row["first"]))
        assert row["first"] == drawn
    for row in document["plans"]:
        drawn = row["drawn"]
        for name, population in (("accounts", row["accounts"]), ("exchanges", row["weights"][0])):
            wanted = plain.distinct(seed, name.encode(), population, len(drawn[name]))
            assert drawn[name] == wanted
        for name, total in (("inputs", row["weights"][1]), ("outputs", row["weights"][2])):
            stream = name[:-1].encode() + b" tokens"
            assert drawn[name] == sorted(plain.draws(seed, stream, total, len(drawn[name])))
    for row in document["pseudonyms"]["rows"]:
        key = bytes.fromhex(document["pseudonyms"]["key"])
        salt, made = plain.pseudonym(key, row["kind"], bytes.fromhex(row["value"]))
        assert (row["salt"], row["pseudonym"]) == (salt.hex(), made.hex())


def test_a_stream_passes_over_what_would_favour_small_numbers() -> None:
    row = next(row for row in vectors("audit.json")["streams"] if row["below"] == 3 << 61)
    seed = bytes.fromhex(vectors("audit.json")["seed"]["seed"])
    first = plain.sha256(seed + b"input tokens" + bytes(8))
    raw = [int.from_bytes(first[at : at + 8], "big") for at in (0, 8, 16, 24)]
    assert any(value >= 3 << 61 for value in raw) or row["first"][:4] == raw
    assert len(set(row["first"])) == len(row["first"])
    assert audit.stream(seed, b"x", 1).__next__() == 0


def test_tree_of_sums() -> None:
    tree = vectors("claims.json")["tree"]
    key = bytes.fromhex(tree["key"])
    tops = []
    values = [int.from_bytes(bytes.fromhex(row["value"]), "little") for row in tree["accounts"]]
    for row in tree["accounts"]:
        salt, named = plain.pseudonym(key, "account", bytes.fromhex(row["value"]))
        assert (row["opening"], row["pseudonym"]) == (salt.hex(), named.hex())
        between = [int(one) for one in row["separators"]]
        keys = [int(one["key"]) for one in row["exchanges"]]
        assert all(a <= s < b for a, s, b in zip(keys, between, keys[1:], strict=False))
        leaves_ = []
        for one in row["exchanges"]:
            numbers = (one["position"], one["input"], one["output"])
            packed = b"\x30" + b"".join(n.to_bytes(8, "big") for n in numbers)
            leaves_.append(((1, one["input"], one["output"]), plain.sha256(packed)))
        weights, root = plain.sum_tree(between, leaves_)
        assert row["root"] == root.hex()
        packed = b"\x31" + b"".join(n.to_bytes(8, "big") for n in weights)
        tops.append((weights, plain.sha256(packed + named + root)))
    between = [int(one) for one in tree["separators"]]
    assert all(a <= s < b for a, s, b in zip(values, between, values[1:], strict=False))
    weights, root = plain.sum_tree(between, tops)
    assert (list(weights), root.hex()) == (tree["weights"], tree["root"])


def test_envelope() -> None:
    given = vectors("claims.json")["envelope"]
    payload = base64.b64decode(given["payload"])
    kind = "application/vnd.in-toto+json"
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    assert given["signed"].encode() == signed
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given["key"])).public_key()
    assert given["key_id"] == plain.sha256(key.public_bytes_raw()).hex()
    envelope = json.loads(given["envelope"])
    assert envelope["payload"] == given["payload"]
    (signature,) = envelope["signatures"]
    assert signature["keyid"] == given["key_id"]
    key.verify(base64.b64decode(signature["sig"], validate=True), signed)


@pytest.mark.parametrize("row", vectors("bundles.json")["bundles"], ids=lambda row: row["file"])
def test_bundles(row: dict[str, Any], tmp_path: Path) -> None:
    document = vectors("bundles.json")
    path = VECTORS / row["file"]
    assert plain.sha256(path.read_bytes()).hex() == row["sha256"]
    (tmp_path / "trust.json").write_text(json.dumps(document["trust"]))
    seed = document["auditor"] if row["audit"] == "auditor" else None
    report = verify(path, trust=read_trust(tmp_path / "trust.json", seed))
    assert report.ok, report.checks
    assert report.figures["statement_sha256"] == row["statement"]
    assert report.figures["claimed"] == row["counts"]
    assert report.figures["witnesses"]["met"]
    assert ("audit" in report.figures) == bool(row["audit"])
