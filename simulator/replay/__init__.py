"""Recorded market data, replayed as if it happened now. Files: `archive.py`; the MarketSource:
`replay_market.py`."""
