"""Composed traffic with known truth: who sent what, when, from where, and who was behind it.

Its own package: the detectors never import it, and of Stillhunt it knows only the tables' schemas.
"""

from stillhunt_simulator.compare import Comparison, compare
from stillhunt_simulator.scenario import Scenario
from stillhunt_simulator.scenarios import ScenarioError, load
from stillhunt_simulator.write import simulate

__all__ = ["Comparison", "Scenario", "ScenarioError", "compare", "load", "simulate"]
