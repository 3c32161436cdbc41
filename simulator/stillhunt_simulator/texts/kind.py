"""What one kind of template is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of task put to a model through a template.

    Attributes:
        openings: what the template may begin with; one is drawn.
        rules: sentences of which some are drawn, in any order.
        layouts: how the item is set out; one is drawn.
        systems: system prompts that may go with it.
        answer: median and sigma of the answer's log-normal length, in tokens.
    """

    openings: tuple[str, ...]
    rules: tuple[str, ...]
    layouts: tuple[str, ...]
    systems: tuple[str, ...]
    answer: tuple[float, float]
