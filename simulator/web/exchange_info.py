"""The reply of /exchangeInfo. Knows listings and limits; knows no prices."""

from collections.abc import Iterable

from simulator.decimals import fixed
from simulator.source import Listing, Reply

_MAX = "9000000.00000000"


def exchange_info(listings: Iterable[Listing], weight_limit: int, now_ms: int) -> Reply:
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, weight_limit),
            _limit("ORDERS", "SECOND", 10, 100),
            _limit("ORDERS", "DAY", 1, 200_000),
            _limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
        ],
        "exchangeFilters": [],
        "symbols": [_entry(listing) for listing in listings],
    }


def _limit(kind: str, interval: str, count: int, limit: int) -> Reply:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _entry(listing: Listing) -> Reply:
    tick, lot = fixed(1, listing.price_decimals), fixed(1, listing.quantity_decimals)
    return {
        "symbol": listing.symbol,
        "status": listing.status,
        "baseAsset": listing.base_asset,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote_asset,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": _MAX, "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": _MAX, "stepSize": lot},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }
