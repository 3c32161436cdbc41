"""Layer 2. The sealed log and what it proves: trees, entries, signed notes, witnesses.

Knows records and bytes only. Nothing here imports an engine, a compiler or a network library; what
verifies needs the standard library, NumPy and cryptography.
"""
