"""Layer 7. What goes between parties: asking and being asked for cosignatures."""
