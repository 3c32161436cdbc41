"""Statements that are not what they look like, and signatures that are somebody else's.

Where the claimant himself lies, he signs what he says and has his log commit to it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from forge import Done, Forge, canonical, payload_of
from hostile_bundles import refused

from stillhunt.evidence.keys import new_signer
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.verify import Trust


def saying(forge: Forge, change: Callable[[dict[str, Any]], object]) -> Done:
    """An honest claim whose statement says something else, signed and committed to."""
    draft = forge.draft()
    change(draft.predicate)
    return forge.finish(draft)


def spelt(forge: Forge, change: Callable[[bytes], bytes]) -> Done:
    """The same, spelt otherwise."""
    return forge.finish(forge.draft(), payload=change)


@refused(2, Code.JSON_NOT_CANONICAL)
def a_key_twice(forge: Forge) -> Done:
    # Some readers take the first, some the last.
    return spelt(forge, lambda data: data.replace(b'"accounts":', b'"accounts":9,"accounts":', 1))


@refused(2, Code.JSON_NOT_CANONICAL)
def spaces_in_the_statement(forge: Forge) -> Done:
    return spelt(forge, lambda data: json.dumps(json.loads(data)).encode())


@refused(2, Code.JSON_NOT_CANONICAL)
def keys_in_another_order(forge: Forge) -> Done:
    def turned(data: bytes) -> bytes:
        value = dict(reversed(json.loads(data).items()))
        return json.dumps(value, separators=(",", ":")).encode()

    return spelt(forge, turned)


@refused(2, Code.JSON_NOT_CANONICAL)
def escaped_letters(forge: Forge) -> Done:
    return spelt(forge, lambda data: data.replace(b'"counts"', b'"\\u0063ounts"'))


@refused(2, Code.JSON_NOT_CANONICAL)
def a_number_of_ten_thousand_digits(forge: Forge) -> Done:
    return spelt(
        forge, lambda data: data.replace(b'"claim":1,', b'"claim":1' + b"0" * 10_000 + b",")
    )


@refused(2, Code.JSON_NOT_CANONICAL)
def a_number_that_is_none(forge: Forge) -> Done:
    return spelt(forge, lambda data: data.replace(b'"link_p":1e-09', b'"link_p":NaN'))


@refused(2, Code.JSON_NOT_CANONICAL)
def bytes_that_are_no_text(forge: Forge) -> Done:
    return spelt(forge, lambda data: data.replace(b"share nothing", b"share \xff nothing"))


@refused(2, Code.JSON_TOO_LARGE)
def a_statement_a_hundred_thousand_lists_deep(forge: Forge) -> Done:
    deep = b'"links":' + b"[" * 100_000 + b"]" * 100_000
    return spelt(forge, lambda data: data.replace(b'"links":[]', deep))


@refused(2, Code.NAME_DECEPTIVE)
def a_campaign_with_a_look_alike(forge: Forge) -> Done:
    # The c is Cyrillic.
    return saying(forge, lambda said: said.update(campaign="\u0441-0123456789ab"))


@refused(2, Code.NAME_DECEPTIVE)
def a_claimant_with_a_look_alike(forge: Forge) -> Done:
    return saying(forge, lambda said: said.update(claimant="ex\u0430mple.com/log"))


@refused(2, Code.NAME_DECEPTIVE)
def a_sentence_that_reads_backwards(forge: Forge) -> Done:
    return saying(forge, lambda said: said.update(not_seen=["Seen by \u202eydobyna\u202c."]))


@refused(2, Code.NAME_DECEPTIVE)
def a_sentence_with_a_terminals_commands(forge: Forge) -> Done:
    return saying(forge, lambda said: said.update(not_seen=["\x1b[2J\x1b[32mVERIFIED"]))


@refused(2, Code.STATEMENT_MALFORMED)
def something_more_than_a_statement_has(forge: Forge) -> Done:
    return saying(forge, lambda said: said.update(verdict="guilty"))


@refused(2, Code.STATEMENT_MALFORMED)
def a_probability_above_one(forge: Forge) -> Done:
    return saying(forge, lambda said: said["finding"].update(probability=1.5))


@refused(2, Code.STATEMENT_MALFORMED)
def a_number_that_is_a_truth_value(forge: Forge) -> Done:
    return saying(forge, lambda said: said["counts"].update(exchanges=True))


@refused(2, Code.STATEMENT_NUMBERS)
def more_accounts_than_exchanges(forge: Forge) -> Done:
    return saying(
        forge, lambda said: said["counts"].update(accounts=said["counts"]["exchanges"] + 1)
    )


@refused(2, Code.STATEMENT_NUMBERS)
def more_exchanges_than_the_log_has_leaves(forge: Forge) -> Done:
    return saying(forge, lambda said: said["counts"].update(exchanges=10**12))


@refused(2, Code.STATEMENT_NUMBERS)
def a_period_that_ends_before_it_begins(forge: Forge) -> Done:
    return saying(forge, lambda said: said["period"].update(last=said["period"]["first"] - 1))


@refused(2, Code.FINDING_WORD)
def a_word_that_is_not_the_probabilitys(forge: Forge) -> Done:
    return saying(
        forge, lambda said: said["finding"].update(probability=0.5, word="almost certain")
    )


@refused(2, Code.STATEMENT_NUMBERS)
def an_interval_that_ends_before_it_begins(forge: Forge) -> Done:
    return saying(forge, lambda said: said["counts"].update(exchanges_low=9, exchanges_high=8))


@refused(2, Code.ENVELOPE_MALFORMED)
def base64_that_is_not_canonical(forge: Forge) -> Done:
    done = forge.whole()
    envelope = json.loads(done.members["statement.dsse"])
    row = envelope["signatures"][0]
    # 64 bytes end in two letters, of which the last has four bits that say nothing.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = row["sig"][-3]
    row["sig"] = row["sig"][:-3] + letters[letters.index(last) ^ 1] + "=="
    assert base64.b64decode(row["sig"], validate=True)
    return done.having(**{"statement.dsse": canonical(envelope)})


@refused(2, Code.ENVELOPE_MALFORMED)
def an_envelope_for_something_else(forge: Forge) -> Done:
    done = forge.whole()
    envelope = json.loads(done.members["statement.dsse"]) | {"payloadType": "text/plain"}
    return done.having(**{"statement.dsse": canonical(envelope)})


@refused(2, Code.ENVELOPE_MALFORMED)
def an_envelope_without_signatures(forge: Forge) -> Done:
    done = forge.whole()
    envelope = json.loads(done.members["statement.dsse"]) | {"signatures": []}
    return done.having(**{"statement.dsse": canonical(envelope)})


@refused(3, Code.ENVELOPE_SIGNATURE)
def a_statement_changed_after_signing(forge: Forge) -> Done:
    done = forge.whole()
    changed = payload_of(done).replace(b"c-0123456789ab", b"c-0123456789ac")
    envelope = json.loads(done.members["statement.dsse"])
    envelope["payload"] = base64.b64encode(changed).decode()
    return done.having(**{"statement.dsse": canonical(envelope)})


@refused(3, Code.ENVELOPE_SIGNATURE)
def another_key_under_the_trusted_keys_name(forge: Forge) -> Done:
    thief = new_signer(forge.signer.key.name)
    return forge.finish(forge.draft(), signer=thief, named=forge.signer)


@refused(3, Code.SIGNER_UNKNOWN)
def signed_by_another_key(forge: Forge) -> Done:
    return forge.finish(forge.draft(), signer=new_signer(forge.signer.key.name))


@refused(3, Code.SIGNER_UNKNOWN)
def signed_by_a_key_that_only_the_statement_names(forge: Forge) -> tuple[Done, Trust]:
    thief = new_signer("thief.example/k")
    draft = forge.draft()
    draft.predicate["keys"]["claimant"] = [str(thief.key)]
    return forge.finish(draft, signer=thief), forge.trust()


@refused(4, Code.MEMBER_DIGEST)
def leaves_changed_after_signing(forge: Forge) -> Done:
    done = forge.whole("pseudonymous")
    leaves = bytearray(done.members["leaves"])
    leaves[20] ^= 1
    return done.having(leaves=bytes(leaves))


@refused(4, Code.CONTAINER_MEMBER_MISSING)
def leaves_left_out(forge: Forge) -> Done:
    return forge.whole("pseudonymous").having(leaves=None)


@refused(4, Code.CONTAINER_MEMBER_MISSING)
def leaves_at_a_depth_that_shows_none(forge: Forge) -> Done:
    return forge.whole().having(leaves=b"nobody signed for these")


@refused(4, Code.README)
def a_text_that_says_more_than_the_statement(forge: Forge) -> Done:
    done = forge.whole()
    text = done.members["README.txt"].replace(b"accounts", b"criminals")
    return done.having(**{"README.txt": text})


@refused(4, Code.MEMBER_DIGEST)
def leaves_of_another_claim(forge: Forge) -> Done:
    # Each is honest; together they would show what neither says.
    other = forge.whole("full", forge.late_rows("full"))
    return forge.whole("full").having(leaves=other.members["leaves"])
