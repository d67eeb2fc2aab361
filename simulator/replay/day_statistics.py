"""The /ticker/24hr reply of a replayed symbol from its visible rows. Knows no files and no
clock."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from simulator.decimals import ZERO, fixed_decimal, percent_change
from simulator.replay.rows import Candle, RecordedTrade
from simulator.source import Reply

NO_ID = -1  # the exchange's own value for "no trade"


def best_levels(depth: dict[str, Any] | None) -> Reply:
    """Best bid and ask of the recorded book; zeros where none was recorded."""
    sides = [(depth or {}).get(side) for side in ("bids", "asks")]
    (bid_price, bid_quantity), (ask_price, ask_quantity) = (side[0] if side else (ZERO, ZERO) for side in sides)
    return {"bidPrice": bid_price, "bidQty": bid_quantity, "askPrice": ask_price, "askQty": ask_quantity}


def statistics_reply(
    symbol: str,
    price: str,
    day: Candle | None,
    trades: Sequence[RecordedTrade],
    depth: dict[str, Any] | None,
    open_ms: int,
    now_ms: int,
) -> Reply:
    """`day`: the visible candles of the window joined; None if it has none. `trades`: its first and
    last visible trade, or empty."""
    open_price, high, low = (day.open, day.high, day.low) if day else (price, price, price)
    # The last trade may lie outside the range that an open recorded candle shows so far.
    high, low = max(high, price, key=Decimal), min(low, price, key=Decimal)
    volume, quote_volume = (day.volume, day.quote_volume) if day else (ZERO, ZERO)
    first, last = Decimal(open_price), Decimal(price)
    average = Decimal(quote_volume) / Decimal(volume) if Decimal(volume) else Decimal(0)
    return {
        "symbol": symbol,
        "priceChange": fixed_decimal(last - first),
        "priceChangePercent": percent_change(first, last),
        "weightedAvgPrice": fixed_decimal(average),
        "prevClosePrice": open_price,
        "lastPrice": price,
        "lastQty": trades[-1].quantity if trades else ZERO,
        **best_levels(depth),
        "openPrice": open_price,
        "highPrice": high,
        "lowPrice": low,
        "volume": volume,
        "quoteVolume": quote_volume,
        "openTime": open_ms,
        "closeTime": now_ms,
        "firstId": trades[0].first_raw_id if trades else NO_ID,
        "lastId": trades[-1].last_raw_id if trades else NO_ID,
        "count": day.trade_count if day else 0,
    }
