"""Time stamps that are not of this claim, or not from somebody who may give them."""

from __future__ import annotations

from datetime import timedelta

import tsa
from forge import Done, Forge
from hostile import refused

from stillhunt.evidence.verify import Trust

AUTHORITY = tsa.Authority()


def stamped(
    forge: Forge, reply: bytes, done: Done, authority: tsa.Authority = AUTHORITY
) -> tuple[Done, Trust]:
    """A claim with a stamp, and who trusts the authority."""
    trust = forge.trust(authorities=(tsa.pem(authority.root),))
    return done.having(**{"timestamps__00.tsr": reply}), trust


@refused(14, "timestamp-other-digest")
def a_stamp_of_another_claim(forge: Forge) -> tuple[Done, Trust]:
    other = forge.whole()
    draft = forge.draft()
    draft.predicate["campaign"] = "c-222222222222"
    return stamped(forge, AUTHORITY.reply(other.statement.digest), forge.finish(draft))


@refused(14, "timestamp-untrusted")
def a_stamp_whose_time_was_changed(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    reply = AUTHORITY.reply(done.statement.digest).replace(b"20260601", b"20250601")
    return stamped(forge, reply, done)


@refused(14, "timestamp-untrusted")
def a_stamp_by_an_authority_that_nobody_trusts(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    return stamped(forge, tsa.Authority().reply(done.statement.digest), done)


@refused(14, "timestamp-not-an-authority")
def a_stamp_by_a_web_server(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    server = tsa.Authority(uses=(tsa.ExtendedKeyUsageOID.SERVER_AUTH,))
    return stamped(forge, server.reply(done.statement.digest), done, server)


@refused(14, "timestamp-certificate-expired")
def a_stamp_under_a_certificate_that_had_run_out(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    old = tsa.Authority(ends=tsa.NOON - timedelta(days=1))
    return stamped(forge, old.reply(done.statement.digest), done, old)


@refused(14, "timestamp-in-the-future")
def a_stamp_of_a_time_to_come(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    lasting = tsa.Authority(ends=tsa.NOON + timedelta(days=3600))
    reply = lasting.reply(done.statement.digest, time=tsa.NOON + timedelta(days=3500))
    return stamped(forge, reply, done, lasting)


@refused(14, "timestamp-malformed")
def a_stamp_with_bytes_behind_it(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    return stamped(forge, AUTHORITY.reply(done.statement.digest) + b"\x00", done)
