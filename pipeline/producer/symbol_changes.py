"""Which symbols come and go, each told once. Knows names; asks nobody."""

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

    def works(self, symbol: str | None) -> None:
        """One of its requests succeeded."""
        if symbol in self.left_out:
            self.left_out.discard(symbol)
            log.info("symbol_tracked_again", extra={"symbol": symbol})

    def market(self, symbols: frozenset[str]) -> None:
        """The symbols that trade now, in the whole market."""
        if self._market not in (None, symbols):
            came, went = sorted(symbols - self._market), sorted(self._market - symbols)
            log.info("symbols_changed", extra={"came": ",".join(came), "went": ",".join(went)})
        self._market = symbols
