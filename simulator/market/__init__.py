"""A random market that is a pure function of (seed, symbol, time). See `blocks.py`."""
