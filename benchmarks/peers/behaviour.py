"""Per-account rate and behaviour rules: the suspicion score of honeypotllm, with its defaults.

It scores requests as they come, by the clock on the wall; here the clock is the log's. An account
that once reaches the threshold is named. The package links nobody, so each is a group of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import honeypotllm.scoring as engine
from _exchanges import Setting, answer, read_exchanges
from honeypotllm.config import HoneypotConfig, ScoringConfig


def find(traffic: Path) -> Sequence[Setting]:
    """Accounts that reach the threshold at some time."""
    threshold = HoneypotConfig.model_fields["suspicion_threshold"].default
    moment = 0.0
    # The package asks the machine for the time, and once more for a new account's last request;
    # were only one of them answered by the log, the score's decay would run backwards.
    state = engine.ScoringState

    def new_state(**fields: Any) -> Any:
        return state(last_seen=moment, **fields)

    engine.time = SimpleNamespace(time=lambda: moment)
    engine.ScoringState = new_state
    scorer = engine.SuspicionScorer(ScoringConfig(), threshold)
    named: set[str] = set()
    for row in read_exchanges(traffic):
        moment = row["seconds"]
        if scorer.score_request(row["account"], prompt=row["prompt"]).should_honeypot:
            named.add(row["account"])
    name = f"defaults (threshold {threshold:g})"
    return [Setting(name, True, {account: [account] for account in named})]


if __name__ == "__main__":
    answer(find)
