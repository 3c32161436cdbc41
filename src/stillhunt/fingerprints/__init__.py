"""Layer 2. Text to fingerprints: pure functions on Arrow arrays, no engine, no files."""
