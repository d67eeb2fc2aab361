"""The auditor's metrics. prometheus_client adds `_total` to the names of counters."""

from prometheus_client import Counter, Gauge

ROWS = Counter("auditor_rows_compared", "Rows of the side that is right that were compared", ["table"])
DIFFERENCES = Gauge("auditor_differences", "Rows that differed in the last round", ["table", "kind"])
UNJUDGED = Gauge("auditor_rows_not_judged", "Rows that changed all the time in the last round, or are dead letters")
EQUAL_UNTIL = Gauge(
    "auditor_equal_until_timestamp_seconds", "Everything committed before this time was equal when it was compared"
)
ROUND_DONE = Gauge("auditor_last_round_timestamp_seconds", "When the last full round ended")
ROUND_SECONDS = Gauge("auditor_round_seconds", "How long the last full round took")
EXCHANGE_COMPARED = Gauge(
    "auditor_exchange_compared", "1 if the last round compared the exchange as well; 0 during a ban or an outage"
)
REDIS_COMPARED = Gauge(
    "auditor_redis_compared",
    "1 if the last round compared Redis as well; 0 if it is not used, not there or not complete",
)
