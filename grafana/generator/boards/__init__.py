"""One file per dashboard: its panels, in the order in which they are shown."""
