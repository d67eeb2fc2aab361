"""Recorded market data shown again as if it happened now. Files: `archive.py`; the Source:
`replay_market.py`."""
