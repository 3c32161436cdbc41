"""Claimants who overstate: each way of doing so is refused, with its own reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_claims import World, facts, world

from stillhunt.evidence import audit
from stillhunt.evidence.audit import Rates
from stillhunt.evidence.claim import leaves as leaf_module
from stillhunt.evidence.claim.gather import Gathered, gather
from stillhunt.evidence.claim.make import Made, make_claim
from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.claim.tree import SumTree, account_hash
from stillhunt.evidence.entries import as_rows
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.report import Report
from stillhunt.evidence.seed import auditors_seed
from stillhunt.evidence.verify import verify

SEED = "c3" * 32
LAX = Rates(error=0.1, token_error=0.1, confidence=0.999)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"), rows=3000, accounts=40)


def honest(made: World) -> Gathered:
    digests = np.ascontiguousarray(as_rows(made.claimed)[:, 6:22])
    return gather(Log(made.root), digests, made.named)


def checked(made: World, found: Gathered, folder: Path, depth: str = "counts") -> Report:
    """Claim, answer and verify."""
    done = make_claim(made.root, facts(), found, folder / "a.claim", depth=depth, rates=LAX)
    return answered(made, done, folder, depth)


def answered(made: World, done: Made, folder: Path, depth: str = "counts") -> Report:
    if depth == "full":
        return verify(done.bundle, trust=made.trust())
    state = read_state(done.private)
    out = respond(Log(made.root), done.bundle, state, auditors_seed(SEED), folder / "b.claim")
    return verify(out.bundle, trust=made.trust(seed=SEED))


def test_the_honest_claim_holds(made: World, tmp_path: Path) -> None:
    for depth in ("counts", "pseudonymous", "full"):
        assert checked(made, honest(made), tmp_path, depth).ok


def with_rows(found: Gathered, **columns: np.ndarray) -> Gathered:
    return replace(found, rows=replace(found.rows, **columns))


def twice(found: Gathered) -> Gathered:
    """Every exchange a second time, right behind itself, with a key that is made up."""
    rows = found.rows
    key = np.repeat(rows.key, 2)
    key[1::2] += np.uint64(1)
    twofold = {
        name: np.repeat(getattr(rows, name), 2) for name in ("position", "inputs", "outputs")
    }
    return with_rows(found, key=key, starts=rows.starts * 2, **twofold)


def split(found: Gathered) -> Gathered:
    """Every account in two: half of its exchanges under a value that is made up."""
    rows = found.rows
    kept = [i for i in range(len(rows.account)) if rows.starts[i + 1] - rows.starts[i] > 1]
    assert len(kept) == len(rows.account)
    account, starts = [], [0]
    for i, value in enumerate(rows.account.tolist()):
        middle = (int(rows.starts[i]) + int(rows.starts[i + 1])) // 2
        account += [value, value + 1]
        starts += [middle, int(rows.starts[i + 1])]
    return with_rows(
        found, account=np.array(account, dtype=np.uint64), starts=np.array(starts, dtype=np.int64)
    )


def innocents(found: Gathered) -> Gathered:
    """All exchanges of the second account under the first one."""
    rows = found.rows
    starts = np.delete(rows.starts, 1)
    order = np.argsort(rows.key[: starts[1]], kind="stable")
    every = np.arange(len(rows.key))
    every[: starts[1]] = order
    moved = {name: getattr(rows, name)[every] for name in ("key", "position", "inputs", "outputs")}
    return with_rows(found, account=np.delete(rows.account, 1), starts=starts, **moved)


def more_tokens(found: Gathered) -> Gathered:
    return with_rows(found, outputs=found.rows.outputs * np.uint64(2))


def one_large(found: Gathered) -> Gathered:
    """One exchange with as many tokens as all others together: a draw of exchanges would miss it."""
    outputs = found.rows.outputs.copy()
    outputs[7] += outputs.sum()
    return with_rows(found, outputs=outputs)


def short_period(found: Gathered) -> Gathered:
    return replace(found, last=(found.first + found.last) // 2)


def long_period(found: Gathered) -> Gathered:
    return replace(found, last=found.last + 1)


ATTACKS: dict[str, tuple[Callable[[Gathered], Gathered], dict[str, set[Code]]]] = {
    "leaves counted twice": (twice, {"counts": {Code.LEAVES_ORDER}, "pseudonymous": {Code.LEAVES_ORDER},
                                     "full": {Code.LEAVES_ORDER}}),
    "accounts split": (split, {"counts": {Code.LEAVES_WRONG_ACCOUNT},
                               "pseudonymous": {Code.LEAVES_WRONG_ACCOUNT},
                               "full": {Code.LEAVES_WRONG_ACCOUNT}}),
    "leaves of innocents": (innocents, {"counts": {Code.LEAVES_WRONG_ACCOUNT},
                                        "pseudonymous": {Code.LEAVES_WRONG_ACCOUNT},
                                        "full": {Code.LEAVES_WRONG_ACCOUNT}}),
    "more tokens": (more_tokens, {"counts": {Code.LEAVES_TOKENS}, "pseudonymous": {Code.LEAVES_TOKENS},
                                  "full": {Code.LEAVES_TOKENS}}),
    "one large exchange": (one_large, {"counts": {Code.LEAVES_TOKENS},
                                       "pseudonymous": {Code.LEAVES_TOKENS},
                                       "full": {Code.LEAVES_TOKENS}}),
    "outside the period": (short_period, {"counts": {Code.LEAVES_OUTSIDE_PERIOD},
                                          "pseudonymous": {Code.LEAVES_OUTSIDE_PERIOD},
                                          "full": {Code.LEAVES_OUTSIDE_PERIOD}}),
    "a longer period": (long_period, {"pseudonymous": {Code.PERIOD_OUTSIDE},
                                      "full": {Code.PERIOD_OUTSIDE}}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "depth"), [(name, depth) for name, (_, codes) in ATTACKS.items() for depth in codes]
)
def test_overstating_is_refused(made: World, tmp_path: Path, name: str, depth: str) -> None:
    attack, codes = ATTACKS[name]
    assert checked(made, attack(honest(made)), tmp_path, depth).code in codes[depth]


def test_exchanges_that_do_not_exist_are_refused(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree of accounts says that each has a hundred exchanges more than its own tree holds."""

    def inflated(self: ClaimTrees) -> SumTree:
        rows = self.rows
        weights = np.zeros((len(rows.account), 3), dtype=np.uint64)
        hashes = []
        for i in range(len(rows.account)):
            tree = self.exchanges(i)
            n, inputs, outputs = tree.weights(0, tree.size)
            weights[i] = (n + 100, inputs, outputs)
            hashes.append(account_hash((n + 100, inputs, outputs), self.pseudonym(i), tree.root))
        between = rows.account[:-1]
        return SumTree.build(between, weights, np.frombuffer(b"".join(hashes), dtype="V32"))

    monkeypatch.setattr(ClaimTrees, "top", property(inflated))
    actual = ClaimRows.weights.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(
        ClaimRows,
        "weights",
        property(lambda rows: (actual(rows)[0] + 100 * len(rows.account), *actual(rows)[1:])),
    )
    found = honest(made)
    done = make_claim(made.root, facts(), replace(found, low=0), tmp_path / "a.claim", rates=LAX)
    # The prover answers what there is: he has nothing to open for the rest.
    monkeypatch.setattr(
        "stillhunt.evidence.claim.respond.plan",
        lambda *args: replace(
            audit.plan(*args),
            exchanges=tuple(j for j in audit.plan(*args).exchanges if j < len(found.rows.key)),
        ),
    )
    assert answered(made, done, tmp_path).code in {
        Code.AUDIT_SELECTION,
        Code.AUDIT_TREE,
        Code.AUDIT_MALFORMED,
    }


