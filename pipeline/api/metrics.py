"""What the API counts, under which names. Metrics answer: is it fast, is it right, is the store,
are the rows fresh?"""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("api_requests_total", "Requests answered", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "api_request_seconds",
    "From the request to its answer",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
ROWS = Counter("api_rows_returned_total", "Rows in answers", ["route"])
# hit: there. old: there, and read anew behind the reply. shared: another request's read was waited
# for. miss: read.
# `memory`: encoded answers, or the rows below.
CACHE = Counter("api_cache_lookups_total", "Lookups of what was read a moment ago", ["memory", "result"])
STORE_SECONDS = Histogram(
    "api_store_seconds",
    "From a statement to its rows",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STORE_ERRORS = Counter("api_store_errors_total", "Statements that Cassandra did not answer")
