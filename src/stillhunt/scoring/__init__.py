"""Layer 4. Is it a harvest, how sure, whose, and how many exchanges."""
