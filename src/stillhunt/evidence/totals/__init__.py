"""Degree totals that batches commit to, and their openings in claims."""
