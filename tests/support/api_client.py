"""A client of the API that asks all the time and keeps what it saw. Knows HTTP alone."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import requests

ASK_EVERY_SECONDS = 0.5
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT")
TIMEOUT_SECONDS = 15


class Client:
    """`get`: asks for a path. `answers`: when each request was answered and with which status, 0
    without an answer. Each request reads Cassandra."""

    def __init__(self, get: Callable[[str], requests.Response]) -> None:
        self._get = get
        self.answers: list[tuple[float, int]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Client":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(TIMEOUT_SECONDS + 5)

    def longest_gap(self, since: float, until: float) -> float:
        """Longest time between two answers with 200, in seconds."""
        good = [at for at, status in self.answers if status == 200]
        before = [at for at in good if at < since][-1:]
        inside = [*before, *(at for at in good if since <= at <= until), until]
        return max((later - earlier for earlier, later in pairwise(inside)), default=until - since)

    def refused(self, since: float, until: float) -> tuple[int, int]:
        """Requests that were not answered with 200, and all."""
        statuses = [status for at, status in self.answers if since <= at <= until]
        return sum(status != 200 for status in statuses), len(statuses)

    def newest_trade_ms(self, symbol: str) -> int:
        found = self._get(f"/recent_trades?symbol={symbol}&limit=1")
        return int(found.json()[-1]["trade_time"]) if found.status_code == 200 and found.json() else 0

    def fresh_after(self, moment: float, timeout_seconds: float) -> float:
        """Seconds from `moment` until a later trade of every symbol is readable."""
        waiting = set(SYMBOLS)
        while waiting and time.time() - moment < timeout_seconds:
            for symbol in sorted(waiting):
                try:
                    if self.newest_trade_ms(symbol) > moment * 1000:
                        waiting.discard(symbol)
                except requests.RequestException:
                    pass
            time.sleep(0.2)
        assert not waiting, f"no trade of {sorted(waiting)} within {timeout_seconds:g} s"
        return time.time() - moment

    def _ask(self) -> None:
        while not self._done.wait(ASK_EVERY_SECONDS):
            try:
                status = self._get("/recent_trades?symbol=BTCUSDT&limit=1").status_code
            except requests.RequestException:
                status = 0
            self.answers.append((time.time(), status))
