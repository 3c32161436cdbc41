"""Layer 2. The sealed log, claims made from it, and what a stranger can check of them.

Knows records and bytes only: no engine, no network.
"""
