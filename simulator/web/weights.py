"""The request weight of each call, as the exchange documents it. Knows parameters; knows no counter
and no limit."""

from simulator.web.parameters import Query

_FIXED = {
    "/api/v3/ping": 1,
    "/api/v3/time": 1,
    "/api/v3/exchangeInfo": 20,
    "/api/v3/aggTrades": 4,
    "/api/v3/klines": 2,
}
PATHS = (*_FIXED, "/api/v3/ticker/24hr", "/api/v3/ticker/price", "/api/v3/ticker/bookTicker", "/api/v3/depth")


def weight_of(path: str, query: Query) -> int:
    """Charged before the call is checked, so an invalid one costs as much; unknown paths cost 1."""
    if path in _FIXED:
        return _FIXED[path]
    if path == "/api/v3/ticker/24hr":
        return _day_statistics(query)
    if path.startswith("/api/v3/ticker/"):
        return 2 if "symbol" in query else 4
    if path == "/api/v3/depth":
        return _depth(query.get("limit", ""))
    return 1


def _day_statistics(query: Query) -> int:
    count = 1 if "symbol" in query else query.get("symbols", "").count('","') + 1 if "symbols" in query else 101
    return 2 if count <= 20 else 40 if count <= 100 else 80


def _depth(limit_text: str) -> int:
    limit = int(limit_text) if limit_text.isdecimal() else 100
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1_000 else 250
