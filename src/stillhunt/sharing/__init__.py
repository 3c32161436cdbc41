"""Layer 7. What leaves the house: to time stamping authorities, witnesses and other providers."""
