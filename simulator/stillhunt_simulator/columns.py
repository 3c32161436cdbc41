"""A stretch of the plan as rows of the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt_simulator.draws import mixed
from stillhunt_simulator.plan import Plan
from stillhunt_simulator.population import Population
from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.texts.render import Order, Press
from stillhunt_simulator.texts.vocabulary import LANGUAGES
from stillhunt_simulator.traces import Lengths

EXCHANGES: pa.Schema = EXCHANGE_SCHEMA.append(pa.field("country", pa.string())).append(
    pa.field("language", pa.string())
)
"""The canonical columns, and two that no detector may use."""

TRUTH_EXCHANGES: pa.Schema = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("campaign", pa.string()),
        pa.field("operator", pa.string()),
        pa.field("persona", pa.string(), nullable=False),
    ]
)
"""Who really was behind each exchange. Campaign is null for lawful ones; so is operator, unless a
campaign's account resold it."""

MODELS = ("corvus-2", "corvus-2-mini", "corvus-3")
"""The old model, its small sister, and the one that is released during the period."""

_STATUS = np.array([200, 429, 500, 400])
_STATUS_SHARES = (0.985, 0.007, 0.004, 0.004)
# An account mostly keeps its settings.
_FAITHFUL = 0.9
_LONGEST = 16_384
# Whoever sets a ceiling mostly asks for what fits under it; and now and then an answer breaks off.
_FITTING = 0.9
_BROKEN_OFF = 0.015

Ints = NDArray[np.int64]


def behind(persona: Persona) -> tuple[str | None, str | None]:
    """Campaign and operator of a persona's exchanges."""
    return persona.campaign, f"operator of {persona.campaign}" if persona.campaign else None


