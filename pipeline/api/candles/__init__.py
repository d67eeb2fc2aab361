"""The stored candles, and longer ones aggregated from them when they are read."""
