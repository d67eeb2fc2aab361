"""The first connection of a program to something that may not be up yet. Knows nothing of what it
connects to: the caller names the errors that a retry can cure."""

import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.backoff import Backoff
from pipeline.outage import Outage
from pipeline.stopping import Stop

log = logging.getLogger(__name__)
Connected = TypeVar("Connected")


def until_connected(
    name: str,
    connect: Callable[[], Connected],
    stop: Stop,
    *,
    retry_on: type[Exception] | tuple[type[Exception], ...],
    max_wait_seconds: float = math.inf,
    max_pause_seconds: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
) -> Connected | None:
    """What `connect` returns; None when a stop was requested first. An error of `retry_on` is
    retried until `max_wait_seconds` have passed and then raised; any other error is raised at once.
    The outage is logged when it begins and then every 30 s."""
    backoff = Backoff(0.5, max_pause_seconds)
    outage = Outage(name, log, clock)
    deadline = clock() + max_wait_seconds
    while not stop.requested:
        try:
            connected = connect()
        except retry_on as error:
            remaining_seconds = deadline - clock()
            if remaining_seconds <= 0:
                raise
            pause_seconds = min(backoff.next_seconds(), remaining_seconds)
            outage.failed(error, pause_seconds)
            stop.wait(pause_seconds)
        else:
            outage.over()
            log.info(f"{name}_connected")
            return connected
    return None
