"""Layer 3. Observations on disk: taken in once, kept as long as wanted, hunted often."""
