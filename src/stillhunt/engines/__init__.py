"""Layer 2. Where SQL runs. It is written once, in DuckDB's dialect; other engines translate it."""
