"""Exchanges of a claim that the claimant chose to open whole."""
