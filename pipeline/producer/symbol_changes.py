"""Which symbols are added and removed, each logged once. Knows names; makes no request."""

import logging
from collections.abc import Iterable

log = logging.getLogger(__name__)


class SymbolChanges:
    """`left_out`: tracked symbols that the exchange does not list or refuses."""

    def __init__(self) -> None:
        self.left_out: set[str] = set()
        self._market: frozenset[str] | None = None

    def leave_out(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            if symbol not in self.left_out:
                self.left_out.add(symbol)
                remedy = "the exchange does not list it; correct SYMBOLS or wait"
                log.error("symbol_left_out", extra={"symbol": symbol, "remedy": remedy})

    def succeeded(self, symbol: str) -> None:
        """A request for this symbol succeeded."""
        if symbol in self.left_out:
            self.left_out.discard(symbol)
            log.info("symbol_tracked_again", extra={"symbol": symbol})

    def market(self, symbols: frozenset[str]) -> None:
        """The symbols of the whole market that trade now."""
        if self._market is not None and self._market != symbols:
            added, removed = sorted(symbols - self._market), sorted(self._market - symbols)
            log.info("symbols_changed", extra={"added": ",".join(added), "removed": ",".join(removed)})
        self._market = symbols
