"""Changes, deletes and leaves out rows behind the pipeline's back: in Cassandra directly, and in
PostgreSQL while the table is not in the publication. Knows both stores; remembers what it did."""

from collections.abc import Iterator
from random import Random

from cassandra.concurrent import execute_concurrent_with_args
from psycopg2.extras import execute_values

from pipeline.times import iso_to_ms
from tests.support.chain.chain_world import ChainWorld

# Table, then its key in Cassandra, as reconcile.py prints it.
Key = tuple[str, ...]
Broken = dict[Key, str]


class Breakage:
    """`broken`: what reconcile.py must report: the kind of each row."""

    def __init__(self, world: ChainWorld, seed: int) -> None:
        self._world = world
        self._random = Random(seed)
        self.broken: Broken = {}

    def break_rows(self, count: int) -> None:
        """About `count` rows: three fifths in Cassandra, two fifths in PostgreSQL."""
        part = count // 10
        self._in_cassandra(part)
        self._in_postgres(part)

    def _sample(self, sql: str, count: int) -> list[tuple]:
        rows = self._world.sql(sql)
        return self._random.sample(rows, count)

    def _in_cassandra(self, part: int) -> None:
        trades = self._sample(
            "SELECT symbol, (extract(epoch FROM date_trunc('hour', trade_time)) * 1000)::bigint,"
            " floor(extract(epoch FROM trade_time) * 1000)::bigint, trade_id FROM recent_trades WHERE symbol ~ '^Q'",
            3 * part,
        )
        where = "symbol = %s AND hour = %s AND trade_time = %s AND trade_id = %s"
        self._execute(f"DELETE FROM recent_trades WHERE {where}", trades[:part])
        self._execute(f"UPDATE recent_trades SET price = 7.5 WHERE {where}", trades[part : 2 * part])
        self._execute(f"UPDATE recent_trades SET is_buyer_maker = null WHERE {where}", trades[2 * part :])
        for number, (symbol, hour, time, trade_id) in enumerate(trades):
            kind = "missing" if number < part else "different"
            self.broken["recent_trades", symbol, str(hour), str(time), str(trade_id)] = kind
        candles = self._sample(
            "SELECT symbol, (extract(epoch FROM open_time) * 1000)::bigint FROM klines WHERE symbol ~ '^Q'", 2 * part
        )
        where = "symbol = %s AND interval = '1m' AND open_time = %s"
        self._execute(f"DELETE FROM klines WHERE {where}", candles[:part])
        self._execute(f"UPDATE klines SET is_closed = false, volume = -1 WHERE {where}", candles[part:])
        for number, (symbol, time) in enumerate(candles):
            self.broken["klines", symbol, "1m", str(time)] = "missing" if number < part else "different"
        extra = [(f"nobody {number}", number) for number in range(part)]
        self._execute("INSERT INTO quiet_orders (customer, order_id, quantity) VALUES (%s, %s, 1)", extra)
        self.broken |= {("quiet_orders", customer, str(number)): "extra" for customer, number in extra}

    def _execute(self, cql: str, rows: list[tuple]) -> None:
        session = self._world.cassandra_admin
        prepared = session.prepare(cql.replace("%s", "?"))
        for result in execute_concurrent_with_args(session, prepared, rows, concurrency=64):
            assert result.success

    def _in_postgres(self, part: int) -> None:
        """The tables leave the publication for a moment; the load continues in others."""
        with self._world.connect() as connection, connection.cursor() as cursor:
            cursor.execute("ALTER PUBLICATION crypto_publication DROP TABLE forecasts, quiet_orders")
            connection.commit()
            forecasts = self._sample(
                "SELECT symbol, made_at, (extract(epoch FROM made_at) * 1000)::bigint FROM forecasts", 2 * part
            )
            for number, (sql, rows) in enumerate(
                (
                    ("DELETE FROM forecasts f", forecasts[:part]),
                    ("UPDATE forecasts f SET price = 3, hit = true", forecasts[part:]),
                )
            ):
                link = " USING" if number == 0 else " FROM"
                execute_values(
                    cursor,
                    f"{sql}{link} (VALUES %s) k (s, m) WHERE f.symbol = k.s AND f.made_at = k.m",
                    [row[:2] for row in rows],
                )
                kind = "extra" if number == 0 else "different"
                self.broken |= {("forecasts", symbol, "15m", str(ms)): kind for symbol, _, ms in rows}
            orders = self._sample("SELECT customer, order_id FROM quiet_orders", part)
            execute_values(
                cursor,
                "UPDATE quiet_orders q SET note = 'changed', tags = '{}' FROM (VALUES %s) k (c, o)"
                " WHERE q.customer = k.c AND q.order_id = k.o",
                orders,
            )
            self.broken |= {("quiet_orders", customer, str(number)): "different" for customer, number in orders}
            new = [(f"left out {number}", number) for number in range(part)]
            execute_values(
                cursor,
                "INSERT INTO quiet_orders (customer, order_id, quantity, placed_at) VALUES %s",
                new,
                "(%s, %s, 1, '2026-02-01Z')",
            )
            self.broken |= {("quiet_orders", customer, str(number)): "missing" for customer, number in new}
            connection.commit()
            cursor.execute("ALTER PUBLICATION crypto_publication ADD TABLE forecasts, quiet_orders")


def reported(differences: list[dict]) -> Iterator[tuple[Key, str]]:
    """The rows of reconcile.py's JSON in the same form."""
    for each in differences:
        yield (each["table"], *map(plain, each["key"].values())), each["kind"]


def plain(value: object) -> str:
    """Times as ms since 1970."""
    text = str(value)
    return str(iso_to_ms(text)) if text.endswith("Z") and "T" in text else text
