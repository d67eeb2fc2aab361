"""What the API measures, under which names. The metrics answer: is it fast, are there errors, does
Cassandra respond, are the rows fresh?"""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("api_requests_total", "Requests answered", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "api_request_seconds",
    "From the request to its response",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
ROWS_RETURNED = Counter("api_rows_returned_total", "Rows in responses", ["route"])
# `memory`: answers (encoded responses), rows (what they are made from) or metrics (this text).
# `result`: hit (fresh), old (stale; served and refreshed in the background), shared (waited for
# another request's read), miss (read).
CACHE_LOOKUPS = Counter("api_cache_lookups_total", "Lookups in the caches", ["memory", "result"])
STORE_SECONDS = Histogram(
    "api_store_seconds",
    "From a statement to its rows",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STORE_ERRORS = Counter("api_store_errors_total", "Statements that Cassandra did not answer")
REDIS_SECONDS = Histogram(
    "api_redis_seconds",
    "From the request of the current state to Redis' reply",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)
REDIS_ERRORS = Counter("api_redis_errors_total", "Requests of the current state that Redis did not answer")
CURRENT_STATE_READS = Counter("api_current_state_reads_total", "Answers with the current state, by store", ["store"])
