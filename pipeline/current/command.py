"""`consumer_to_redis.py --rebuild`: empties Redis and waits until the running consumers have filled
it. Prints for a person; reads no topic."""

from pipeline.current.store import RedisStore
from pipeline.stopping import Stop

WAIT_SECONDS = 300
POLL_SECONDS = 0.5


def rebuild(store: RedisStore, stop: Stop) -> int:
    """0 once Redis is complete; 1 when it is not within WAIT_SECONDS. Raises StoreUnavailable."""
    store.clear()
    print("Redis is empty; waiting for the consumers to fill it")
    for _ in range(round(WAIT_SECONDS / POLL_SECONDS)):
        if store.is_complete():
            rows = store.row_counts()
            print("complete:", ", ".join(f"{count} rows of {table}" for table, count in rows.items()))
            return 0
        if stop.wait(POLL_SECONDS):
            break
    print("not complete: is a consumer_to_redis.py running? Its log says what it waits for")
    return 1
