"""An exchange to develop and test against: it implements the Binance Spot REST API and never claims
to be the real one.

`source.py` says what a market must answer; `market/` is a random one, `replay/` shows recorded
files, `web/` is HTTP."""
