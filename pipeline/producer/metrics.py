"""The metrics of the producer and their names. They answer: is the data fresh and complete, and do
we stay within the exchange's limits?"""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("producer_requests_total", "Requests to the exchange", ["endpoint", "status"])
BANS = Counter("producer_bans_total", "Replies that began a ban", ["status"])
USED_WEIGHT = Gauge("producer_used_weight", "Request weight used in this minute by all clients behind this IP")
WEIGHT_LIMIT = Gauge("producer_weight_limit", "The exchange's limit of request weight per minute")
WEIGHT_BUDGET = Gauge("producer_weight_budget", "The weight per minute that we may spend")
LAST_SUCCESS = Gauge("producer_last_success_timestamp_seconds", "When a kind of request last succeeded", ["kind"])
FAILURES = Counter("producer_failures_total", "Requests that failed and will be retried", ["kind", "error"])
ROWS_CHANGED = Counter("producer_rows_changed_total", "Rows inserted or updated", ["table"])
ROWS_UNCHANGED = Counter("producer_rows_unchanged_total", "Rows that were stored already, unchanged", ["table"])
TRADE_GAPS = Counter("producer_trade_gaps_total", "Ranges of trade ids that the exchange does not have", ["symbol"])
TRADES_MISSING = Counter("producer_trades_missing_total", "Trade ids in those ranges", ["symbol"])
REJECTED_ROWS = Counter(
    "producer_rejected_rows_total", "Rows of replies that were left out: odd ones, and trades of nothing", ["kind"]
)
BOOK_IDS_RESTARTED = Counter(
    "producer_book_ids_restarted_total", "Times that the ids of a symbol's book started again below ours", ["symbol"]
)
TRADE_IDS_RESTARTED = Counter(
    "producer_trade_ids_restarted_total", "Times that a symbol's trade ids started again below ours", ["symbol"]
)
BAN_SECONDS = Gauge("producer_silent_seconds", "Seconds left of the exchange's ban (429, 418, 451)")
LAG_SECONDS = Histogram(
    "producer_lag_seconds",
    "From a trade on the exchange to its commit in PostgreSQL",
    buckets=(0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 3600),
)
