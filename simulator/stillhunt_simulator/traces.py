"""Figures fitted to measured traffic, and their sources. Lengths are mixtures of log-normals.

Printed by ``benchmarks/fit_traces.py`` from, each about an hour or half of one:

- Azure LLM inference 2023, *conv* and *code* (Azure/AzurePublicDataset b469a113cedc, CC BY 4.0);
- Mooncake *conversation* (kvcache-ai/Mooncake 3b5a59413395, FAST25, Apache-2.0);
- ServeGen *m-mid* (alibaba/ServeGen f891d1189eb3, Apache-2.0), resampled from published statistics.

Within a client of ServeGen lengths asked and answered hardly go together (median correlation of
logarithms 0.04; 0.31 between clients), nor do they elsewhere (-0.01, 0.04, 0.05): answers are drawn
without regard to the length of what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Lengths:
    """A mixture of log-normals, over tokens.

    Attributes:
        shares: weight of each component, summing to one.
        mus: mean of the logarithm.
        sigmas: standard deviation of the logarithm.
    """

    shares: tuple[float, ...]
    mus: tuple[float, ...]
    sigmas: tuple[float, ...]


def log_normal(median: float, sigma: float) -> Lengths:
    """One log-normal, by its median."""
    return Lengths((1.0,), (log(median),), (sigma,))


AZURE_CONVERSATION = Lengths((0.414, 0.248, 0.338), (4.514, 4.587, 6.020), (0.417, 1.024, 0.100))
"""Answers, Azure conv: distance (Kolmogorov-Smirnov) 0.059."""

MOONCAKE_CONVERSATION = Lengths((0.249, 0.313, 0.438), (3.504, 5.769, 6.066), (1.511, 0.625, 0.258))
"""Answers, Mooncake conversation: distance 0.011."""

CODE = Lengths((0.199, 0.509, 0.292), (1.990, 2.546, 3.711), (0.173, 0.354, 0.883))
"""Answers, Azure code: distance 0.026."""

CHAT = Lengths(
    tuple(s / 2 for s in AZURE_CONVERSATION.shares + MOONCAKE_CONVERSATION.shares),
    AZURE_CONVERSATION.mus + MOONCAKE_CONVERSATION.mus,
    AZURE_CONVERSATION.sigmas + MOONCAKE_CONVERSATION.sigmas,
)
"""Answers to people: as often from the one service as from the other."""

ANSWER_SPREAD = 0.97
"""Standard deviation of the logarithm of answers within a client; median over ServeGen's clients."""

PROMPT_SPREAD = 0.97
"""The same of what is asked, Azure conv. Only the spread is taken: texts are about a tenth as long
as measured (there the median is 1,035 tokens), so that 100,000 exchanges fit into 40 MB."""

CLIENTS_DIFFER = 1.22
"""Spread of clients' mean log input over the spread of a client's own, ServeGen."""

PROMPT_WITHIN = PROMPT_SPREAD / (1 + CLIENTS_DIFFER**2) ** 0.5
PROMPT_BETWEEN = CLIENTS_DIFFER * PROMPT_WITHIN
"""So that one writer's texts, and writers, differ as measured, and all texts by PROMPT_SPREAD."""

GAPS: dict[str, float] = {"service": 2.49, "sessions": 3.03}
"""Coefficient of variation of the gaps between arrivals: of one client (median over ServeGen's), and
of a service that people talk to (Mooncake)."""
