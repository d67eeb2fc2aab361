"""Changes of the pushed tables, as the envelope gives them."""

from pipeline.changes import Change

BTC, LISTED = "BTCUSDT", "2026-11-26T10:00:00.000000Z"
COMMIT_US = 1_795_687_200_000_000


def change(table: str, row: dict, version: int = 1, deleted: bool = False) -> Change:
    return Change(table, deleted, row, COMMIT_US + version, COMMIT_US + version)


def price(text: str, version: int = 1, symbol: str = BTC, deleted: bool = False) -> Change:
    return change("latest_prices", {"symbol": symbol, "price": text, "updated_at": LISTED}, version, deleted)


def book(bids: str, asks: str, version: int = 1, symbol: str = BTC) -> Change:
    row = {"symbol": symbol, "last_update_id": version, "bids": bids, "asks": asks, "updated_at": LISTED}
    return change("order_book", row, version)


def trade(number: int, at: str = LISTED, sold: bool = False, symbol: str = BTC) -> Change:
    row = {"symbol": symbol, "trade_id": number, "trade_time": at, "price": "95478.61", "quantity": "0.5"}
    return change("recent_trades", {**row, "is_buyer_maker": sold}, number)


def candle(open_time: str = LISTED, version: int = 1, interval: str = "1m", close: str = "3.5") -> Change:
    row = {"symbol": BTC, "interval": interval, "open_time": open_time, "open_price": "1", "high_price": "4"}
    row |= {"low_price": "0.5", "close_price": close, "volume": "12", "number_of_trades": 7, "updated_at": LISTED}
    return change("klines", row, version)
