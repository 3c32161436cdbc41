"""Checking a claim: needs a bundle and the keys one trusts; no engine, no network."""

from stillhunt.evidence.verify.run import examine, verify
from stillhunt.evidence.verify.trust import Trust, read_trust

__all__ = ["Trust", "examine", "read_trust", "verify"]