class Clerk:
    """Writes rows; what stays the same for an account is looked up in arrays."""

    def __init__(self, scenario: Scenario, population: Population) -> None:
        accounts, book = population.accounts, population.book
        self._origin = int(scenario.start.timestamp()) * 1_000_000
        self._seed = np.uint64(population.seed % (1 << 64))
        self._press = Press(population.lexicon, population.forms)
        self._persona = np.array([a.persona for a in accounts])
        self._text = {
            name: pa.array([getattr(a, name) for a in accounts], pa.string())
            for name in ("account", "organization", "tls_fingerprint", "user_agent", "country")
        }
        self._keys = _Choices([a.credentials for a in accounts])
        self._addresses = _Choices([a.addresses for a in accounts])
        self._credentials = pa.array([k for a in accounts for k in a.credentials], pa.string())
        rotated = [scenario.personas[a.persona].keys == "rotated" for a in accounts]
        self._rotated = np.array(rotated)
        self._opened = np.array([a.opened for a in accounts])
        self._span = np.array([max(a.closed - a.opened, 1.0) for a in accounts])
        self._address_of = np.array([i for a in accounts for i in a.addresses])
        self._book = [pa.array(values, pa.string()) for values in (book.addresses, book.networks)]
        self._moves = np.array([a.moves for a in accounts])
        self._small = np.array([a.small_model for a in accounts])
        self._limit = np.array([a.max_tokens or 0 for a in accounts])
        self._temperature = np.array(
            [np.nan if a.temperature is None else a.temperature for a in accounts]
        )
        self._streams = np.array([a.streams for a in accounts])
        self._answers = _Answers([form.answer for form in population.forms])
        people = scenario.personas
        campaigns, operators = zip(*(behind(p) for p in people), strict=True)
        self._campaign = pa.array([*campaigns, None], pa.string())
        self._operator = pa.array(operators, pa.string())
        self._names = pa.array([*(p.name for p in people), "resold"], pa.string())

    def rows(
        self, rng: np.random.Generator, plan: Plan, low: int, high: int
    ) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Exchanges low to high of a plan, and the truth about them."""
        here = slice(low, high)
        n = high - low
        who, form = plan.account[here].astype(np.int64), plan.form[here].astype(np.int64)
        # Each exchange has a key of its own, whatever the batches are.
        keys = mixed(np.arange(low, high, dtype=np.uint64) ^ mixed(np.full(n, self._seed)))
        language = plan.language[here].astype(np.int64)
        order = Order(form, language, keys, plan.item[here], plan.topic[here], plan.writer[here])
        systems, prompts, asked = self._press.prompts(order)
        ids = _identifiers(rng, n)
        columns: dict[str, Any] = {
            "exchange_id": ids,
            "time": pa.array(plan.time[here] + self._origin, pa.timestamp("us", tz="UTC")),
            "system": systems,
            "prompt": prompts,
            "response": pa.nulls(n, pa.large_string()),
            "language": pa.array(LANGUAGES).take(pa.array(language)),
            **{name: values.take(pa.array(who)) for name, values in self._text.items()},
            **self._origins(rng, who, plan.time[here] / 1e6),
            **self._usage(rng, who, form, plan.time[here] / 1e6, asked),
        }
        batch = pa.RecordBatch.from_arrays(
            [columns[field.name] for field in EXCHANGES], schema=EXCHANGES
        )
        persona = self._persona[who]
        resold = plan.resold[here]
        truth = {
            "exchange_id": ids,
            "campaign": _taken(self._campaign, np.where(resold, len(self._campaign) - 1, persona)),
            "operator": _taken(self._operator, persona),
            "persona": _taken(self._names, np.where(resold, len(self._names) - 1, persona)),
        }
        return batch, pa.RecordBatch.from_pydict(truth, schema=TRUTH_EXCHANGES)

    def _origins(
        self, rng: np.random.Generator, who: Ints, seconds: NDArray[np.float64]
    ) -> dict[str, pa.Array]:
        """Credential, address and network of each request."""
        which, key = rng.random((2, len(who)))
        age = np.clip((seconds - self._opened[who]) / self._span[who], 0.0, 1.0 - 1e-9)
        key = np.where(self._rotated[who], age, key)
        address = pa.array(self._address_of[self._addresses.pick(who, which**1.3)])
        addresses, networks = (values.take(address) for values in self._book)
        return {
            "credential": _taken(self._credentials, self._keys.pick(who, key)),
            "client_address": addresses,
            "client_asn": networks,
        }

    def _usage(
        self,
        rng: np.random.Generator,
        who: Ints,
        form: Ints,
        seconds: NDArray[np.float64],
        asked: NDArray[np.float64],
    ) -> dict[str, pa.Array]:
        """Model, token counts, settings and outcome of each request."""
        n = len(who)
        moved = (seconds > self._moves[who]) & (rng.random(n) < 0.95)
        model = np.where(moved, 2, rng.random(n) < self._small[who])
        status = _STATUS[rng.choice(4, size=n, p=_STATUS_SHARES)]
        failed = status != 200
        length = self._answers.draw(rng, form)
        usual = rng.random(n) < _FAITHFUL
        limits = np.where(usual, self._limit[who], 0)
        ceiling = np.where(limits == 0, _LONGEST, limits)
        fits = (length >= ceiling) & (rng.random(n) < _FITTING)
        length = np.where(fits, ceiling * rng.uniform(0.4, 0.99, n), length)
        output = np.clip(length, 1, ceiling).astype(np.int64)
        temperature = np.where(rng.random(n) < _FAITHFUL, self._temperature[who], np.nan)
        finish = ((length >= ceiling) | (rng.random(n) < _BROKEN_OFF)).astype(np.int64)
        tokens = np.maximum(1, asked * np.exp(rng.normal(0.0, 0.05, n))).astype(np.int64)
        return {
            "request_model": _taken(pa.array(MODELS), model),
            "input_tokens": pa.array(tokens),
            "output_tokens": pa.array(output, mask=failed),
            "max_tokens": pa.array(limits, mask=limits == 0),
            "status": pa.array(status),
            "finish_reason": _taken(
                pa.array(["stop", "length", None]), np.where(failed, 2, finish)
            ),
            "temperature": pa.array(temperature, mask=np.isnan(temperature)),
            "stream": pa.array(rng.random(n) < self._streams[who]),
        }


class _Choices:
    """What each account chooses from: lists of different lengths, one after the other."""

    def __init__(self, lists: list[list[Any]]) -> None:
        self._counts = np.array([len(values) for values in lists])
        self._starts = np.cumsum(self._counts) - self._counts

    def pick(self, who: Ints, luck: NDArray[np.float64]) -> Ints:
        """Indices into the lists one after the other, by numbers in [0, 1)."""
        out: Ints = self._starts[who] + (self._counts[who] * luck).astype(np.int64)
        return out


class _Answers:
    """Lengths of answers, by form."""

    def __init__(self, answers: list[Lengths]) -> None:
        widest = max(len(a.shares) for a in answers)
        pad = [(0,) * (widest - len(a.shares)) for a in answers]
        self._ends = np.cumsum([(*a.shares, *p) for a, p in zip(answers, pad, strict=True)], axis=1)
        self._mus = np.array([(*a.mus, *p) for a, p in zip(answers, pad, strict=True)])
        self._sigmas = np.array([(*a.sigmas, *p) for a, p in zip(answers, pad, strict=True)])

    def draw(self, rng: np.random.Generator, form: Ints) -> NDArray[np.float64]:
        """Tokens answered to each form."""
        luck = rng.random(len(form)) * (1 - 1e-9)
        part = (luck[:, None] >= self._ends[form]).sum(axis=1)
        part = np.minimum(part, self._ends.shape[1] - 1)
        noise = rng.normal(size=len(form))
        out: NDArray[np.float64] = np.exp(self._mus[form, part] + self._sigmas[form, part] * noise)
        return out


def _taken(values: pa.Array, which: Ints) -> pa.Array:
    return values.take(pa.array(which))


def _identifiers(rng: np.random.Generator, n: int) -> pa.Array:
    """Random identifiers in the shape of UUIDs, version 4."""
    digits = rng.bytes(16 * n).hex()
    rows = (digits[i : i + 32] for i in range(0, 32 * n, 32))
    return pa.array([f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}" for h in rows])
