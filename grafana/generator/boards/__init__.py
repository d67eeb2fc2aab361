"""One file for each dashboard: what it shows, in the order it is shown."""
