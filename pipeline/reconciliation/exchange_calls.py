"""Requests to the exchange within a small share of its weight limit, and never during a ban. Knows
the producer's client; knows nothing of what the replies mean."""

from typing import Any

from pipeline import postgres
from pipeline.errors import ExchangeError
from pipeline.producer.ban import Ban
from pipeline.producer.ban_keeper import BanKeeper
from pipeline.producer.budget import Budget
from pipeline.producer.client import Exchange
from pipeline.producer.database import Database
from pipeline.settings import Settings
from pipeline.stopping import Stop

# Of the exchange's limit. The producer's own share comes on top; the client reads what all programs
# of this address have used from each reply, and stays below 90 % with them.
WEIGHT_PERCENT = 20


class ExchangeCalls:
    """One request at a time. The ban is shared with the producer through PostgreSQL."""

    def __init__(self, settings: Settings, stop: Stop) -> None:
        self._exchange = Exchange(settings.BINANCE_BASE_URL, Ban(), Budget(WEIGHT_PERCENT))
        self._database = Database(lambda: postgres.connect(settings, "reconcile"))
        self._ban_keeper = BanKeeper(self._exchange.ban, settings.BINANCE_BASE_URL, self._database)
        self._stop = stop
        self._ban_keeper.restore(stop)

    def get(self, path: str, weight: int, **params: Any) -> Any:
        """The reply's JSON, once there is weight for it; None if a stop was requested first. Raises
        ExchangeError."""
        while not self._exchange.budget.take(weight):
            if self._stop.wait(min(1.0, self._exchange.budget.seconds_to_next_minute())):
                return None
        try:
            return self._exchange.get(path, params)
        except ExchangeError:
            self._ban_keeper.keep(self._stop)
            raise

    def close(self) -> None:
        self._database.close()
