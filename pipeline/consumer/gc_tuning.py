"""Tunes Python's garbage collector for a loop that makes a hundred thousand short-lived objects per
second. Knows nothing of what they are."""

import gc

# A collection visits every young container. With the default threshold of 700 it runs hundreds of
# times per poll and finds nothing, because rows are freed by reference counting. Measured: 17,400
# rows/s with the default, 22,300 with this.
YOUNG_OBJECTS = 200_000


def tune_garbage_collector() -> None:
    """Call once, after start-up: objects that exist then are never visited again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
