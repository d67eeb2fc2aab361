"""A simulated exchange in this process whose clock the test moves, so that no test waits for the
end of a minute."""

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


class ClockAhead:
    """A clock in ms that runs like ours, ahead of it. It can be moved forward only: the producer's
    estimate of the exchange's clock must never be ahead of it."""

    def __init__(self, start_ms: int) -> None:
        self._ahead_ms = start_ms - now_ms()

    def __call__(self) -> int:
        return now_ms() + self._ahead_ms

    def move_to(self, time_ms: int) -> None:
        """No effect if that time has passed."""
        self._ahead_ms = max(self._ahead_ms, time_ms - now_ms())


def clock_at_the_start_of_a_minute() -> ClockAhead:
    return ClockAhead(now_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS)
