"""How long the broker collects records before it answers a fetch. A poll of one record costs nearly
as much CPU as one of twenty, and records that follow each other can wait for each other. Knows
nothing of Kafka's client."""

# The more records the last poll had, the longer the next fetches wait: a single change waits for
# nothing, 250 and more per second for 20 ms at most. Measured: see docs/speed.md.
MS_PER_RECORD = 4
MAX_MS = 20
# What ends the wait in any case: a few dozen records.
COLLECT_BYTES = 64 * 1024


def fetch_wait(last_count: int, idle_ms: int) -> tuple[int, int]:
    """Bytes that the broker waits for, and for how many ms at most, after a poll of `last_count`
    records. Without any, the next record is answered at once, and `idle_ms` is how long a fetch
    waits for it."""
    return (COLLECT_BYTES, min(MS_PER_RECORD * last_count, MAX_MS)) if last_count else (1, idle_ms)
