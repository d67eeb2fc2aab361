"""The metrics of the forecaster and their names. They answer: are forecasts made, and are they
better than naive?"""

from prometheus_client import Counter, Gauge

LAST_SUCCESS = Gauge("forecast_last_success_timestamp_seconds", "When PostgreSQL last answered and took what was due")
MADE = Counter("forecast_made_total", "Forecasts written", ["horizon"])
SCORED = Counter("forecast_scored_total", "Forecasts whose window closed and was scored", ["horizon"])
QLIKE_RATIO = Gauge(
    "forecast_qlike_ratio",
    "QLIKE of the last day's windows relative to naive; below 1 is better",
    ["symbol", "horizon"],
)
COVERAGE = Gauge(
    "forecast_coverage_ratio", "Share of the last day's windows that closed inside the range", ["symbol", "horizon"]
)
FALLBACK = Gauge(
    "forecast_fallback", "1 while the EWMA replaces the model, which is worse than naive", ["symbol", "horizon"]
)
