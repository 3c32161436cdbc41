"""No byte of a bundle can be changed: neither in the file, nor in a member that is packed again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_claims import World, claim, cosigned, world

from stillhunt.errors import StillhuntError
from stillhunt.evidence import container
from stillhunt.evidence.audit import Rates
from stillhunt.evidence.claim.respond import add_openings, respond
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.refusal import Refused
from stillhunt.evidence.seed import auditors_seed
from stillhunt.evidence.verify import Trust, verify

DEPTHS = ("counts", "pseudonymous", "full")
EXAMPLES = partial(
    settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trust, dict[str, Path]]:
    """A small bundle of each depth, with every member that one may have but time stamps."""
    folder = tmp_path_factory.mktemp("bundles")
    made: World = world(folder, rows=400, accounts=30, named=3)
    lax = Rates(0.3, 0.3, 0.9)
    found = {}
    for depth in DEPTHS:
        done = claim(made, folder / f"{depth}.claim", depth, rates=lax)
        if depth != "full":
            state = read_state(done.private)
            seed = cosigned(made) if depth == "counts" else auditors_seed("77" * 32)
            respond(Log(made.root), done.bundle, state, seed, done.bundle)
        found[depth] = done.bundle
    return made.trust(), found


def refused(path: Path, trust: Trust) -> bool:
    try:
        return not verify(path, trust=trust).ok
    except StillhuntError:
        return True


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@EXAMPLES(max_examples=60)
def test_a_changed_byte_of_the_file_is_refused(
    bundles: tuple[Trust, dict[str, Path]], tmp_path: Path, depth: str, data: st.DataObject
) -> None:
    trust, found = bundles
    body = bytearray(found[depth].read_bytes())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refused):
        container.parse(memoryview(bytes(body)))
    path = tmp_path / "changed.claim"
    path.write_bytes(body)
    assert refused(path, trust)


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@EXAMPLES(max_examples=150)
def test_a_changed_byte_of_a_member_packed_again_is_refused(
    bundles: tuple[Trust, dict[str, Path]], tmp_path: Path, depth: str, data: st.DataObject
) -> None:
    trust, found = bundles
    members = {name: bytes(body) for name, body in container.read(found[depth]).items()}
    name = data.draw(st.sampled_from(sorted(members)))
    body = bytearray(members[name])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "changed.claim"
    container.write(path, {**members, name: bytes(body)})
    assert refused(path, trust)


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@EXAMPLES(max_examples=40)
def test_a_byte_more_or_less_is_refused(
    bundles: tuple[Trust, dict[str, Path]], tmp_path: Path, depth: str, data: st.DataObject
) -> None:
    trust, found = bundles
    members = {name: bytes(body) for name, body in container.read(found[depth]).items()}
    name = data.draw(st.sampled_from(sorted(members)))
    body = bytearray(members[name])
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        del body[at]
    else:
        body.insert(at, data.draw(st.integers(0, 255)))
        if bytes(body) == members[name]:
            return
    path = tmp_path / "changed.claim"
    container.write(path, {**members, name: bytes(body)})
    assert refused(path, trust)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_member_less_is_refused_and_a_bundle_is_written_in_one_way(
    bundles: tuple[Trust, dict[str, Path]], tmp_path: Path, depth: str
) -> None:
    trust, found = bundles
    members = {name: bytes(body) for name, body in container.read(found[depth]).items()}
    container.write(tmp_path / "same.claim", members)
    assert (tmp_path / "same.claim").read_bytes() == found[depth].read_bytes()
    for name in members:
        less = {other: body for other, body in members.items() if other != name}
        container.write(tmp_path / "less.claim", less)
        assert refused(tmp_path / "less.claim", trust), name


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_bundle_that_breaks_off_is_refused(
    bundles: tuple[Trust, dict[str, Path]], tmp_path: Path, depth: str
) -> None:
    trust, found = bundles
    body = found[depth].read_bytes()
    for end in (0, 1, 29, 30, 100, len(body) // 2, len(body) - 1):
        (tmp_path / "cut.claim").write_bytes(body[:end])
        assert refused(tmp_path / "cut.claim", trust)
    for more in (b"\0", body):
        (tmp_path / "long.claim").write_bytes(body + more)
        assert refused(tmp_path / "long.claim", trust)


def test_openings_are_refused_when_changed(
    bundles: tuple[Trust, dict[str, Path]], tmp_path: Path
) -> None:
    trust, found = bundles
    for body in (b"{}", b"[]", b'{"kind":"account"}'):
        add_openings(found["counts"], [body], tmp_path / "a.claim")
        assert refused(tmp_path / "a.claim", trust)
