"""The market as callers see it now: the source, changed by the faults that concern symbols and ids.
Knows no HTTP."""

from dataclasses import replace
from typing import Any

from simulator.market.instruments import split_symbol
from simulator.source import Listing, MarketSource, Reply
from simulator.web import errors
from simulator.web.fault_book import FaultBook
from simulator.web.fault_kinds import Fault


class MarketView:
    """What one endpoint shows at one time. Raises ExchangeError for an unknown symbol."""

    def __init__(self, source: MarketSource, faults: FaultBook, path: str, now_ms: int) -> None:
        self._source = source
        self._faults = faults
        self._path = path
        self._now_ms = now_ms

    def listings(self, requested: str | list[str] | None = None, status: str | None = None) -> list[Listing]:
        """The requested symbols in the order requested (None: all), filtered by `status` if one is
        given."""
        known = self._listed()
        names = list(known) if requested is None else [requested] if isinstance(requested, str) else requested
        if any(name not in known for name in names):
            raise errors.invalid_symbol()
        chosen = [known[name] for name in names if status in (None, known[name].status)]
        if isinstance(requested, str) and not chosen:
            raise errors.status_mismatch()
        return chosen

    def _listed(self) -> dict[str, Listing]:
        listed = {listing.symbol: listing for listing in self._source.symbols()}
        for fault in self._active("new_symbol"):
            symbol = fault.parameters["symbol"]
            listed[symbol] = Listing(symbol, *split_symbol(symbol))
        for fault in self._active("symbol_status"):
            if known := listed.get(fault.parameters["symbol"]):
                listed[known.symbol] = replace(known, status=fault.parameters["status"])
        for fault in self._active("invalid_symbol"):
            listed.pop(fault.parameters["symbol"], None)
        return listed

    def agg_trades(
        self, symbol: str, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Reply]:
        """The source's trades without those that an `id_gap` hides; the reply is filled up with
        trades after the gap."""
        gaps = [
            range(fault.parameters["from_id"], fault.parameters["to_id"] + 1)
            for fault in self._active("id_gap")
            if fault.parameters["symbol"] == symbol
        ]
        wanted = limit + sum(len(gap) for gap in gaps)
        rows = self._source.agg_trades(symbol, self._now_ms, from_id, start_ms, end_ms, wanted)
        rows = [row for row in rows if not any(row["a"] in gap for gap in gaps)]
        is_newest = from_id is None and start_ms is None
        return rows[-limit:] if is_newest else rows[:limit]

    def price(self, listing: Listing) -> str | None:
        return self._source.price(listing.symbol, self._now_ms)

    def statistics(self, listing: Listing) -> Reply | None:
        return self._source.statistics(listing.symbol, self._now_ms)

    def book_ticker(self, listing: Listing) -> Reply:
        return self._source.book_ticker(listing.symbol, self._now_ms)

    def depth(self, symbol: str, limit: int) -> Reply:
        return self._source.depth(symbol, limit, self._now_ms)

    def klines(
        self, symbol: str, interval: str, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[list[Any]]:
        return self._source.klines(symbol, interval, self._now_ms, start_ms, end_ms, limit)

    def _active(self, kind: str) -> list[Fault]:
        return self._faults.active(kind, self._now_ms, self._path)
