"""Forecasts of volatility: the realized variance of the next minutes and the range of prices that
it implies, for each symbol and each closed minute, scored when the window closes. `backtest.py` and
the running program feed candles to the same `SymbolForecaster`."""

import os

# Read when numpy is imported. Small matrices gain nothing from threads, and each takes memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
