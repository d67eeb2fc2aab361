"""A random market that is a pure function of (seed, symbol, time). How: see `blocks.py`."""
