"""Checking a claim: needs a bundle and the keys one trusts; no engine, no network."""
