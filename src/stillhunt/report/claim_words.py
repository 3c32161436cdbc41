"""A claim in sentences. Whatever they say of certainty follows from the numbers."""

from __future__ import annotations

from stillhunt.report import wording
from stillhunt.report.claim_facts import Audit, ClaimFacts
from stillhunt.scoring.calibration import estimative_word

_DEPTHS = {
    "counts": "Counts only: neither accounts nor exchanges are told, and what is drawn at random is "
    "opened.",
    "pseudonymous": "Pseudonymous: every exchange is opened as far as it names nobody.",
    "full": "Full: chosen exchanges are opened whole.",
}


def headline(facts: ClaimFacts) -> str:
    """The claim as a title."""
    accounts = wording.plural(facts.accounts, "account")
    return f"A claim of {accounts} and {wording.plural(facts.exchanges, 'exchange')}"


def lead(facts: ClaimFacts) -> str:
    """Who claims what, and whether its evidence holds."""
    said = (
        f"{facts.claimant} states that {wording.plural(facts.accounts, 'account')} acted as one and "
        f"took {wording.plural(facts.exchanges, 'exchange')} from its service, "
        f"{_period(facts)}, in the manner of a distillation campaign."
    )
    if facts.accepted:
        return f"{said} The evidence holds, as far as it goes: this page says how far."
    return f"{said} The evidence does not hold: nothing below is shown by it."


def status(facts: ClaimFacts) -> str:
    """What the checks came to."""
    applied = [check for check in facts.checks if check.passed is not None]
    failed = sum(check.passed is False for check in applied)
    skipped = len(facts.checks) - len(applied)
    rest = f"; {skipped} had nothing to check" if skipped else ""
    if not facts.accepted:
        return f"Refused: {failed} of {wording.plural(len(applied), 'check')} failed{rest}."
    return f"Checked: all {wording.plural(len(applied), 'check')} passed{rest}."


def certainty(facts: ClaimFacts) -> list[tuple[str, str]]:
    """How sure, question by question; nothing where the evidence does not hold."""
    if not facts.accepted:
        return []
    return [
        ("Is it a campaign?", _campaign(facts)),
        ("Are the accounts one?", _linked(facts)),
        ("Is it a harvest?", _harvest(facts)),
        ("Are the numbers right?", _numbers(facts)),
        ("When was it fixed?", _fixed(facts)),
    ]


def bounds(audit: Audit) -> str:
    """What a sample shows of the whole."""
    one, many = audit.of
    drawn = (
        f"{wording.plural(audit.sampled, one, many)} of {audit.population:,} "
        f"{'was' if audit.sampled == 1 else 'were'} drawn at random and opened: "
    )
    if audit.bad:
        found = f"{audit.bad:,} {'was' if audit.bad == 1 else 'were'} not as claimed"
    else:
        found = f"{'it is' if audit.sampled == 1 else 'all are'} as claimed"
    if audit.sampled >= audit.population:
        return f"All {wording.plural(audit.population, one, many)} were opened: {found}."
    sure = f"{100 * audit.confidence:.10g} %"
    share = audit.good_at_least / audit.population
    return (
        f"{drawn}{found}. With confidence {sure}, at least {audit.good_at_least:,} "
        f"({_share_down(share)}) of the {many} are."
    )


def confidence(facts: ClaimFacts) -> str:
    """What the confidence of a bound means."""
    if not facts.audits:
        return ""
    level = min(audit.confidence for audit in facts.audits)
    return (
        f"A bound with confidence {100 * level:.10g} % turns out wrong in "
        f"{100 * (1 - level):.6g} % of audits at most, whatever the truth is."
    )


def shown(facts: ClaimFacts) -> list[str]:
    """What the evidence shows; nothing where it does not hold."""
    return list(facts.shown) if facts.accepted else []


def not_shown(facts: ClaimFacts) -> list[str]:
    """What it does not show."""
    if not facts.accepted:
        return ["Anything. A file whose checks fail is no evidence, whatever it says."]
    return list(facts.not_shown)


