"""Composed traffic with known truth: who sent what, when, from where, and who was behind it.

Its own package: the detectors never import it, and of Stillhunt it knows only the tables' schemas.
"""

from stillhunt_simulator.compare import Comparison, compare
from stillhunt_simulator.personas import SMALL
from stillhunt_simulator.write import simulate

__all__ = ["SMALL", "Comparison", "compare", "simulate"]
