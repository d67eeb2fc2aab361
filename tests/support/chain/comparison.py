"""What Cassandra must contain, derived from PostgreSQL alone, and what differs: all rows, all
columns. Uses nothing of pipeline/, so that it cannot repeat a mistake made there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from cassandra.cluster import Session
from psycopg2.extensions import connection as Connection

from tests.support.chain import odd_comparison

Row = dict[str, Any]
Rows = dict[tuple, Row]
EXAMPLES = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
# Columns that hold a time, in any table.
TIMES = frozenset(
    {"updated_at", "open_time", "close_time", "trade_time", "hour", "price_updated_at", "stats_updated_at"}
)
HISTORY_KEYS = {
    "latest_prices": ("symbol", "updated_at"),
    "crypto_24h_stats": ("symbol", "updated_at"),
    "order_book": ("symbol", "updated_at"),
    "recent_trades": ("symbol", "trade_id"),
}
CANDLE_KEY = ("symbol", "interval", "open_time")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences`: one line per kind of difference, empty if the rows are equal.
    `odd_rows_compared`: those of the three tables of odd types."""

    differences: list[str]
    rows_compared: int
    odd_rows_compared: int = 0


def compare(postgres: Connection, cassandra: Session, prefix: str) -> Comparison:
    """Compares the rows of the load's symbols in the five tables and market_now, and all rows of
    the three odd tables."""
    symbols = [
        row[0]
        for row in rows_of(postgres, "SELECT DISTINCT symbol FROM committed_changes WHERE symbol LIKE %s", prefix + "%")
    ]
    differences: list[str] = []
    rows_compared = 0
    pairs: list[tuple[str, tuple[str, ...], Rows, Rows]] = [
        (table, key, committed(postgres, table, key, prefix), stored(cassandra, table, key, symbols))
        for table, key in HISTORY_KEYS.items()
    ]
    pairs.append(("klines", CANDLE_KEY, candles(postgres, prefix), stored(cassandra, "klines", CANDLE_KEY, symbols)))
    pairs.append(("market_now", ("symbol",), market(postgres, prefix), market_stored(cassandra, prefix)))
    for table, _, expected, actual in pairs:
        differences += describe_differences(table, expected, actual)
        rows_compared += len(expected)
    odd_rows_compared = 0
    for table in odd_comparison.KEYS:
        expected = odd_comparison.expected(postgres, table)
        differences += describe_differences(table, expected, odd_comparison.stored(cassandra, table))
        odd_rows_compared += len(expected)
    return Comparison(differences, rows_compared, odd_rows_compared)


def describe_differences(table: str, expected: Rows, actual: Rows) -> Iterator[str]:
    """Columns that only one side has are not compared: the scenario `columns` checks those."""
    if missing := expected.keys() - actual.keys():
        yield f"{table}: {len(missing)} of {len(expected)} rows are missing, e.g. {sorted(missing)[:EXAMPLES]}"
    if unexpected := actual.keys() - expected.keys():
        yield f"{table}: {len(unexpected)} rows should not exist, e.g. {sorted(unexpected)[:EXAMPLES]}"
    differ = [
        (
            key,
            {
                name: (actual[key][name], value)
                for name, value in row.items()
                if name in actual[key] and actual[key][name] != value
            },
        )
        for key, row in expected.items()
        if key in actual
    ]
    differ = [(key, columns) for key, columns in differ if columns]
    if differ:
        yield f"{table}: {len(differ)} rows differ, as (stored, expected) e.g. {differ[:EXAMPLES]}"


# --- PostgreSQL


def rows_of(postgres: Connection, sql: str, *values: object) -> list[tuple]:
    with postgres.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def committed(postgres: Connection, table: str, key: tuple[str, ...], prefix: str) -> Rows:
    """Every committed state of the rows of `table`; of several states in the same millisecond, the
    last."""
    changes = rows_of(
        postgres,
        "SELECT row_after FROM committed_changes WHERE table_name = %s AND symbol LIKE %s "
        "AND op <> 'delete' ORDER BY id",
        table,
        prefix + "%",
    )
    states: Rows = {}
    for (row,) in changes:
        row = {name: iso_ms(value) if name in TIMES else value for name, value in row.items()}
        if table == "order_book":
            row |= book(row)
        elif table == "recent_trades":
            row["hour"] = row["trade_time"] // HOUR_MS * HOUR_MS
        states[tuple(row[name] for name in key)] = row
    return states


