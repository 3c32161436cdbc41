"""One file per log format. Each is found by itself; nothing lists them."""
