"""Layer 4. What goes from the store, or from log files, into the sealed log."""
