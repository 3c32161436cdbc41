"""Time stamps that are not of this claim, or not from somebody who may give them."""

from __future__ import annotations

from datetime import timedelta

import tsa
from forge import Done, Forge
from hostile_bundles import refused

from stillhunt.evidence.refusal import Code
from stillhunt.evidence.verify import Trust

AUTHORITY = tsa.Authority()


def stamped(
    forge: Forge, reply: bytes, done: Done, authority: tsa.Authority = AUTHORITY
) -> tuple[Done, Trust]:
    """A claim with a stamp, and who trusts the authority."""
    trust = forge.trust(authorities=(tsa.pem(authority.root),))
    return done.having(**{"timestamps__00.tsr": reply}), trust


@refused(14, Code.TIMESTAMP_OTHER_DIGEST)
def a_stamp_of_another_claim(forge: Forge) -> tuple[Done, Trust]:
    other = forge.whole()
    draft = forge.draft()
    draft.predicate["campaign"] = "c-222222222222"
    return stamped(forge, AUTHORITY.reply(other.statement.digest), forge.finish(draft))


@refused(14, Code.TIMESTAMP_UNTRUSTED)
def a_stamp_whose_time_was_changed(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    reply = AUTHORITY.reply(done.statement.digest).replace(b"20260601", b"20260602")
    return stamped(forge, reply, done)


@refused(14, Code.TIMESTAMP_UNTRUSTED)
def a_stamp_by_an_authority_that_nobody_trusts(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    return stamped(forge, tsa.Authority().reply(done.statement.digest), done)


@refused(14, Code.TIMESTAMP_NOT_AN_AUTHORITY)
def a_stamp_by_a_web_server(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    server = tsa.Authority(uses=(tsa.ExtendedKeyUsageOID.SERVER_AUTH,))
    return stamped(forge, server.reply(done.statement.digest), done, server)


@refused(14, Code.TIMESTAMP_CERTIFICATE_EXPIRED)
def a_stamp_under_a_certificate_that_had_run_out(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    old = tsa.Authority(ends=tsa.NOON - timedelta(days=1))
    return stamped(forge, old.reply(done.statement.digest), done, old)


@refused(14, Code.TIMESTAMP_FUTURE)
def a_stamp_of_a_time_to_come(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    lasting = tsa.Authority(ends=tsa.NOON + timedelta(days=3600))
    reply = lasting.reply(done.statement.digest, time=tsa.NOON + timedelta(days=3500))
    return stamped(forge, reply, done, lasting)


@refused(14, Code.TIMESTAMP_MALFORMED)
def a_stamp_with_bytes_behind_it(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    return stamped(forge, AUTHORITY.reply(done.statement.digest) + b"\x00", done)


@refused(14, Code.TIMESTAMP_NOT_GRANTED)
def a_refusal_in_place_of_a_stamp(forge: Forge) -> tuple[Done, Trust]:
    return stamped(forge, tsa.refused(), forge.whole())


@refused(14, Code.TIMESTAMP_OTHER_HASH)
def a_stamp_of_another_kind_of_digest(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    reply = AUTHORITY.reply(done.statement.digest, algorithm=tsa.SHA512)
    return stamped(forge, reply, done)


@refused(14, Code.TIMESTAMP_NO_CERTIFICATE)
def a_stamp_that_does_not_say_whose_it_is(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    reply = AUTHORITY.reply(done.statement.digest, with_certificate=False)
    return stamped(forge, reply, done)
