"""The benchmark that fits traces, and that the simulator holds what it prints."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import fit_traces
from stillhunt_simulator import traces

SHARES, MUS, SIGMAS = (0.3, 0.7), (2.0, 5.0), (0.4, 0.8)


def lengths(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    which = rng.choice(2, size=n, p=SHARES)
    return np.maximum(1, np.exp(rng.normal(np.array(MUS)[which], np.array(SIGMAS)[which])))


def test_it_recovers_a_mixture_and_prefers_no_more_components() -> None:
    fitted = fit_traces.fit(lengths(20_000))
    assert fitted.shares == pytest.approx(SHARES, abs=0.02)
    assert fitted.mus == pytest.approx(MUS, abs=0.05)
    assert fitted.sigmas == pytest.approx(SIGMAS, abs=0.05)
    assert fit_traces.distance(fitted, np.rint(lengths(20_000, seed=2))) < 0.05
    assert fitted.quantiles() == pytest.approx(
        np.quantile(lengths(20_000, seed=3), fit_traces.QUANTILES), rel=0.06
    )


def test_it_is_as_likely_as_another_programs_fit() -> None:
    drawn = lengths(5_000)
    logs = np.log(drawn)
    fitted = fit_traces.fit(drawn)
    mine = np.log(np.exp(fitted.log_density(logs)).sum(axis=1)).mean()
    other = GaussianMixture(2, n_init=5, random_state=0, tol=1e-6).fit(logs[:, None])
    assert mine == pytest.approx(other.score(logs[:, None]), abs=1e-3)


def test_burstiness_of_known_arrivals() -> None:
    rng = np.random.default_rng(4)
    poisson = np.cumsum(rng.exponential(1.0, 50_000))
    assert fit_traces.variation(poisson) == pytest.approx(1.0, abs=0.03)
    assert fit_traces.dispersion(poisson) == pytest.approx(1.0, abs=0.15)
    bursty = np.cumsum(rng.gamma(0.16, 1 / 0.16, 50_000))
    assert fit_traces.variation(bursty) == pytest.approx(2.5, abs=0.15)


def test_it_prints_every_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt", encoding="utf-8") as out:
        out.write("timestamp_s,input_tokens,output_tokens,client_id\n")
        for i, n in enumerate(lengths(300).astype(int).tolist()):
            out.write(f"{i * 1.5},{n},{n + 3},c{i % 2}\n")
    assert fit_traces.main([str(tmp_path)]) == 0
    output = capsys.readouterr().out
    for words in ("a.csv.gz: 300 requests", "input", "output", "distance", "by client (2 with"):
        assert words in output
    assert fit_traces.main([]) == 2
    assert fit_traces.main([str(tmp_path / "none")]) == 2


def test_the_simulator_holds_what_is_printed() -> None:
    folder = os.environ.get("STILLHUNT_TRACES")
    if folder is None:
        pytest.skip("the measured traces are not shipped: set STILLHUNT_TRACES to their folder")
    for name, held in (
        ("azure2023_code_first_half", traces.CODE),
        ("azure2023_conv_first_half", traces.AZURE_CONVERSATION),
        ("mooncake_conversation", traces.MOONCAKE_CONVERSATION),
    ):
        with gzip.open(Path(folder) / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
            header = next(lines).strip().split(",")
            column = header.index("output_tokens")
            measured = np.array([float(line.split(",")[column]) for line in lines])
        fitted = fit_traces.fit(measured)
        assert held.shares == pytest.approx(fitted.shares, abs=2e-3)
        assert held.mus == pytest.approx(fitted.mus, abs=2e-3)
        assert held.sigmas == pytest.approx(fitted.sigmas, abs=2e-3)


@pytest.mark.parametrize(
    "held", [traces.CODE, traces.CHAT, traces.AZURE_CONVERSATION, traces.MOONCAKE_CONVERSATION]
)
def test_shares_sum_to_one(held: traces.Lengths) -> None:
    assert sum(held.shares) == pytest.approx(1.0, abs=1e-9)
    assert len(held.shares) == len(held.mus) == len(held.sigmas)
