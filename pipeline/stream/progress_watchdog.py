"""Ends a consumer that makes no progress: a client library can hang in a call that nothing can
interrupt, and a new process starts where the last commit was. Outages are no reason: while one
lasts, the loop goes on trying. Knows nothing of what the loop does."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

# Longer than everything that is bounded: time-outs of Kafka and Cassandra are some ten seconds.
LIMIT_SECONDS = 180.0
CHECK_SECONDS = 5.0


def start(progress_at: Callable[[], float]) -> None:
    """Watch in a daemon thread. `progress_at` returns when there was progress, in monotonic
    seconds."""
    threading.Thread(target=watch, args=(progress_at, end_process), name="progress-watchdog", daemon=True).start()


def watch(
    progress_at: Callable[[], float],
    end: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call `end` as soon as there was no progress for LIMIT_SECONDS."""
    while (idle_seconds := clock() - progress_at()) < LIMIT_SECONDS:
        sleep(CHECK_SECONDS)
    log.error("no_progress", extra={"idle_s": f"{idle_seconds:.0f}", "remedy": "the process ends with exit code 1"})
    end()


def end_process() -> None:
    """At once: a thread that hangs would delay an orderly end for good."""
    sys.stderr.flush()
    os._exit(1)
