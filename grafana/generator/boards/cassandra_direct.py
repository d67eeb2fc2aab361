"""Cassandra direct: what the Cassandra plugin can read without our API. Every statement names the
whole partition key."""

from grafana.generator.dashboard import dashboard
from grafana.generator.palette import ACCENT, PLAIN
from grafana.generator.panels import bar_chart, line_chart
from grafana.generator.targets import cql

SYMBOL = {
    "name": "symbol",
    "label": "Symbol",
    "description": "A tracked symbol.",
    "type": "textbox",
    "query": "ETHUSDT",
    "hide": 0,
    "skipUrlSync": False,
    "options": [{"selected": True, "text": "ETHUSDT", "value": "ETHUSDT"}],
    "current": {"selected": True, "text": "ETHUSDT", "value": "ETHUSDT"},
}
# sqlstring puts the value in quotes and doubles those in it, as CQL wants them too.
CANDLES = "FROM crypto.klines WHERE symbol = ${symbol:sqlstring} AND interval = '1m'"
PRICES = "FROM crypto.latest_prices WHERE symbol = ${symbol:sqlstring}"


def in_range(column: str) -> str:
    return f"AND {column} >= $__timeFrom AND {column} <= $__timeTo"


def cassandra_direct() -> dict:
    rows = [(9, [(24, close())]), (9, [(12, trades()), (12, price())])]
    description = "The same rows through the Cassandra data source, without the API."
    return dashboard("cassandra-direct", "Cassandra direct", description, rows, [SYMBOL], "now-3h", "30s")


def close() -> dict:
    return line_chart(
        "$symbol price",
        "Close of every 1-minute candle, read directly from the table klines.",
        [cql(f"SELECT symbol, close_price, open_time {CANDLES} {in_range('open_time')}")],
        "none",
        colour=PLAIN,
    )


def trades() -> dict:
    return bar_chart(
        "$symbol trades per minute",
        "number_of_trades of every 1-minute candle.",
        [cql(f"SELECT symbol, number_of_trades, open_time {CANDLES} {in_range('open_time')}")],
        "locale",
        decimals=0,
        colour=ACCENT,
    )


def price() -> dict:
    return line_chart(
        "Polled price",
        "Every change of the price, read directly from the table latest_prices.",
        [cql(f"SELECT symbol, price, updated_at {PRICES} {in_range('updated_at')}")],
        "none",
        colour=PLAIN,
    )
