"""A simulated exchange in this process whose clock the test sets: nobody has to wait for the end of
a minute."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.times import now_ms
from simulator.market.random_market import RandomMarket
from simulator.web.app import create_app
from simulator.web.server import open_server, serve_until

MINUTE_MS = 60_000


@contextmanager
def served(market: RandomMarket, clock_ms: Callable[[], int], port: int = 0) -> Iterator[str]:
    """Its address while it runs."""
    server, stopping = open_server(create_app(market, 1_000_000, clock_ms), "127.0.0.1", port), threading.Event()
    thread = threading.Thread(target=serve_until, args=(server, stopping), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        stopping.set()
        thread.join(5)


def clock_near_the_end_of_a_minute(seconds_before: float) -> Callable[[], int]:
    """Runs like ours, ahead of it so far that a minute ends in `seconds_before`."""
    now = now_ms()
    ahead_ms = MINUTE_MS - round(seconds_before * 1000) - now % MINUTE_MS
    return lambda: now_ms() + ahead_ms
