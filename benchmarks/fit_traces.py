"""Fit lengths and arrivals of measured LLM traffic; ``stillhunt_simulator.traces`` holds the result.

    python benchmarks/fit_traces.py FOLDER

FOLDER holds traces as ``*.csv.gz`` with columns timestamp_s, input_tokens, output_tokens and
perhaps client_id. Prints, for each: mixtures of log-normals fitted by EM (Dempster, Laird and Rubin
1977) with the number of components that BIC (Schwarz 1978) prefers, their quantiles beside the
measured ones, the Kolmogorov-Smirnov distance, how bursty arrivals are, and how lengths go together.
"""

from __future__ import annotations

import csv
import gzip
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import norm

Floats = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_COMPONENTS = 3
ROUNDS = 300
# A component may not shrink to a single, often repeated length.
LEAST_SIGMA = 0.1
LEAST_REQUESTS = 30


@dataclass(frozen=True)
class Mixture:
    """Log-normals: weights, means and standard deviations of the logarithm."""

    shares: Floats
    mus: Floats
    sigmas: Floats

    def log_density(self, logs: Floats) -> Floats:
        """Log-density of each component at each log-length; shape (n, components)."""
        out: Floats = norm.logpdf(logs[:, None], self.mus, self.sigmas) + np.log(self.shares)
        return out

    def below(self, logs: Floats) -> Floats:
        """Distribution function at log-lengths."""
        out: Floats = (norm.cdf(logs[:, None], self.mus, self.sigmas) * self.shares).sum(axis=1)
        return out

    def quantiles(self) -> Floats:
        """Lengths at QUANTILES."""
        grid = np.linspace(0.0, 13.0, 20_001)
        out: Floats = np.exp(np.interp(QUANTILES, self.below(grid), grid))
        return out


def fit(lengths: Floats) -> Mixture:
    """The mixture that BIC prefers among those of one to three components."""
    logs = np.log(np.maximum(lengths, 1.0))
    fitted = [_expectation_maximisation(logs, k) for k in range(1, MOST_COMPONENTS + 1)]
    costs = [
        (3 * len(m.mus) - 1) * np.log(len(logs)) - 2 * logsumexp(m.log_density(logs), axis=1).sum()
        for m in fitted
    ]
    return fitted[int(np.argmin(costs))]


def _expectation_maximisation(logs: Floats, components: int) -> Mixture:
    cuts = np.quantile(logs, (np.arange(components) + 0.5) / components)
    mixture = Mixture(
        np.full(components, 1.0 / components), cuts, np.full(components, logs.std() + 1e-3)
    )
    for _ in range(ROUNDS):
        density = mixture.log_density(logs)
        belongs = np.exp(density - logsumexp(density, axis=1)[:, None])
        weight = belongs.sum(axis=0)
        mus = (belongs * logs[:, None]).sum(axis=0) / weight
        variance = (belongs * (logs[:, None] - mus) ** 2).sum(axis=0) / weight
        mixture = Mixture(weight / len(logs), mus, np.maximum(np.sqrt(variance), LEAST_SIGMA))
    order = np.argsort(mixture.mus)
    return Mixture(mixture.shares[order], mixture.mus[order], mixture.sigmas[order])


def distance(mixture: Mixture, lengths: Floats) -> float:
    """Kolmogorov-Smirnov distance; lengths are whole numbers, so that half steps count."""
    values, counts = np.unique(lengths, return_counts=True)
    upper = np.cumsum(counts) / len(lengths)
    model = mixture.below(np.log(np.maximum(values, 1.0) + 0.5))
    return float(np.abs(model - upper).max())


def variation(moments: Floats) -> float:
    """Coefficient of variation of the gaps between arrivals; 1 for a Poisson process."""
    gaps = np.diff(np.sort(moments))
    return float(gaps.std() / gaps.mean())


def dispersion(moments: Floats) -> float:
    """Variance over mean of arrivals per minute; 1 for a Poisson process."""
    counts = np.bincount(((moments - moments.min()) // 60.0).astype(np.int64))
    return float(counts.var() / counts.mean())


def describe(path: Path) -> None:
    """Fit one trace and print it."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    moments, asked, answered = (
        np.array([float(row[name]) for row in rows])
        for name in ("timestamp_s", "input_tokens", "output_tokens")
    )
    print(f"\n{path.name}: {len(rows):,} requests in {np.ptp(moments) / 3600:.2f} h")
    for name, lengths in (("input", asked), ("output", answered)):
        mixture = fit(lengths)
        shares, mus, sigmas = (
            "(" + ", ".join(f"{v:.3f}" for v in values) + ",)"
            for values in (mixture.shares, mixture.mus, mixture.sigmas)
        )
        print(f"  {name:6} Lengths({shares}, {mus}, {sigmas})")
        measured = np.quantile(lengths, QUANTILES)
        for label, values in (("measured", measured), ("fitted", mixture.quantiles())):
            print(f"         {label:9}" + "".join(f"{v:9.0f}" for v in values))
        print(
            f"         distance {distance(mixture, lengths):.3f}, standard deviation of the "
            f"logarithm {np.log(np.maximum(lengths, 1)).std():.2f}"
        )
    print(
        f"  arrivals: variation of gaps {variation(moments):.2f}, dispersion per minute "
        f"{dispersion(moments):.1f}; correlation of log lengths {_correlation(asked, answered):.2f}"
    )
    if "client_id" in rows[0]:
        _clients(np.array([row["client_id"] for row in rows]), moments, asked, answered)


def _clients(names: NDArray[np.str_], moments: Floats, asked: Floats, answered: Floats) -> None:
    """The same by client, where a trace names clients: medians over those that sent enough."""
    gaps, spreads, together = [], [], []
    means, variances = [], []
    for name in sorted(set(names.tolist())):
        mine = names == name
        if mine.sum() > LEAST_REQUESTS:
            gaps.append(variation(moments[mine]))
            spreads.append(float(np.log(np.maximum(answered[mine], 1.0)).std()))
            together.append(_correlation(asked[mine], answered[mine]))
            logs = np.log(np.maximum(asked[mine], 1.0))
            means.append(float(logs.mean()))
            variances.append(float(logs.var(ddof=1)))
    print(
        f"  by client ({len(gaps)} with more than {LEAST_REQUESTS} requests), medians: variation of "
        f"gaps {np.median(gaps):.2f}, spread of log output {np.median(spreads):.2f}, correlation of "
        f"log lengths {np.nanmedian(together):.2f}"
    )
    if len(means) > 1:
        differ = np.std(means, ddof=1) / np.sqrt(np.mean(variances))
        print(f"  mean log input differs between clients {differ:.2f} times as much as within one")


def _correlation(asked: Floats, answered: Floats) -> float:
    logs = np.log(np.maximum((asked, answered), 1.0))
    if min(logs.std(axis=1)) == 0.0:
        return float("nan")
    return float(np.corrcoef(logs)[0, 1])


def main(arguments: list[str]) -> int:
    """Fit every trace of a folder."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python benchmarks/fit_traces.py FOLDER", file=sys.stderr)
        return 2
    traces = sorted(Path(arguments[0]).glob("*.csv.gz"))
    print(f"quantiles: {', '.join(f'{q:.0%}' for q in QUANTILES)}")
    for path in traces:
        describe(path)
    if not traces:
        print(f"no *.csv.gz in {arguments[0]}", file=sys.stderr)
    return 0 if traces else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
