"""The first connection of a program to something that may not be up yet. Knows nothing of what is
connected to."""

import logging
from collections.abc import Callable
from typing import TypeVar

from kafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.errors import PipelineError
from pipeline.outage import Outage
from pipeline.stopping import Stop

log = logging.getLogger(__name__)
Connected = TypeVar("Connected")


def until_connected(name: str, connect: Callable[[], Connected], stop: Stop) -> Connected | None:
    """What `connect` returns, tried again for as long as it takes; None when a stop came first.
    Says once and then every 30 s what it waits for. An error that waiting cannot cure is raised."""
    backoff, outage = Backoff(0.5, 10), Outage(name, log)
    while not stop.requested:
        try:
            connected = connect()
        except (PipelineError, KafkaError) as error:
            if isinstance(error, PipelineError) and not error.retriable:
                raise
            delay = backoff.next_seconds()
            outage.failed(error, delay)
            stop.wait(delay)
        else:
            outage.over()
            log.info(f"{name}_connected")
            return connected
    return None
