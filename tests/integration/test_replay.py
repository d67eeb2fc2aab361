"""Recorded market data through the whole chain: in the end, Cassandra contains the recording, row
by row."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
import requests
from kafka import KafkaConsumer, TopicPartition

from local.ports import free_ports
from pipeline.settings import Settings
from pipeline.times import DAY_MS, HOUR_MS, datetime_to_ms, now_ms
from tests.support.program import ROOT, Program
from tests.support.waiting import wait_until

RECORDED = ROOT / "examples" / "replay"
CANDLE_SYMBOLS, TRADE_SYMBOL, BOOK_SYMBOL = ("ALGOUSDT", "AVAXUSDT"), "XRPETH", "NKNUSDT"
# Enough for the longest recording (two days) to lie completely in the past.
REPLAY_DAYS = 4


@dataclass(frozen=True)
class Replay:
    """`candles[symbol]` and `trades` are the recorded rows, with their times shifted as the
    simulator shifts them."""

    start: Callable[..., Program]
    simulator_url: str
    candles: dict[str, list[list[str]]]
    trades: list[list[str]]

    def producer(self) -> Program:
        symbols = ",".join((*CANDLE_SYMBOLS, TRADE_SYMBOL, BOOK_SYMBOL))
        return self.start(
            "producer_binance.py",
            BINANCE_BASE_URL=self.simulator_url,
            SYMBOLS=symbols,
            KLINE_INTERVALS="1m",
            TRADES_BACKFILL="7d",
            KLINES_BACKFILL="7d",
            TRADES_RETENTION_DAYS="9",
        )


def recorded(pattern: str) -> list[list[str]]:
    return [row for file in sorted(RECORDED.glob(pattern)) for row in csv.reader(file.open())]


def shifted(rows: list[list[str]], columns: tuple[int, ...], shift_ms: int) -> list[list[str]]:
    return [[str(int(cell) + shift_ms) if i in columns else cell for i, cell in enumerate(row)] for row in rows]


@pytest.fixture(scope="module")
def replay(start: Callable[..., Program], consumer: Program, reader) -> Iterator[Replay]:
    port = free_ports(1)[0]
    begin_ms = now_ms() // DAY_MS * DAY_MS - REPLAY_DAYS * DAY_MS
    url = f"http://127.0.0.1:{port}"
    command = ("-m", "simulator", "--port", str(port), "--replay", str(RECORDED), "--replay-start", str(begin_ms))
    with start(*command) as simulator:
        wait_until(lambda: requests.get(f"{url}/api/v3/ping", timeout=1).ok, 20, f"the simulator; {simulator.log}")
        recordings = requests.get(f"{url}/sim/replay", timeout=5).json()
        shift_ms = {symbol: recording["shift_ms"] for symbol, recording in recordings.items()}
        candles = {s: shifted(recorded(f"{s}-1m-*.csv"), (0, 6), shift_ms[s]) for s in CANDLE_SYMBOLS}
        trades = shifted(recorded(f"{TRADE_SYMBOL}-aggTrades-*.csv"), (5,), shift_ms[TRADE_SYMBOL])
        replay = Replay(start, url, candles, trades)
        with replay.producer():
            wait_until(lambda: all_arrived(reader, replay), 180, "all recorded rows in Cassandra")
        yield replay


def all_arrived(reader, replay: Replay) -> object:
    """For wait_until: True when all recorded rows are in Cassandra, else their numbers."""
    counts = {symbol: len(stored_candles(reader, symbol)) for symbol in CANDLE_SYMBOLS}
    counts[TRADE_SYMBOL] = len(stored_trades(reader, replay))
    counts[BOOK_SYMBOL] = reader.execute(
        "SELECT count(*) AS hours FROM stored_hours WHERE table_name = 'order_book' AND symbol = %s", (BOOK_SYMBOL,)
    ).one()["hours"]
    expected = {symbol: len(rows) for symbol, rows in replay.candles.items()}
    expected |= {TRADE_SYMBOL: len(replay.trades), BOOK_SYMBOL: 1}
    return counts == expected or counts


def stored_candles(reader, symbol: str) -> list[dict]:
    query = (
        f"SELECT {KLINE_COLUMNS}, writetime(close_price) AS version FROM klines WHERE symbol = %s AND interval = '1m'"
    )
    return list(reader.execute(f"{query} ORDER BY open_time ASC", (symbol,)))


def stored_trades(reader, replay: Replay) -> list[dict]:
    hours = sorted({int(row[5]) // HOUR_MS * HOUR_MS for row in replay.trades})
    query = f"SELECT {TRADE_COLUMNS}, writetime(price) AS version FROM recent_trades WHERE symbol = %s AND hour = %s"
    rows = [row for hour in hours for row in reader.execute(query, (TRADE_SYMBOL, hour))]
    return sorted(rows, key=lambda row: row["trade_id"])


KLINE_COLUMNS = (
    "open_time, open_price, high_price, low_price, close_price, volume, close_time, quote_volume, number_of_trades, "
    "taker_buy_volume, taker_buy_quote_volume, is_closed"
)
TRADE_COLUMNS = "trade_id, price, quantity, first_trade_id, last_trade_id, trade_time, is_buyer_maker, quote_quantity"


def candle_as_recorded(row: dict, number: type) -> list:
    """The stored candle in the column order of the file, without the unused last column."""
    numbers = ("open_price", "high_price", "low_price", "close_price", "volume")
    return [
        datetime_to_ms(row["open_time"]),
        *(number(row[name]) for name in numbers),
        datetime_to_ms(row["close_time"]),
        number(row["quote_volume"]),
        row["number_of_trades"],
        number(row["taker_buy_volume"]),
        number(row["taker_buy_quote_volume"]),
    ]


def candle_in_file(row: list[str], number: type) -> list:
    return [int(row[0]), *map(number, row[1:6]), int(row[6]), number(row[7]), int(row[8]), *map(number, row[9:11])]


def trade_as_recorded(row: dict, number: type) -> list:
    return [
        row["trade_id"],
        number(row["price"]),
        number(row["quantity"]),
        row["first_trade_id"],
        row["last_trade_id"],
        datetime_to_ms(row["trade_time"]),
        row["is_buyer_maker"],
    ]


def trade_in_file(row: list[str], number: type) -> list:
    return [int(row[0]), number(row[1]), number(row[2]), int(row[3]), int(row[4]), int(row[5]), row[6] == "True"]


@pytest.mark.parametrize("symbol", CANDLE_SYMBOLS)
def test_every_recorded_candle_is_in_cassandra_as_recorded(replay: Replay, reader, symbol: str) -> None:
    stored = stored_candles(reader, symbol)
    assert len(replay.candles[symbol]) == 2880
    assert [candle_as_recorded(row, float) for row in stored] == [
        candle_in_file(r, float) for r in replay.candles[symbol]
    ]
    assert all(row["is_closed"] for row in stored)


def test_every_recorded_trade_is_in_cassandra_once_and_as_recorded(replay: Replay, reader) -> None:
    assert len(replay.trades) == 3000
    stored = stored_trades(reader, replay)
    assert [trade_as_recorded(row, float) for row in stored] == [trade_in_file(row, float) for row in replay.trades]


def test_postgres_holds_recorded_numbers_exactly(replay: Replay, postgres) -> None:
    with postgres.cursor() as cursor:
        cursor.execute(
            f"SELECT {TRADE_COLUMNS} FROM recent_trades WHERE symbol = %s ORDER BY trade_id", (TRADE_SYMBOL,)
        )
        names = [column.name for column in cursor.description]
        stored = [dict(zip(names, row)) for row in cursor.fetchall()]
    assert [trade_as_recorded(row, Decimal) for row in stored] == [trade_in_file(row, Decimal) for row in replay.trades]
    assert all(row["quote_quantity"] == row["price"] * row["quantity"] for row in stored)


def test_recorded_book_reaches_cassandra_with_derived_values(replay: Replay, api: str) -> None:
    book = requests.get(f"{api}/order_book", {"symbol": BOOK_SYMBOL}, timeout=5).json()[-1]
    assert book["bids"][0] == [0.3521, 672.0]
    assert (book["best_bid"], book["best_ask"], len(book["bids"])) == (0.3521, 0.3525, 20)
    assert book["spread"] == pytest.approx(0.0004)


def test_api_pages_through_all_recorded_trades(replay: Replay, api: str) -> None:
    collected: list[tuple[int, int]] = []
    begin = int(replay.trades[0][5])
    while len(collected) < 3000:
        page = requests.get(
            f"{api}/recent_trades", {"symbol": "xrpeth", "from": begin, "limit": 1000}, timeout=10
        ).json()
        new = [row for row in page if not collected or (row["trade_time"], row["trade_id"]) > collected[-1]]
        assert new, f"no page after {len(collected)} trades"
        collected += [(row["trade_time"], row["trade_id"]) for row in new]
        begin = collected[-1][0]
    assert collected == [(int(row[5]), int(row[0])) for row in replay.trades]


def test_symbols_show_that_the_data_is_a_replay(replay: Replay, api: str) -> None:
    def named() -> object:
        """The source has a topic of its own, which is followed seconds after its first row."""
        rows = requests.get(f"{api}/symbols", timeout=5).json()
        return {row["source"] for row in rows} == {replay_name} or rows[:2]

    replay_name = requests.get(replay.simulator_url + "/api/v3/ping", timeout=5).headers["X-Data-Source"]
    assert "replay" in replay_name
    wait_until(named, 30, "the source of every symbol")
    rows = requests.get(f"{api}/symbols", timeout=5).json()
    assert {row["symbol"] for row in rows if row["tracked"]} >= {*CANDLE_SYMBOLS, TRADE_SYMBOL, BOOK_SYMBOL}


def test_second_run_of_the_same_replay_changes_nothing(replay: Replay, postgres, reader, settings: Settings) -> None:
    """The producer has lost its positions and fetches everything again: no change event, no
    changed row."""
    before, offsets = all_stored(reader, replay), end_offsets(settings)
    with postgres.cursor() as cursor:
        cursor.execute("TRUNCATE trade_positions")
    with replay.producer() as producer:
        wait_until(
            lambda: (
                producer.metric("producer_rows_unchanged_total", table="recent_trades") >= 3000
                or producer.output()[-2000:]
            ),
            60,
            "the trades fetched again",
        )
    assert end_offsets(settings) == offsets
    assert all_stored(reader, replay) == before


def test_consuming_all_events_again_changes_nothing(replay: Replay, start, reader, settings: Settings) -> None:
    """A new consumer group reads all events from the first one on: same rows, same versions."""
    before, events = all_stored(reader, replay), sum(end_offsets(settings).values())
    with start(
        "consumer_to_cassandra.py", "--tables", "klines,recent_trades,order_book", CONSUMER_GROUP="again"
    ) as second:
        wait_until(
            lambda: second.metric("consumer_records_total") >= events or second.output()[-2000:], 60, "all events"
        )
    assert all_stored(reader, replay) == before


def all_stored(reader, replay: Replay) -> list[dict]:
    candles = [row for symbol in CANDLE_SYMBOLS for row in stored_candles(reader, symbol)]
    return candles + stored_trades(reader, replay)


def end_offsets(settings: Settings) -> dict[TopicPartition, int]:
    """The number of change events of candles, trades and order books, per Kafka partition."""
    consumer = KafkaConsumer(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
    try:
        topics = [f"{settings.TOPIC_PREFIX}.public.{table}" for table in ("klines", "recent_trades", "order_book")]
        partitions = [
            TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)
        ]
        return consumer.end_offsets(partitions)
    finally:
        consumer.close()
