"""The five tables, described once: producer, consumer and API read them here. What they are in the
stores is in sql/020_tables.sql and cql/020_tables.cql; a test compares. Knows no library and no
connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NUMBER, WHOLE, TIME, TEXT, FLAG, LEVELS = "numeric", "bigint", "timestamptz", "text", "boolean", "jsonb"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table as PostgreSQL holds it, and what the rest of the chain must know of it.

    `columns`: name to PostgreSQL type, key columns first.
    `time`: the column that says how new a row is; readers sort and page by it.
    `version`: a time in the row that is never later than its commit; orders snapshot rows (DESIGN
    2.2).
    `unversioned`: columns whose change alone is no change of the row (no write, no event).
    `guard`: SQL condition on the row `old` and its replacement `new` without which nothing is
    replaced.
    `keeps_history`: in Cassandra every state is its own row, so a delete in PostgreSQL leaves it
    alone."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    time: str
    version: str
    unversioned: frozenset[str] = field(default=frozenset({"updated_at"}))
    guard: str = ""
    keeps_history: bool = True


STATS = Table(
    name="crypto_24h_stats",
    key=("symbol",),
    columns={
        "symbol": TEXT,
        "price_change": NUMBER,
        "price_change_percent": NUMBER,
        "weighted_avg_price": NUMBER,
        "last_price": NUMBER,
        "open_price": NUMBER,
        "high_price": NUMBER,
        "low_price": NUMBER,
        "bid_price": NUMBER,
        "ask_price": NUMBER,
        "volume": NUMBER,
        "quote_volume": NUMBER,
        "open_time": TIME,
        "close_time": TIME,
        "trade_count": WHOLE,
        "updated_at": TIME,
    },
    time="updated_at",
    version="updated_at",
    # The 24 h window rolls with every request: its borders alone are no news.
    unversioned=frozenset({"open_time", "close_time", "updated_at"}),
)
PRICES = Table(
    name="latest_prices",
    key=("symbol",),
    columns={"symbol": TEXT, "price": NUMBER, "updated_at": TIME},
    time="updated_at",
    version="updated_at",
)
BOOKS = Table(
    name="order_book",
    key=("symbol",),
    columns={"symbol": TEXT, "last_update_id": WHOLE, "bids": LEVELS, "asks": LEVELS, "updated_at": TIME},
    time="updated_at",
    version="updated_at",
    guard="new.last_update_id > old.last_update_id",
)
TRADES = Table(
    name="recent_trades",
    key=("symbol", "trade_id", "trade_time"),
    columns={
        "symbol": TEXT,
        "trade_id": WHOLE,
        "trade_time": TIME,
        "price": NUMBER,
        "quantity": NUMBER,
        "quote_quantity": NUMBER,
        "is_buyer_maker": FLAG,
        "first_trade_id": WHOLE,
        "last_trade_id": WHOLE,
    },
    time="trade_time",
    version="trade_time",
    unversioned=frozenset(),
)
KLINES = Table(
    name="klines",
    key=("symbol", "interval", "open_time"),
    columns={
        "symbol": TEXT,
        "interval": TEXT,
        "open_time": TIME,
        "open_price": NUMBER,
        "high_price": NUMBER,
        "low_price": NUMBER,
        "close_price": NUMBER,
        "volume": NUMBER,
        "close_time": TIME,
        "quote_volume": NUMBER,
        "number_of_trades": WHOLE,
        "taker_buy_volume": NUMBER,
        "taker_buy_quote_volume": NUMBER,
        "is_closed": FLAG,
        "updated_at": TIME,
    },
    time="open_time",
    version="updated_at",
    # A closed candle may be corrected by the exchange, but it never opens again.
    guard="(new.is_closed OR NOT old.is_closed)",
    keeps_history=False,
)

TABLES: dict[str, Table] = {table.name: table for table in (STATS, PRICES, BOOKS, TRADES, KLINES)}

# Derived by the consumer, read by the API; they exist in Cassandra only.
MARKET_NOW = "market_now"
STORED_HOURS = "stored_hours"
# Which exchange the rows come from: one row, mirrored like any other captured table.
DATA_SOURCE = "data_source"

# Every table that this project defines in Cassandra; any other one is a table of the user's.
CASSANDRA_TABLES = frozenset({*TABLES, MARKET_NOW, STORED_HOURS, DATA_SOURCE})
