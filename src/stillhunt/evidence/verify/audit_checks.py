"""Checks of an audit: where its seed comes from, and what its answers show."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from stillhunt.evidence.audit import Rates, plan, seed_of
from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import verify_consistency
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.sample_size import bad_upper_bound
from stillhunt.evidence.seed import AUDITOR, OWN, WITNESS, Seed, read_seed
from stillhunt.evidence.verify.audit_walk import Answers, check_answers
from stillhunt.evidence.verify.context import Context, Outcome, not_applicable, passed
from stillhunt.evidence.verify.log_checks import signed_checkpoint
from stillhunt.evidence.verify.words import audited, percent


def check_seed(context: Context) -> Outcome:
    """Nobody who made the claim could choose what is opened."""
    if "seed" not in context.members:
        if "audit" in context.members:
            raise Refused(Code.SEED_MALFORMED, "There are answers to an audit, and no seed.")
        if context.trust.seed is not None and context.statement.depth != "full":
            raise Refused(Code.SEED_NOT_EXPECTED, "The seed that was given was not answered.")
        return not_applicable("No audit was made.")
    seed = read_seed(context.body("seed"))
    if seed.encode() != context.body("seed"):
        raise Refused(Code.SEED_MALFORMED, "The seed is not in its canonical form.")
    context.seed = seed
    context.figures["seed"] = seed.kind
    wanted = context.trust.seed
    if wanted is not None and (seed.kind != AUDITOR or seed.value.hex() != wanted):
        raise Refused(Code.SEED_NOT_EXPECTED, "The seed is not the one that was given.")
    if seed.kind == AUDITOR:
        return _auditors(context, wanted is not None)
    if seed.kind == OWN:
        context.shown.append(
            "What was opened follows from the claim itself; samples are so large that nobody could "
            "have tried enough claims to find one that hides its faults."
        )
        return passed("Drawn from the statement's own hash, with larger samples.")
    return _witnessed(context, seed)


def _auditors(context: Context, mine: bool) -> Outcome:
    if mine:
        return passed("Drawn from the value that you gave.")
    context.not_shown.append(
        "That the claimant could not choose what was opened: an auditor's value was used, and only who "
        "gave it knows that it was given after the claim. Name it with --seed if it was you."
    )
    return passed("Drawn from an auditor's value, which you did not name.")


def _witnessed(context: Context, seed: Seed) -> Outcome:
    if seed.note is None or seed.witness is None:
        raise Refused(Code.SEED_MALFORMED, "The seed lacks its checkpoint.")
    head = signed_checkpoint(context, seed.note.encode()).checkpoint
    if head.extensions:
        # One head could be cosigned with as many of them as there are seeds to try.
        raise Refused(Code.SEED_MALFORMED, "The seed's checkpoint has lines that no log needs.")
    commit = context.commit.checkpoint
    try:
        verify_consistency(commit.size, head.size, commit.root, head.root, seed.consistency)
    except ProofError as error:
        raise Refused(
            Code.SEED_BEFORE_COMMITMENT, "The seed's checkpoint does not hold the claim."
        ) from error
    if seed.witness not in context.trust.witnesses:
        context.not_shown.append(
            f"That the claimant could not choose what was opened: the witness {seed.witness.name}, "
            "from whose signature it was drawn, is not one that you trust."
        )
        return passed("Drawn from a cosignature of a witness that you do not trust.")
    context.figures["seed_cosigned_by"] = [seed.witness.name]
    context.shown.append(
        f"What was opened was drawn from a signature of {seed.witness.name}, made after the claim."
    )
    context.not_shown.append(
        "How many cosignatures the claimant had asked for before this one. Each is another chance for a "
        "false claim to pass: after t of them, a confidence of 99.9 % is one of 100 % - t x 0.1 %."
    )
    return passed(f"Drawn from a cosignature of {seed.witness.name} over the committed claim.")


def check_audit(context: Context) -> Outcome:
    """Everything that was drawn is opened, in the log, and what it was claimed to be."""
    statement = context.statement
    if statement.depth == "full":
        if "seed" in context.members or "audit" in context.members:
            raise Refused(Code.AUDIT_MALFORMED, "A bundle that shows everything needs no audit.")
        return not_applicable("Everything is open.")
    if "audit" not in context.members:
        if "seed" in context.members:
            raise Refused(Code.AUDIT_MISSING, "There is a seed, and no answers to it.")
        if statement.depth == "counts":
            context.not_shown.append(
                "Whether the numbers are true: nothing was opened. Give the claimant a seed and ask for "
                "the answers (stillhunt audit)."
            )
        else:
            context.not_shown.append(
                "Whether the pseudonyms stand for different accounts, and for what the leaves hold: no "
                "audit opened any. Give the claimant a seed and ask for the answers (stillhunt audit)."
            )
        return not_applicable("No audit was made.")
    seed = context.seed
    if seed is None:
        raise RuntimeError("checks run in their order")
    _strong_enough(context)
    drawn = plan(
        statement.accounts,
        statement.weights,
        statement.rates,
        seed_of(statement.digest, seed.kind, seed.value),
        seed.tries,
    )
    context.answers = answers = check_answers(context.members["audit"], context.committed, drawn)
    figures = _bounds(context, answers, seed.tries)
    context.figures["audit"] = figures
    context.shown += audited(figures, statement.depth, seed.kind == WITNESS)
    return passed(
        f"{answers.opened:,} exchanges of {answers.opened_accounts:,} accounts were opened; "
        f"{answers.no_exchange + answers.no_account + answers.no_input + answers.no_output:,} draws "
        "were not answered."
    )


def _strong_enough(context: Context) -> None:
    rates, trust = context.statement.rates, context.trust
    if (
        max(rates.error, rates.token_error) > trust.most_error
        or rates.confidence < trust.least_confidence
    ):
        raise Refused(
            Code.AUDIT_TOO_WEAK,
            f"The claim lets {percent(max(rates.error, rates.token_error))} be wrong, at a confidence of "
            f"{percent(rates.confidence)}; {percent(trust.most_error)} and "
            f"{percent(trust.least_confidence)} are what you accept.",
            "Ask for a claim at better rates, or accept these in the trust file.",
        )


def _bounds(context: Context, answers: Answers, tries: int) -> dict[str, Any]:
    statement, rates = context.statement, context.statement.rates
    # A claimant who makes the seed may have tried many: bounds hold for the best of them.
    figures = {
        "positions": _drawn(
            statement.weights[0], answers.exchanges, answers.no_exchange, rates, tries
        ),
        "accounts": _drawn(statement.accounts, answers.accounts, answers.no_account, rates, tries),
        "seed": str(context.figures["seed"]),
    }
    for name, total, count in zip(
        ("input_tokens", "output_tokens"),
        statement.weights[1:],
        (answers.inputs, answers.outputs),
        strict=True,
    ):
        figures[name] = {
            "population": total,
            "sampled": count,
            "bad": 0,
            "error": rates.token_error,
            "confidence": rates.confidence,
        }
    _enough(figures, answers)
    return figures


def _enough(figures: dict[str, Any], answers: Answers) -> None:
    """Draws that were not answered count as wrong; more than was promised may not be."""
    for name in ("positions", "accounts"):
        row = figures[name]
        few = row["bad_at_most"] <= Fraction(repr(row["error"])) * row["population"]
        if row["bad"] and not few:
            raise _unanswered(row["bad"], name, row["error"])
    for name, missing in (("input tokens", answers.no_input), ("output tokens", answers.no_output)):
        if missing:
            raise _unanswered(missing, name, figures[name.replace(" ", "_")]["error"])


def _unanswered(missing: int, name: str, error: float) -> Refused:
    return Refused(
        Code.AUDIT_UNANSWERED,
        f"{missing:,} draws of {name} were not answered: more than {percent(error)} may be wrong.",
        "Ask for a claim of what can still be opened.",
    )


def _drawn(
    population: int, sampled: int, bad: int, rates: Rates, tries: int
) -> dict[str, int | float]:
    most = bad_upper_bound(population, sampled, bad, 1 - rates.miss(tries))
    return {
        "population": population,
        "sampled": sampled,
        "bad": bad,
        "error": rates.error,
        "confidence": rates.confidence,
        "bad_at_most": most,
        "good_at_least": population - most,
    }