def book(row: Row) -> Row:
    """The figures are the doubles nearest to the exact values."""
    bids = [(Fraction(price), Fraction(quantity)) for price, quantity in row["bids"]]
    asks = [(Fraction(price), Fraction(quantity)) for price, quantity in row["asks"]]
    bid_depth, ask_depth = sum(quantity for _, quantity in bids), sum(quantity for _, quantity in asks)
    return {
        "bids": [(float(price), float(quantity)) for price, quantity in bids],
        "asks": [(float(price), float(quantity)) for price, quantity in asks],
        "best_bid": float(bids[0][0]),
        "best_ask": float(asks[0][0]),
        "spread": float(asks[0][0] - bids[0][0]),
        "mid_price": float((asks[0][0] + bids[0][0]) / 2),
        "bid_depth": float(bid_depth),
        "ask_depth": float(ask_depth),
        "imbalance": float((bid_depth - ask_depth) / (bid_depth + ask_depth)),
        "hour": row["updated_at"] // HOUR_MS * HOUR_MS,
    }


def current(postgres: Connection, table: str, prefix: str) -> Iterator[Row]:
    for (row,) in rows_of(postgres, f"SELECT to_jsonb(t) FROM {table} t WHERE symbol LIKE %s", prefix + "%"):
        yield {name: iso_ms(value) if name in TIMES else value for name, value in row.items()}


def candles(postgres: Connection, prefix: str) -> Rows:
    return by_key(CANDLE_KEY, current(postgres, "klines", prefix))


def market(postgres: Connection, prefix: str) -> Rows:
    """One row per symbol that has a price or statistics; what it lacks is null."""
    symbols: Rows = {}
    for row in current(postgres, "latest_prices", prefix):
        symbols[(row["symbol"],)] = {"price": row["price"], "price_updated_at": row["updated_at"]}
    for row in current(postgres, "crypto_24h_stats", prefix):
        known = symbols.setdefault((row["symbol"],), {"price": None, "price_updated_at": None})
        known |= {**row, "stats_updated_at": row["updated_at"]}
        del known["updated_at"]
    for row in symbols.values():
        for name in ("last_price", "trade_count", "stats_updated_at"):
            row.setdefault(name, None)
    return symbols


def iso_ms(text: str | None) -> int | None:
    return None if text is None else whole_ms(datetime.fromisoformat(text) - EPOCH)


def whole_ms(since: timedelta) -> int:
    return since // timedelta(milliseconds=1)


# --- Cassandra


def stored(cassandra: Session, table: str, key: tuple[str, ...], symbols: Iterable[str]) -> Rows:
    read: Callable[[str], Iterator[Row]] = {
        "latest_prices": lambda symbol: select(cassandra, table, "symbol = %s", symbol),
        "crypto_24h_stats": lambda symbol: select(cassandra, table, "symbol = %s", symbol),
        "klines": lambda symbol: select(cassandra, table, "symbol = %s AND interval = '1m'", symbol),
    }.get(table, lambda symbol: by_hours(cassandra, table, symbol))
    return by_key(key, (row for symbol in symbols for row in read(symbol)))


def by_hours(cassandra: Session, table: str, symbol: str) -> Iterator[Row]:
    hours = select(cassandra, "stored_hours", "table_name = %s AND symbol = %s", table, symbol)
    for hour in [row["hour"] for row in hours]:
        yield from select(cassandra, table, "symbol = %s AND hour = %s", symbol, hour)


def market_stored(cassandra: Session, prefix: str) -> Rows:
    rows = select(cassandra, "market_now", "quote_asset = %s", "USDT")
    return by_key(("symbol",), (row for row in rows if row["symbol"].startswith(prefix)))


def select(cassandra: Session, table: str, where: str, *values: object) -> Iterator[Row]:
    for row in cassandra.execute(f"SELECT * FROM {table} WHERE {where}", values):
        yield {
            name: whole_ms(value.replace(tzinfo=UTC) - EPOCH) if isinstance(value, datetime) else value
            for name, value in row.items()
        }


def by_key(key: tuple[str, ...], rows: Iterable[Row]) -> Rows:
    return {tuple(row[name] for name in key): row for row in rows}
