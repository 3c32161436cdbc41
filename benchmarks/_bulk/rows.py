"""A stretch of exchanges, as columns of the store: everything an account's rows need, at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from _bulk.kernels import ID_BYTES, OWN, RANDOM, fill_grams, fill_ids
from _bulk.library import EVERYBODYS, Library
from _bulk.names import Hashed
from _bulk.people import People
from stillhunt.fingerprints.hashing import hash32
from stillhunt.records.observation import OBSERVATION_SCHEMA
from stillhunt_simulator import columns as real
from stillhunt_simulator.clock import Presence, times
from stillhunt_simulator.draws import mixed
from stillhunt_simulator.scenario import Scenario

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STORED: pa.Schema = OBSERVATION_SCHEMA.append(pa.field("key", pa.int64(), nullable=False))
"""An observation in the store: with the first eight bytes of its digest."""

NAMES: pa.Schema = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("file", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
"""What goes with it, row by row, to name it."""

_WHO_BITS, _TIME_BITS = 21, 37
MOST_SLOTS = 31
"""Days, or hours, of a store: what fits beside account and time into one sort key."""

# Words recur, and the more often the larger a log is. Of what people write by hand 0.18, 0.23 and 0.32
# grams an exchange were such that eight exchanges had them, in simulations of 0.117, 0.35 and 1.17
# million: 0.15 that are everybody's, and 0.175 (n / 1.17 million)^0.70. (Of 57,000 to 1.6 million
# exchanges of such people alone: 0.177 to 0.409, with exponents of 0.63 to 0.74 from size to size.)
# So it is if up to rank r there are A r^a of them, with a such that a / (1 - a) = 0.70. Ranks begin
# where a gram is so frequent that it is everybody's, and end where it is one in a hundred million
# exchanges. Beyond the sizes that were simulated this is an extrapolation.
_A, _POWER, _LAST = 0.00387, 0.4118, 1e8
_GRAMS = 13.0
_FIRST = (_A * _POWER / EVERYBODYS) ** (1 / (1 - _POWER))
_TAIL = _A * (_LAST**_POWER - _FIRST**_POWER) / _GRAMS


@dataclass(frozen=True, slots=True)
class Maker:
    """All that rows are made from.

    Attributes:
        scenario, people, library: see there.
        hashed: names and hashes.
        seed: of rows.
    """

    scenario: Scenario
    people: People
    library: Library
    hashed: Hashed
    seed: int

    def identities(self, chosen: Ints) -> pa.Table:
        """What the hashes in some accounts' rows stand for."""
        return self.hashed.identities(chosen, self.people.client[chosen])

    def stretch(
        self, number: int, chosen: Ints, first_row: int, slot: int
    ) -> list[tuple[int, pa.Table, pa.Table]]:
        """All exchanges of some accounts.

        Args:
            number: of the stretch, for its seed.
            chosen: numbers of the accounts.
            first_row: row of the log that the first exchange is.
            slot: seconds of which the rows are put together: a day or an hour.

        Returns:
            For each slot its number, observations (STORED), and names (NAMES), sorted by account,
            then time.
        """
        rng = np.random.default_rng([self.seed, number])
        chosen = chosen[np.argsort(self.hashed.account[chosen], kind="stable")]
        place, time = self._when(rng, chosen)
        # One number holds slot, account and time: it is sorted by itself, and says what it was.
        wide = slot * 1_000_000
        order = np.sort(
            ((time // wide) << (_WHO_BITS + _TIME_BITS)) | (place << _TIME_BITS) | (time % wide)
        )
        part = order >> (_WHO_BITS + _TIME_BITS)
        who = chosen[(order >> _TIME_BITS) & ((1 << _WHO_BITS) - 1)]
        time = part * wide + (order & ((1 << _TIME_BITS) - 1))
        observed = self._observed(rng, part, who, time)
        n = len(who)
        ids, digests = np.empty((n, ID_BYTES), np.uint8), np.empty((n, 2), np.uint64)
        fill_ids(np.uint64(rng.integers(1 << 63)), ids, digests)
        observed["exchange"] = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), n, [None, pa.py_buffer(digests)]
        )
        observed["key"] = pa.array(digests[:, 0].view(np.int64))
        ends = pa.py_buffer(np.arange(n + 1, dtype=np.int32) * np.int32(ID_BYTES))
        text = pa.StringArray.from_buffers(n, ends, pa.py_buffer(ids))
        table = pa.table([observed[f.name] for f in STORED], schema=STORED)
        named = pa.table(
            [text, np.zeros(n, np.int32), np.arange(first_row, first_row + n)], schema=NAMES
        )
        slots, low = np.unique(part, return_index=True)
        cuts = np.append(low, n).tolist()
        return [
            (int(d), table.slice(a, b - a), named.slice(a, b - a))
            for d, a, b in zip(slots, cuts[:-1], cuts[1:], strict=True)
        ]

    def _when(self, rng: np.random.Generator, chosen: Ints) -> tuple[Ints, Ints]:
        """Place in ``chosen`` of each exchange's account, and microseconds from the start."""
        people = self.people
        places, moments = [], []
        for number in np.unique(people.persona[chosen]):
            persona = self.scenario.personas[number]
            mine = np.flatnonzero(people.persona[chosen] == number)
            accounts = chosen[mine]
            mine, accounts = (
                mine[people.exchanges[accounts] > 0],
                accounts[people.exchanges[accounts] > 0],
            )
            if not len(accounts):
                continue
            groups, group = np.unique(people.group[accounts], return_inverse=True)
            waves = people.waves[groups]
            if not persona.waves:
                group, waves = group * 0, waves[:1]
            presence = Presence(
                people.opened[accounts],
                people.closed[accounts],
                people.zone[accounts],
                group,
                waves,
            )
            who = np.repeat(np.arange(len(accounts)), people.exchanges[accounts])
            seconds = times(rng, persona.beat, who, presence, persona.writing.pool)
            places.append(mine[who])
            moments.append((seconds * 1e6).astype(np.int64))
        # The last moment of the period belongs to it, the one after does not.
        latest = int(self.scenario.seconds * 1e6) - 1
        return np.concatenate(places), np.minimum(np.concatenate(moments), latest)

    def _observed(
        self, rng: np.random.Generator, part: Ints, who: Ints, time: Ints
    ) -> dict[str, pa.Array]:
        people, library, n = self.people, self.library, len(who)
        low, wide = people.low[who], (people.high - people.low)[who]
        listed = np.array([p.writing.items == "repeated" for p in self.scenario.personas])
        at = (rng.random(n) * wide).astype(np.int64)
        # A list that is gone through again and again is gone through in its order.
        start = np.flatnonzero(np.diff(part * len(people) + who, prepend=-1))
        run = np.repeat(start, np.diff(np.append(start, n)))
        at = np.where(listed[people.persona[who]], (np.arange(n) - run) % wide, at)
        row = low + at
        salt = mixed(people.group[who].astype(np.uint64) ^ mixed(np.full(1, self.seed, np.uint64)))
        counts = np.diff(library.starts)[row]
        ends = np.concatenate(([0], np.cumsum(counts)))
        grams = np.empty(ends[-1], dtype=np.int32)
        fill_grams(
            row, salt, np.uint64(rng.integers(1 << 63)), library.grams, library.gram_class,
            library.starts, _TAIL, _FIRST, _LAST, _POWER, grams,
        )  # fmt: skip
        fresh = mixed(rng.integers(0, 1 << 63, n).astype(np.uint64))
        item = _again(library.item[row], library.item_class[row], salt, fresh)
        system = _again(
            library.system[row].astype(np.int64), library.system_class[row], salt, fresh
        )
        silent = library.system[row] == 0
        organization = self.hashed.organization[who]
        return {
            "time": _array(
                time + int(self.scenario.start.timestamp()) * 1_000_000,
                pa.timestamp("us", tz="UTC"),
            ),
            "account": pa.array(self.hashed.account[who]),
            "organization": pa.array(organization, mask=organization == 0),
            "agent": pa.array(self.hashed.agent[people.client[who]]),
            "tls": pa.array(self.hashed.tls[people.client[who]]),
            "item": pa.array(item.view(np.int64)),
            "system": pa.array(_low(system), mask=silent),
            "grams": pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), pa.array(grams)),
            "guarantee": pa.array(library.guarantee[row]),
            "cues": pa.array(library.cues[row]),
            "words": pa.array(library.words[row]),
            "response_bytes": pa.nulls(n, pa.int32()),
            **self._origins(rng, who, time / 1e6),
            **self._usage(rng, who, row, time / 1e6),
        }

    def _origins(self, rng: np.random.Generator, who: Ints, seconds: Floats) -> dict[str, pa.Array]:
        """Credential, address, network and system of each request."""
        people, n = self.people, len(who)
        which = (people.addresses[who] * rng.random(n) ** 1.3).astype(np.int64)
        address = people.address[people.first_address[who] + which]
        span = np.maximum(people.closed - people.opened, 1.0)[who]
        age = np.clip((seconds - people.opened[who]) / span, 0.0, 1.0 - 1e-9)
        luck = np.where(people.rotated[who], age, rng.random(n))
        key = who * 8 + (people.keys[who] * luck).astype(np.int64)
        return {
            "address": pa.array(self._number(address, 1).view(np.int64)),
            "network": pa.array(self._number(people.network[address], 2).view(np.int64)),
            "asn": pa.array(_low(self._number(people.system[address], 3))),
            "credential": pa.array(_low(self._number(key, 4))),
        }

    def _number(self, values: Ints, kind: int) -> NDArray[np.uint64]:
        """Numbers as hashes of names that are not kept."""
        return mixed(values.astype(np.uint64) ^ mixed(np.full(1, self.seed * 8 + kind, np.uint64)))

    def _usage(
        self, rng: np.random.Generator, who: Ints, row: Ints, seconds: Floats
    ) -> dict[str, pa.Array]:
        """Model, token counts, settings and outcome; as ``columns.Clerk`` draws them."""
        people, n = self.people, len(who)
        moved = (seconds > people.moves[who]) & (rng.random(n) < 0.95)
        model = np.where(moved, 2, rng.random(n) < people.small[who])
        models = np.asarray(hash32(pa.array(real.MODELS), "model"))
        status = real._STATUS[rng.choice(4, size=n, p=real._STATUS_SHARES)]
        failed = status != 200
        length = self._answers(rng, self.library.form[row])
        limits = np.where(rng.random(n) < real._FAITHFUL, people.limit[who], 0)
        ceiling = np.where(limits == 0, real._LONGEST, limits)
        fits = (length >= ceiling) & (rng.random(n) < real._FITTING)
        length = np.where(fits, ceiling * rng.uniform(0.4, 0.99, n), length)
        output = np.clip(length, 1, ceiling)
        temperature = np.where(rng.random(n) < real._FAITHFUL, people.temperature[who], np.nan)
        broken = (length >= ceiling) | (rng.random(n) < real._BROKEN_OFF)
        asked = np.maximum(1, self.library.asked[row] * np.exp(rng.normal(0.0, 0.05, n)))
        return {
            "model": pa.array(models[model]),
            "input_tokens": _array(asked.astype(np.int32), pa.int32()),
            "output_tokens": pa.array(output.astype(np.int32), mask=failed),
            "max_tokens": pa.array(limits.astype(np.int32), mask=limits == 0),
            "status": _array(status.astype(np.int16), pa.int16()),
            "finish": pa.array(broken.astype(np.int8), mask=failed),
            "temperature": pa.array(temperature.astype(np.float32), mask=np.isnan(temperature)),
            "stream": pa.array(rng.random(n) < people.streams[who]),
        }

    def _answers(self, rng: np.random.Generator, form: Ints) -> Floats:
        """Tokens answered to each form."""
        library = self.library
        luck = rng.random(len(form)) * (1 - 1e-9)
        part = np.zeros(len(form), dtype=np.int64)
        for column in range(library.shares.shape[1] - 1):
            part += luck >= library.shares[form, column]
        noise = rng.normal(size=len(form))
        out: Floats = np.exp(library.mus[form, part] + library.sigmas[form, part] * noise)
        return out


def _again(
    value: Ints, what: NDArray[np.uint8], salt: NDArray[np.uint64], fresh: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Items, or system texts, made anew by their class."""
    own = mixed(value.view(np.uint64) ^ salt)
    return np.where(what == RANDOM, fresh, np.where(what == OWN, own, value.view(np.uint64)))


def _low(values: NDArray[np.uint64]) -> NDArray[np.int32]:
    return (values & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.int32)


def _array(values: NDArray[np.generic], kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind)
