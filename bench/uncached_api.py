"""The API without its short caches, so that every request reads its store: `python3 -m
bench.uncached_api`, with the settings of cassandra_api.py. For comparisons of stores only."""

from pipeline.api import max_age

# Before the modules that take these values when they are imported.
max_age.RESPONSE_FRESH_SECONDS = max_age.ROWS_FRESH_SECONDS = 0.0

import cassandra_api  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(cassandra_api.main())
