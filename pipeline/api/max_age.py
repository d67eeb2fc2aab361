"""How old the data in a response may be: at most a second, divided between two caches.

A cached value is fresh for the time given here and is served as stale for the same time again
while it is refreshed (cache.py), so the largest age is twice the sum."""

# Encoded responses (app.py).
RESPONSE_FRESH_SECONDS = 0.35
# Rows that many responses are made from (market.py, freshness.py, candles), and the text of
# /metrics.
ROWS_FRESH_SECONDS = 0.15
