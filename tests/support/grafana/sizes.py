"""How many bytes a browser gets per refresh of a dashboard, for a market of 400 symbols of which
six are tracked: each row in the response, which Infinity copies to the browser, and again in the
frame. Knows typical values; sends nothing."""

import json
from typing import Any

from tests.support.grafana.files import targets
from tests.support.grafana.variables import UNITS_MS, automatic, span_ms, view

SYMBOLS, TRACKED, QUOTE_ASSETS, BOOK_LEVELS = 400, 6, 1, 20
PRICE, PRICE_TEXT, QUANTITY, TIME_MS = 95423.61, "95,423.61", 102.3456, 1_764_165_600_000
VALUES: dict[str, Any] = {
    "symbol": "1000SATSUSDT",
    "quote_asset": "USDT",
    "source": "simulator: random market, seed 7",
    "last_price_text": PRICE_TEXT,
    "high_price_text": PRICE_TEXT,
    "low_price_text": PRICE_TEXT,
    "price_text": PRICE_TEXT,
    "quantity_text": "102.34560",
    "price_change_percent": -11.234,
    "quote_volume": 2130456789.12,
    "rising": 195,
    "falling": 205,
    "unchanged": 10,
    "imbalance": -0.123456,
    "spread_bps": 0.0892,
    "trade_id": 1234567890,
    "trade_count": 692512,
    "number_of_trades": 1234,
    "is_buyer_maker": False,
}


def browser_kib(dashboard: dict) -> float:
    """With the time range and the variables with which the dashboard is opened."""
    return sum(target_bytes(dashboard, target) for _, target in targets(dashboard) if "url" in target) / 1024


def target_bytes(dashboard: dict, target: dict) -> int:
    row = {column["selector"]: value_of(column["selector"]) for column in target["columns"]}
    in_response = len(json.dumps(row, separators=(",", ":"))) + 1
    in_frame = len(json.dumps(list(row.values()), separators=(",", ":")))
    return row_count(dashboard, target) * (in_response + in_frame)


def value_of(column: str) -> Any:
    """A value of typical length."""
    if column in VALUES:
        return VALUES[column]
    if column.endswith("_time") or column == "updated_at":
        return TIME_MS
    return PRICE if "price" in column or column.startswith("ma_") else QUANTITY


def row_count(dashboard: dict, target: dict) -> int:
    parameters = {each["key"]: each["value"] for each in target["url_options"]["params"]}
    if target["url"] == "/depth":
        return 2 * BOOK_LEVELS
    if target["url"] == "/market_summary":
        return QUOTE_ASSETS
    if "interval" in parameters:
        return candle_count(dashboard, parameters["interval"]) * (1 if "symbol" in parameters else TRACKED)
    found = SYMBOLS if "symbol" not in parameters else 1
    if "tracked" in parameters:
        found = TRACKED
    if "points" in parameters or (target["url"] == "/recent_trades" and "limit" in parameters):
        return int(parameters.get("points") or parameters["limit"])
    return min(found, int(parameters.get("limit", SYMBOLS)))


def candle_count(dashboard: dict, interval: str) -> int:
    """Of one symbol in the default range. `interval`: a variable as the query names it."""
    opened = view(dashboard, 100 * UNITS_MS["d"])
    range_ms = opened.to_ms - opened.from_ms
    variable = next(each for each in dashboard["templating"]["list"] if each["name"] == interval.strip("${}"))
    return range_ms // span_ms(automatic(variable, range_ms))
