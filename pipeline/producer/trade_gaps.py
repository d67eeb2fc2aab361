"""Where trade ids are missing. Ids of /aggTrades are consecutive per symbol, so a missing id is a
trade that the exchange does not have (any more). Knows no HTTP and no SQL."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pipeline.producer import metrics

log = logging.getLogger(__name__)


def missing_ranges(ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last id of each gap between ascending ids."""
    return ((before + 1, after - 1) for before, after in pairwise(ids) if after > before + 1)


@dataclass(slots=True)
class TradeGaps:
    """Reports the gaps of one symbol: counts them and logs each once, however often its page is
    fetched. All gaps below `reported_until_id` have been reported."""

    symbol: str
    reported_until_id: int = -1

    def report(self, ids: list[int]) -> None:
        """`ids`: the last stored id, if there is one, and those of a page."""
        for first, last in missing_ranges(ids):
            if last + 1 > self.reported_until_id:
                metrics.TRADE_GAPS.labels(self.symbol).inc()
                metrics.TRADES_MISSING.labels(self.symbol).inc(last - first + 1)
                facts = {"symbol": self.symbol, "first_missing_id": first, "last_missing_id": last}
                log.error("trade_gap", extra=facts)
        self.reported_until_id = max(self.reported_until_id, ids[-1])

    def restart(self) -> None:
        """The exchange counts the symbol's trades from the beginning again."""
        self.reported_until_id = -1