def depth(facts: ClaimFacts) -> str:
    """How much the bundle tells."""
    return _DEPTHS.get(facts.depth, facts.depth)


def _campaign(facts: ClaimFacts) -> str:
    if facts.probability is None:
        return "The claimant does not say how likely it is."
    word = estimative_word(facts.probability)
    prior = (
        f", starting from a prior of {wording.percent(facts.prior)}"
        if facts.prior is not None
        else ""
    )
    return (
        f"By the claimant's own reckoning it is {word} ({wording.percent(facts.probability)}){prior}. "
        "The reckoning is as good as its method and its logs; the evidence does not make it surer."
    )


def _linked(facts: ClaimFacts) -> str:
    if facts.link_p is None:
        return "Not stated."
    text = (
        "Strangers would share as much as these accounts do with probability "
        f"{wording.p_value(facts.link_p)} at most, by indicators that had no part in finding them."
    )
    if facts.q_value is not None:
        text += (
            " Of all groups found at this strength or better, a share of "
            f"{wording.p_value(facts.q_value)} at most is expected to be chance."
        )
    return f"{text} Colleagues are no strangers either: this does not say why they are together."


def _harvest(facts: ClaimFacts) -> str:
    kinds = (
        ", ".join(dict.fromkeys(wording.kind_name(kind) for kind in facts.kinds))
        or "nothing in particular"
    )
    taken = f"What was asked for: {kinds}."
    if facts.harvest_p is None:
        return f"{taken} How it ranks among ordinary customers is not stated."
    text = (
        f"{taken} Of ordinary customers of like volume, a share of "
        f"{wording.p_value(facts.harvest_p)} ranks as high"
    )
    if facts.harvest_p_floor is not None and facts.harvest_p <= facts.harvest_p_floor:
        text += "; with so few to compare with, it could not be lower"
    return f"{text}."


def _numbers(facts: ClaimFacts) -> str:
    parts = []
    if facts.opened:
        whole = "all" if facts.opened == facts.exchanges else f"{facts.opened:,}"
        parts.append(f"The verifier opened and counted {whole} of the exchanges itself.")
    parts += [bounds(audit) for audit in facts.audits]
    if not parts:
        parts.append(
            "No sample has been opened yet: the numbers are the claimant's word, though it can no "
            "longer be changed."
        )
    if facts.exchanges_low < facts.exchanges_high:
        parts.append(
            f"The method itself puts the campaign's exchanges between {facts.exchanges_low:,} and "
            f"{facts.exchanges_high:,}."
        )
    if any(facts.left_out):
        accounts, exchanges = facts.left_out
        parts.append(
            f"The finding names {wording.plural(exchanges, 'exchange')} and "
            f"{wording.plural(accounts, 'account')} more, which the log cannot show: they are not claimed."
        )
    return " ".join(parts)


def _fixed(facts: ClaimFacts) -> str:
    parts = [f"By its own word, signed {facts.signed_at:%Y-%m-%d %H:%M} UTC."]
    if facts.stamps:
        time, authority = min(facts.stamps)
        parts.append(f"No later than {time:%Y-%m-%d %H:%M} UTC, as {authority} has stamped.")
    if facts.witnesses:
        parts.append(
            f"The log's state was cosigned by {wording.plural(len(facts.witnesses), 'witness', 'witnesses')} "
            f"that the verifier trusts ({', '.join(facts.witnesses)}): they were shown this same log."
        )
    else:
        parts.append(
            "No witness that the verifier trusts has cosigned the log: it could show others another."
        )
    return " ".join(parts)


def _period(facts: ClaimFacts) -> str:
    first, last = (wording.day(moment) for moment in facts.period)
    return f"on {first}" if first == last else f"from {first} to {last}"


def _share_down(share: float) -> str:
    """A share as per cent, rounded so that "at least" stays true."""
    return f"{int(share * 10_000) / 100:.2f} %"
