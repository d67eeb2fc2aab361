"""The tables, described once: the programs read them here. Their definitions in
PostgreSQL and Cassandra are in sql/020_tables.sql and cql/020_tables.cql; a test compares. Knows no
library and no connection."""

from collections.abc import Mapping
from dataclasses import dataclass

NUMBER, WHOLE, TIME, TEXT, FLAG, LEVELS = "numeric", "bigint", "timestamptz", "text", "boolean", "jsonb"
FLOAT = "double precision"  # statistics; prices and amounts are exact


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table as PostgreSQL holds it, and what producer, consumer and API must know about it.

    `columns`: name to PostgreSQL type, key columns first.
    `time`: the column that says how new a row is; readers sort and page by it.
    `version`: a time in the row that is never later than its commit; orders snapshot rows
    (docs/decisions/0002-which-version-orders-two-writes.md).
    `poll_setting`: the setting with the seconds between two polls of this table; empty if the
    exchange is not polled for it.
    `volatile`: columns that do not count as a change by themselves (no write, no event).
    `update_condition`: SQL condition on the row `old` and its replacement `new`; unless it holds,
    the row is not replaced.
    `keeps_history`: in Cassandra every state has a row of its own, so a delete in PostgreSQL
    deletes nothing there.
    `hourly`: partitioned by symbol and hour in Cassandra."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    time: str
    version: str
    poll_setting: str = ""
    volatile: frozenset[str] = frozenset({"updated_at"})
    update_condition: str = ""
    keeps_history: bool = True
    hourly: bool = False


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
    poll_setting="STATS_INTERVAL_SECONDS",
    # The 24 h window moves with every request: its two ends alone are not a change.
    volatile=frozenset({"open_time", "close_time", "updated_at"}),
)
PRICES = Table(
    name="latest_prices",
    key=("symbol",),
    columns={"symbol": TEXT, "price": NUMBER, "updated_at": TIME},
    time="updated_at",
    version="updated_at",
    poll_setting="PRICE_INTERVAL_SECONDS",
)
BOOKS = Table(
    name="order_book",
    key=("symbol",),
    columns={"symbol": TEXT, "last_update_id": WHOLE, "bids": LEVELS, "asks": LEVELS, "updated_at": TIME},
    time="updated_at",
    version="updated_at",
    poll_setting="ORDER_BOOK_INTERVAL_SECONDS",
    update_condition="new.last_update_id > old.last_update_id",
    hourly=True,
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
    poll_setting="TRADES_INTERVAL_SECONDS",
    volatile=frozenset(),
    hourly=True,
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
    poll_setting="KLINES_INTERVAL_SECONDS",
    # A closed candle may be corrected by the exchange, but it never reopens.
    update_condition="(new.is_closed OR NOT old.is_closed)",
    keeps_history=False,
)

FORECASTS = Table(
    name="forecasts",
    key=("symbol", "horizon", "made_at"),
    columns={
        "symbol": TEXT,
        "horizon": TEXT,
        "made_at": TIME,
        "closes_at": TIME,
        "model": TEXT,
        "price": NUMBER,
        "volatility": FLOAT,
        "naive_volatility": FLOAT,
        "lower_price": NUMBER,
        "upper_price": NUMBER,
        "recent_qlike_ratio": FLOAT,
        "recent_coverage": FLOAT,
        "realized_volatility": FLOAT,
        "close_price": NUMBER,
        "qlike": FLOAT,
        "naive_qlike": FLOAT,
        "hit": FLAG,
        "updated_at": TIME,
    },
    time="made_at",
    version="updated_at",
    keeps_history=False,
)

# The tables that the producer fills.
TABLES: dict[str, Table] = {table.name: table for table in (STATS, PRICES, BOOKS, TRADES, KLINES)}

# What the exchange says about each symbol, mirrored like any other captured table. Not one of
# TABLES: it has no history and may be old without being late.
INSTRUMENTS = Table(
    name="instruments",
    key=("symbol",),
    columns={
        "symbol": TEXT,
        "base_asset": TEXT,
        "quote_asset": TEXT,
        "tick_size": NUMBER,
        "step_size": NUMBER,
        "status": TEXT,
        "updated_at": TIME,
    },
    time="updated_at",
    version="updated_at",
    poll_setting="LISTING_INTERVAL_SECONDS",
    keeps_history=False,
)

# In a mirrored table's key, a time with microseconds is no timestamp of Cassandra's, which would
# round it. The table's comment in Cassandra names the column after one of these, so that the API
# still knows it as a time: `Mirror of public.orders. Time as ISO 8601 text: created_at.`
TIME_AS_TEXT, TIME_AS_MICROSECONDS = "Time as ISO 8601 text: ", "Time as microseconds since 1970: "

# The comment of every table that mirror_table.py has mirrored begins with this and its name: its
# replica identity contains the primary key, and the event trigger of sql/060 keeps it so.
MIRROR_OF = "Mirror of public."

# In the comment of a mirrored table whose key has columns that PostgreSQL's primary key has not:
# mirror_table.py has set REPLICA IDENTITY FULL. Otherwise a consumer that has just started could
# not know whether a zero in a delete is a value or was filled in by Debezium.
WHOLE_ROW_IN_DELETES = "Deletes carry the whole row (REPLICA IDENTITY FULL)."

# Derived by the consumer, read by the API; they exist only in Cassandra.
MARKET_NOW = "market_now"
STORED_HOURS = "stored_hours"
# Which exchange the rows come from: one row, mirrored like any other captured table.
DATA_SOURCE = "data_source"

# Every table that this project defines in Cassandra; any other one is a table of the user's.
CASSANDRA_TABLES = frozenset({*TABLES, FORECASTS.name, INSTRUMENTS.name, MARKET_NOW, STORED_HOURS, DATA_SOURCE})
