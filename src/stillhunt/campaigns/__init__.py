"""Layer 5. The hunt: from logs to campaigns, and everything that is written about them."""
