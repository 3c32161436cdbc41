"""Layer 1. The tables that travel between rooms: their columns, types, ids and versions."""
