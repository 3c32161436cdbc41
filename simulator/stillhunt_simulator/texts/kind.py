"""What one kind of template is made of."""

from __future__ import annotations

from dataclasses import dataclass

from stillhunt_simulator.traces import Lengths


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of task put to a model through a template.

    Attributes:
        openings: what the template may begin with; one is drawn.
        rules: sentences of which some are drawn, in any order.
        layouts: how the item is set out; one is drawn.
        systems: system prompts that may go with it.
        answer: how long answers are, in tokens.
    """

    openings: tuple[str, ...]
    rules: tuple[str, ...]
    layouts: tuple[str, ...]
    systems: tuple[str, ...]
    answer: Lengths
