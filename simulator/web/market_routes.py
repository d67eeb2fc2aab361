"""The market endpoints: parameters in, the exchange's shapes out. Knows no limits, no faults and no
kind of market."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.decimals import ZERO
from simulator.intervals import LENGTH_MS
from simulator.source import Listing, Reply
from simulator.web import errors, parameters
from simulator.web.exchange_info import exchange_info
from simulator.web.market_view import MarketView
from simulator.web.state import current_state

routes = Blueprint("market", __name__, url_prefix="/api/v3")

_MINI_FIELDS = (
    *("symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume"),
    *("openTime", "closeTime", "firstId", "lastId", "count"),
)


@routes.get("/ping")
def ping() -> Response:
    return jsonify({})


@routes.get("/time")
def time() -> Response:
    return jsonify({"serverTime": current_state().now_ms()})


@routes.get("/exchangeInfo")
def info() -> Response:
    requested, status = parameters.requested_symbols(request.args), parameters.symbol_status(request.args)
    state = current_state()
    listings = _market().listings(requested, status)
    return jsonify(exchange_info(listings, state.limiter.weight_limit, state.now_ms()))


@routes.get("/ticker/24hr")
def day_statistics() -> Response:
    is_mini, market = parameters.is_mini(request.args), _market()

    def reply(listing: Listing) -> Reply | None:
        full = market.statistics(listing)
        return {name: full[name] for name in _MINI_FIELDS} if full and is_mini else full

    return _ticker(market, reply)


@routes.get("/ticker/price")
def price() -> Response:
    market = _market()

    def reply(listing: Listing) -> Reply | None:
        found = market.price(listing)
        return None if found is None else {"symbol": listing.symbol, "price": found}

    return _ticker(market, reply)


@routes.get("/ticker/bookTicker")
def book_ticker() -> Response:
    market = _market()
    return _ticker(market, market.book_ticker)


@routes.get("/depth")
def depth() -> Response:
    symbol, market = parameters.one_symbol(request.args), _market()
    limit = parameters.limit(request.args, default=100, maximum=5_000)
    market.listings(symbol)
    return jsonify(market.depth(symbol, limit))


@routes.get("/aggTrades")
def agg_trades() -> Response:
    symbol, market = parameters.one_symbol(request.args), _market()
    limit = parameters.limit(request.args, default=500, maximum=1_000)
    from_id = parameters.integer(request.args, "fromId")
    start_ms, end_ms = _time_range()
    market.listings(symbol)
    return jsonify(market.agg_trades(symbol, from_id, start_ms, end_ms, limit))


@routes.get("/klines")
def klines() -> Response:
    symbol, market = parameters.one_symbol(request.args), _market()
    interval = request.args.get("interval", "")
    if not interval:
        raise errors.missing("interval")
    if interval not in LENGTH_MS:
        raise errors.invalid_interval()
    limit = parameters.limit(request.args, default=500, maximum=1_000)
    start_ms, end_ms = _time_range()
    market.listings(symbol)
    return jsonify(market.klines(symbol, interval, start_ms, end_ms, limit))


def _market() -> MarketView:
    state = current_state()
    return MarketView(state.source, state.faults, request.path, state.now_ms())


def _time_range() -> tuple[int | None, int | None]:
    return parameters.time_ms(request.args, "startTime"), parameters.time_ms(request.args, "endTime")


def _ticker(market: MarketView, reply: Callable[[Listing], Reply | None]) -> Response:
    """One object for `symbol`, otherwise an array without the symbols that have no trade yet."""
    requested = parameters.requested_symbols(request.args)
    listings = market.listings(requested, parameters.symbol_status(request.args))
    if isinstance(requested, str):
        return jsonify(reply(listings[0]) or _never_traded(requested))
    found: list[Any] = [one for one in map(reply, listings) if one is not None]
    return jsonify(found)


def _never_traded(symbol: str) -> Reply:
    """Only a replay has such symbols: only their order book was recorded, or their recording has
    not begun."""
    if request.path.endswith("/price"):
        return {"symbol": symbol, "price": ZERO}
    return dict.fromkeys(_MINI_FIELDS, ZERO) | {
        "symbol": symbol,
        **dict.fromkeys(("openTime", "closeTime", "count"), 0),
        **dict.fromkeys(("firstId", "lastId"), -1),
    }