def test_leaves_that_cannot_be_opened_count_as_wrong(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = make_claim(made.root, facts(), honest(made), tmp_path / "a.claim", rates=LAX)
    from stillhunt.evidence.claim.gather import LogLeaves

    opened = LogLeaves.open_leaves

    def some_deleted(self: LogLeaves, positions: np.ndarray) -> object:
        readable, rows, salts = opened(self, positions)
        return readable & (positions % 3 != 0), rows, salts

    monkeypatch.setattr(LogLeaves, "open_leaves", some_deleted)
    assert answered(made, done, tmp_path).code is Code.AUDIT_UNANSWERED


def test_answers_to_another_seed_are_refused(made: World, tmp_path: Path) -> None:
    found = honest(made)
    done = make_claim(made.root, facts(), found, tmp_path / "a.claim", rates=Rates(0.3, 0.3, 0.9))
    state = read_state(done.private)
    out = respond(
        Log(made.root), done.bundle, state, auditors_seed("11" * 32), tmp_path / "b.claim"
    )
    assert verify(out.bundle, trust=made.trust(seed=SEED)).code is Code.SEED_NOT_EXPECTED
    from stillhunt.evidence import container

    members = dict(container.read(out.bundle))
    members["seed"] = memoryview(auditors_seed(SEED).encode())
    container.write(tmp_path / "c.claim", members)
    report = verify(tmp_path / "c.claim", trust=made.trust(seed=SEED))
    assert report.code is Code.AUDIT_SELECTION


def test_pseudonyms_that_stand_for_something_else_are_refused(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All addresses under one pseudonym, so that the accounts seem to share it."""
    referred = leaf_module._referred

    def merged(records: np.ndarray, kind: str, secret: bytes) -> tuple[np.ndarray, np.ndarray]:
        names, refers = referred(records, kind, secret)
        if kind != "address":
            return names, refers
        return names[:1], np.where(refers == leaf_module.NOTHING, refers, 0).astype(np.uint32)

    monkeypatch.setattr(leaf_module, "_referred", merged)
    report = checked(made, honest(made), tmp_path, "pseudonymous")
    assert report.code is Code.PSEUDONYM_BINDING


def test_an_exchange_that_was_sealed_twice_counts_once(tmp_path: Path) -> None:
    from stillhunt.evidence.log.writer import writing_log

    made = world(tmp_path, rows=3000, accounts=40)
    with writing_log(made.root) as writer:
        again = writer.append(made.claimed, source={})
        writer.publish()
    log = Log(made.root)
    digests = np.ascontiguousarray(as_rows(made.claimed)[:, 6:22])
    first = log.positions_of(digests)
    found = honest(made)
    assert len(found.rows.key) == len(made.claimed)
    # He may claim the second leaves as exchanges of their own: their digests give them away.
    second = dict(zip(first.tolist(), range(again.first, again.leaf), strict=True))
    doubled = twice(found)
    position = doubled.rows.position.copy()
    position[1::2] = [second[int(at)] for at in position[::2]]
    found = replace(doubled, low=0, high=again.leaf - 1)
    report = checked(made, with_rows(found, position=position), tmp_path)
    assert report.code is Code.LEAVES_ORDER


def test_a_share_just_above_the_error_is_noticed_as_often_as_promised() -> None:
    population, rates = 300, Rates(error=0.05, token_error=0.05, confidence=0.9)
    bad = set(range(0, 16 * 7, 7))  # 16 > 5 % of 300
    trials = 3000
    missed = sum(
        not bad & set(audit.plan(1, (population, 0, 0), rates, i.to_bytes(32, "big")).exchanges)
        for i in range(trials)
    )
    expected = trials * 0.1
    assert missed <= expected + 4 * expected**0.5


def test_a_token_is_drawn_as_often_as_any_other() -> None:
    rates = Rates(error=0.5, token_error=0.05, confidence=0.99)
    units = [
        unit
        for i in range(200)
        for unit in audit.plan(1, (1, 10, 0), rates, i.to_bytes(32, "big")).inputs
    ]
    counts = np.bincount(units, minlength=10)
    assert len(counts) == 10
    expected = len(units) / 10
    assert float(((counts - expected) ** 2 / expected).sum()) < 27.9  # chi-squared, 9, 0.999
