"""A day of rows that come through the whole pipeline and do not change afterwards: trades, candles,
forecasts, and a table of a user's. Knows PostgreSQL."""

from dataclasses import dataclass

from tests.support.chain.chain_world import ChainWorld
from tests.support.waiting import wait_until

SYMBOLS = 12
MINUTES = 23 * 60
ORDERS_TABLE = """
    CREATE TABLE IF NOT EXISTS quiet_orders (
        customer text NOT NULL, order_id bigint NOT NULL, quantity integer NOT NULL, unit_price numeric(12, 4),
        tags text[], placed_at timestamptz(3) NOT NULL, note text, PRIMARY KEY (customer, order_id))
"""
NO_TRIGGERS = "SET session_replication_role = replica"  # those of the fault suite, which records what was committed
SYMBOL = "'Q' || lpad((n % {symbols})::text, 2, '0') || 'USDT'"
START = "date_trunc('minute', now() - interval '23 hours')"
TRADES = f"""
    INSERT INTO recent_trades
    SELECT {SYMBOL}, n, {START} + (n::float8 / {{rows}}) * interval '22 hours 59 minutes', 100 + (n % 977) / 100.0,
           (1 + n % 501) / 1000.0, (100 + (n % 977) / 100.0) * (1 + n % 501) / 1000.0, n % 2 = 0, n, n
    FROM generate_series({{first}}, {{last}}) n
"""
CANDLES = f"""
    INSERT INTO klines
    SELECT {SYMBOL}, '1m', {START} + (n / {{symbols}}) * interval '1 minute', 1.5, 2.25, 1.125, 1 + n / 1e6, n,
           {START} + (n / {{symbols}} + 1) * interval '1 minute' - interval '1 ms', n * 1.5, n, n / 2.0, n / 3.0, true
    FROM generate_series(0, {{rows}} - 1) n
"""
FORECASTS = f"""
    INSERT INTO forecasts (symbol, horizon, made_at, closes_at, model, price, volatility, lower_price, upper_price)
    SELECT {SYMBOL}, '15m', {START} + (n / {{symbols}}) * interval '1 minute',
           {START} + (n / {{symbols}} + 15) * interval '1 minute', 'ewma', 100 + n / 1e4, n / 1e7, 99, 101.5
    FROM generate_series(0, {{rows}} - 1) n
"""
ORDERS = """
    INSERT INTO quiet_orders
    SELECT 'customer ' || n % 1000, n, n % 7, n / 7.0, CASE n % 3 WHEN 0 THEN ARRAY['new', 'größer'] END,
           '2026-01-15 10:00Z'::timestamptz + n * interval '1 second', CASE WHEN n % 5 > 0 THEN 'note ' || n END
    FROM generate_series(1, {rows}) n
"""
ROWS_PER_STATEMENT = 50_000


@dataclass(frozen=True, slots=True)
class QuietRows:
    """How many of each."""

    trades: int
    candles: int
    forecasts: int
    orders: int

    @property
    def total(self) -> int:
        return self.trades + self.candles + self.forecasts + self.orders

    def fill(self, world: ChainWorld, timeout_seconds: float = 600) -> None:
        """Returns when Cassandra has them. The table is mirrored first: its snapshot would wait
        behind a million trades."""
        with world.connect() as connection, connection.cursor() as cursor:
            cursor.execute(ORDERS_TABLE)
            cursor.execute(ORDERS.format(rows=self.orders))
        world.mirror("quiet_orders")
        with world.connect() as connection, connection.cursor() as cursor:
            cursor.execute(NO_TRIGGERS)
            cursor.execute("SELECT create_trade_day(current_date - ago) FROM generate_series(0, 1) ago")
            cursor.execute(CANDLES.format(rows=self.candles, symbols=SYMBOLS))
            cursor.execute(FORECASTS.format(rows=self.forecasts, symbols=SYMBOLS))
            for first in range(0, self.trades, ROWS_PER_STATEMENT):
                last = min(first + ROWS_PER_STATEMENT, self.trades) - 1
                cursor.execute(TRADES.format(rows=self.trades, first=first, last=last, symbols=SYMBOLS))
                connection.commit()
        consumer = world.programs["consumer"]

        def stored() -> object:
            records = consumer.metric("consumer_records_total", table="recent_trades")
            return records >= self.trades or records

        wait_until(stored, timeout_seconds, f"{self.trades} trades in Cassandra")
        wait_until(lambda: world.lag_records() == 0 or world.lag_records(), 60, "all offsets committed")
