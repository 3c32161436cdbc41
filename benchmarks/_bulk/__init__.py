"""Observations in bulk and without text: as simulated traffic gives them, a million rows a second."""
