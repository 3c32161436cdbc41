"""What each group writes: its templates and its pool of items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt_simulator.draws import named
from stillhunt_simulator.population import Mix, Population
from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.texts.templates import (
    Form,
    Skeleton,
    coursework_forms,
    free_forms,
    phrase,
    reword,
    whole_item,
)

# A reseller's customers: most write by hand, some use a public tool through it.
_RESOLD_TOOLS = 0.3


@dataclass(slots=True)
class Group:
    """What a group's accounts draw from.

    Attributes:
        persona: whose group it is.
        skeletons: its templates.
        mix: the mix that all its accounts use; none where each rewords for itself.
    """

    persona: Persona
    skeletons: list[Skeleton]
    mix: int | None


class Desk:
    """Words templates, and registers forms and mixes in a population."""

    def __init__(self, rng: np.random.Generator, population: Population) -> None:
        self._rng = rng
        self._population = population
        self._free = self._register(free_forms())
        self._coursework = self._register(coursework_forms())
        self._plain: int | None = None
        self._public: dict[str, Skeleton] = {}

    def group(self, persona: Persona, group: int) -> Group:
        """Word a new group's templates, and give it a pool of items."""
        rng, population, writing = self._rng, self._population, persona.writing
        pool = named(population.seed, "pool", writing.pool_name or f"group {group}")
        population.pools.append(pool or 1)
        skeletons = [
            phrase(rng, writing.kinds[(group + i) % len(writing.kinds)], writing.systems)
            for i in range(writing.templates)
        ]
        skeletons += [self._copied(label) for label in writing.public]
        made = Group(persona, skeletons, None)
        if not (writing.reword and skeletons):
            made.mix = self._mixed(persona, skeletons)
        return made

    def mix(self, group: Group) -> int:
        """The mix of an account of a group: the group's own, or the same in other words."""
        if group.mix is not None:
            return group.mix
        strength = group.persona.writing.reword
        skeletons = [reword(self._rng, s, strength) for s in group.skeletons]
        return self._mixed(group.persona, skeletons)

    def resold(self, scenario: Scenario) -> int:
        """The mix that honest customers of a reseller write."""
        tools = {
            form
            for account in self._population.accounts
            if scenario.personas[account.persona].name == "tool_user"
            for form in self._population.mixes[account.mix].forms
        }
        share = _RESOLD_TOOLS if tools else 0.0
        forms = [(w * (1.0 - share), form) for w, form in self._free]
        forms += [(share / len(tools), form) for form in sorted(tools)]
        return self._add(forms)

    def _copied(self, label: str) -> Skeleton:
        """A public template: the same for whoever names it."""
        if label not in self._public:
            own = np.random.default_rng(named(self._population.seed, "public", label))
            kind = label.partition(":")[0]
            self._public[label] = phrase(own, kind, 0.5)
        return self._public[label]

    def _mixed(self, persona: Persona, skeletons: list[Skeleton]) -> int:
        writing = persona.writing
        if not skeletons and writing.free >= 1.0:
            # Everybody who only writes by hand shares one mix.
            if self._plain is None:
                self._plain = self._add(self._free)
            return self._plain
        mix = [(weight * writing.free, form) for weight, form in self._free if writing.free]
        if skeletons:
            whole = writing.items in ("drawn", "repeated")
            forms = [skeleton.form(self._population.lexicon) for skeleton in skeletons]
            forms = [whole_item(form) for form in forms] if whole else forms
            share = (1.0 - writing.free) / len(forms)
            mix += self._register([(share, form) for form in forms])
        else:
            mix += [(weight * (1.0 - writing.free), form) for weight, form in self._coursework]
        return self._add(mix)

    def _register(self, weighted: list[tuple[float, Form]]) -> list[tuple[float, int]]:
        forms = self._population.forms
        first = len(forms)
        forms += [form for _, form in weighted]
        return [(weight, first + i) for i, (weight, _) in enumerate(weighted)]

    def _add(self, weighted: list[tuple[float, int]]) -> int:
        self._population.mixes.append(Mix([f for _, f in weighted], [w for w, _ in weighted]))
        return len(self._population.mixes) - 1
