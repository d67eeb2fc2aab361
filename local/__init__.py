"""The whole stack on one machine without Docker: needs, downloads, start order, restarts, stop."""
