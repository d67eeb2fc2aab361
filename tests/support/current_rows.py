"""The current rows in PostgreSQL, Redis and Cassandra, in one form, so that they can be compared
key by key. Uses nothing of pipeline/, so that it cannot repeat a mistake made there."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cassandra.cluster import Session
from psycopg2.extensions import connection as Connection
from redis import Redis

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TABLES = ("latest_prices", "crypto_24h_stats", "order_book", "instruments")
TIMES = frozenset({"updated_at", "open_time", "close_time"})
EXAMPLES = 3


def whole_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def in_postgres(postgres: Connection, prefix: str = "") -> Rows:
    """Numbers as exact decimals; of a book the best levels."""
    found: Rows = {}
    for table in TABLES:
        with postgres.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} WHERE symbol LIKE %s", (prefix + "%",))
            names = [column.name for column in cursor.description]
            for values in cursor.fetchall():
                row = {name: whole_ms(v) if name in TIMES else v for name, v in zip(names, values)}
                found[table, row["symbol"]] = best_levels(row) if table == "order_book" else row
    return found


def best_levels(row: Row) -> Row:
    sides = {"bid": row.pop("bids"), "ask": row.pop("asks")}
    for side, levels in sides.items():
        price, quantity = levels[0] if levels else (None, None)
        row[f"best_{side}"] = None if price is None else Decimal(price)
        row[f"{side}_quantity"] = None if quantity is None else Decimal(quantity)
    return row


def in_redis(redis: Redis, prefix: str = "") -> Rows:
    """Numbers as exact decimals, from the digits that Redis holds."""
    found: Rows = {}
    for table in TABLES:
        for symbol, row in redis.hgetall(f"crypto:{table}").items():
            if symbol.decode().startswith(prefix):
                found[table, symbol.decode()] = json.loads(row, parse_float=Decimal)
    return found


def in_cassandra(cassandra: Session, prefix: str = "") -> Rows:
    """Prices and statistics of market_now, numbers as doubles."""
    found: Rows = {}
    for row in cassandra.execute("SELECT * FROM market_now"):
        if not row["symbol"].startswith(prefix):
            continue
        row = {name: whole_ms(v.replace(tzinfo=UTC)) if isinstance(v, datetime) else v for name, v in row.items()}
        row.pop("quote_asset")
        price, price_at, stats_at = (row.pop(name) for name in ("price", "price_updated_at", "stats_updated_at"))
        symbol = row["symbol"]
        if price_at is not None:
            found["latest_prices", symbol] = {"symbol": symbol, "price": price, "updated_at": price_at}
        if stats_at is not None:
            found["crypto_24h_stats", symbol] = {**row, "updated_at": stats_at}
    return found


def as_doubles(rows: Rows, tables: Iterable[str]) -> Rows:
    return {
        key: {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for key, row in rows.items()
        if key[0] in tables
    }


def differences(one: Rows, other: Rows) -> list[str]:
    """One line per kind of difference; empty if both are equal."""
    found = []
    for what, keys in (
        ("only in the first", one.keys() - other.keys()),
        ("only in the second", other.keys() - one.keys()),
    ):
        if keys:
            found.append(f"{len(keys)} rows {what}, e.g. {sorted(keys)[:EXAMPLES]}")
    differ = [(key, one[key], other[key]) for key in one.keys() & other.keys() if one[key] != other[key]]
    if differ:
        found.append(f"{len(differ)} of {len(one)} rows differ, e.g. {differ[:EXAMPLES]}")
    return found
