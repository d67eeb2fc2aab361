"""The consumer's guarantees, tested with real PostgreSQL, Debezium, Kafka and Cassandra. Each test
has rows of its own."""

import itertools
import json
from collections.abc import Callable, Iterator

import pytest
from cassandra.cluster import Session
from kafka import KafkaConsumer, KafkaProducer

from local.stack import Stack
from pipeline import cassandra_session
from pipeline.settings import Settings
from tests.integration.poison import POISON
from tests.support.program import Program
from tests.support.restarts import start_cassandra
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("consumer")


@pytest.fixture(scope="session")
def admin(settings: Settings) -> Iterator[Session]:
    """Cassandra's superuser, for changes of the schema."""
    password, keyspace = settings.CASSANDRA_ADMIN_PASSWORD, settings.CASSANDRA_KEYSPACE
    session = cassandra_session.login(settings, "cassandra", password, keyspace=keyspace)
    yield session
    session.cluster.shutdown()


@pytest.fixture(scope="session")
def kafka_producer(settings: Settings) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
    yield producer
    producer.close()


def sql(postgres, statement: str, *values: object) -> list[tuple]:
    with postgres.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def one(reader: Session, query: str, *values: object) -> dict | None:
    return reader.execute(query, values).one()


def insert_candle(postgres, symbol: str, close: float, closed: bool = False, minute: int = 0) -> None:
    sql(
        postgres,
        "INSERT INTO klines VALUES (%s, '1m', timestamptz '2026-01-01 00:00Z' + %s * interval '1 minute',"
        " 1, 9, 1, %s, 5, '2026-01-01 00:00:59.999Z', 5, 7, 1, 1, %s)"
        " ON CONFLICT (symbol, interval, open_time) DO UPDATE"
        " SET close_price = excluded.close_price, is_closed = excluded.is_closed, updated_at = now()",
        symbol,
        minute,
        close,
        closed,
    )


CANDLE = "SELECT close_price, is_closed FROM klines WHERE symbol = %s AND interval = '1m'"


def has_candle(reader: Session, symbol: str, close: float | None) -> Callable[[], object]:
    def check() -> object:
        row = one(reader, CANDLE, symbol)
        return (row["close_price"] if row else None) == close or row

    return check


def test_update_of_bids_alone_keeps_the_asks(postgres, reader) -> None:
    """The asks are TOASTed, so the WAL leaves them out of such an update."""
    levels = json.dumps([[f"{price}.123456789012", f"{price * 7}.987654321098"] for price in range(1000, 1100)])
    sql(postgres, "INSERT INTO order_book VALUES ('TOASTUSDT', 1, %s, %s)", levels, levels)
    sql(
        postgres,
        'UPDATE order_book SET bids = \'[["5", "6"]]\', last_update_id = 2, updated_at = now()'
        " WHERE symbol = 'TOASTUSDT'",
    )
    query = "SELECT last_update_id, bids, asks FROM order_book WHERE symbol = 'TOASTUSDT' AND hour = %s LIMIT 1"

    def newest() -> object:
        hours = reader.execute("SELECT hour FROM stored_hours WHERE table_name = 'order_book' AND symbol = 'TOASTUSDT'")
        rows = [row for hour in hours for row in reader.execute(query, (hour["hour"],))]
        return (bool(rows) and rows[0]["last_update_id"] == 2) or rows

    wait_until(newest, 30, "the second book")
    hour = one(reader, "SELECT hour FROM stored_hours WHERE table_name = 'order_book' AND symbol = 'TOASTUSDT'")["hour"]
    book = one(reader, query, hour)
    assert book["bids"] == [(5.0, 6.0)]
    assert len(book["asks"]) == 100
    assert book["asks"][0] == (1000.123456789012, 7000.987654321098)


def test_deleted_candle_disappears_and_can_come_back(postgres, reader) -> None:
    insert_candle(postgres, "DELUSDT", 3)
    wait_until(has_candle(reader, "DELUSDT", 3), 30, "the candle")
    sql(postgres, "DELETE FROM klines WHERE symbol = 'DELUSDT'")
    wait_until(has_candle(reader, "DELUSDT", None), 30, "no candle")
    insert_candle(postgres, "DELUSDT", 4)
    wait_until(has_candle(reader, "DELUSDT", 4), 30, "the candle again")


def test_deleted_price_leaves_market_now_and_stays_in_history(postgres, reader) -> None:
    sql(postgres, "INSERT INTO latest_prices VALUES ('GONEUSDT', 1.5)")
    now = "SELECT symbol, price FROM market_now WHERE quote_asset = 'USDT' AND symbol = 'GONEUSDT'"
    wait_until(lambda: one(reader, now) == {"symbol": "GONEUSDT", "price": 1.5} or one(reader, now), 30, "the price")
    sql(postgres, "DELETE FROM latest_prices WHERE symbol = 'GONEUSDT'")
    wait_until(lambda: one(reader, now) is None or one(reader, now), 30, "no row in market_now")
    assert one(reader, "SELECT price FROM latest_prices WHERE symbol = 'GONEUSDT'")["price"] == 1.5


def test_candle_deleted_and_written_again_in_one_transaction_is_there(postgres, reader) -> None:
    """Both changes have the same commit time, and with equal times a delete would win in
    Cassandra."""
    insert_candle(postgres, "SWAPUSDT", 1)
    with postgres.cursor() as cursor:
        cursor.execute(
            "BEGIN; DELETE FROM klines WHERE symbol = 'SWAPUSDT';"
            "INSERT INTO klines VALUES"
            " ('SWAPUSDT', '1m', '2026-01-01Z', 1, 1, 1, 2, 1, '2026-01-01Z', 1, 1, 1, 1, true); COMMIT"
        )
    wait_until(has_candle(reader, "SWAPUSDT", 2), 30, "the second candle")


def test_older_event_never_overwrites_newer_row(postgres, reader, settings, kafka_producer, consumer: Program) -> None:
    insert_candle(postgres, "OLDUSDT", 1)
    insert_candle(postgres, "OLDUSDT", 2)
    wait_until(has_candle(reader, "OLDUSDT", 2), 30, "the newer state")
    topic = f"{settings.TOPIC_PREFIX}.public.klines"
    first = next(e for e in events(settings, topic) if e["after"] and e["after"]["symbol"] == "OLDUSDT")
    read_before = consumer.metric("consumer_records_total", table="klines")
    kafka_producer.send(topic, key=b"x", value=json.dumps(first).encode()).get(timeout=10)
    wait_until(
        lambda: consumer.metric("consumer_records_total", table="klines") > read_before, 30, "the old event read"
    )
    assert one(reader, CANDLE, "OLDUSDT")["close_price"] == 2


def events(settings: Settings, topic: str) -> Iterator[dict]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS),
        auto_offset_reset="earliest",
        consumer_timeout_ms=5000,
    )
    try:
        for record in consumer:
            yield json.loads(record.value)
    finally:
        consumer.close()


def test_unwritable_records_become_dead_letters_and_the_stream_goes_on(
    postgres, reader, settings, kafka_producer
) -> None:
    topic = f"{settings.TOPIC_PREFIX}.public.klines"
    insert_candle(postgres, "BEFOREUSDT", 1)
    wait_until(has_candle(reader, "BEFOREUSDT", 1), 30, "a candle before the bad records")
    for name, value in POISON.items():
        kafka_producer.send(topic, key=b"poison", value=value, partition=0, headers=[("case", name.encode())])
    kafka_producer.send(topic, key=b"poison", value=None, partition=0).get(timeout=10)  # a tombstone is not poison
    for minute in range(8):
        insert_candle(postgres, f"AFTER{minute}USDT", 1)
        wait_until(has_candle(reader, f"AFTER{minute}USDT", 1), 30, "a candle after the bad records")
    letters = {}
    consumer = KafkaConsumer(
        f"{settings.TOPIC_PREFIX}.dead_letters",
        bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS),
        auto_offset_reset="earliest",
        consumer_timeout_ms=5000,
    )
    for record in consumer:
        headers = {name: value.decode() for name, value in record.headers}
        if "case" in headers:  # other tests send bad records, too
            letters[headers["case"]] = (record.key, record.value, headers)
        if len(letters) == len(POISON):
            break
    consumer.close()
    assert {name: value for name, (_, value, _) in letters.items()} == POISON
    for key, _, headers in letters.values():
        assert key == b"poison"
        assert headers["dead_letter.topic"] == topic
        assert headers["dead_letter.partition"] == "0"
        assert headers["dead_letter.offset"].isdigit()
        assert headers["dead_letter.reason"]


def test_new_column_is_ignored_until_cassandra_has_it_then_filled(postgres, reader, admin, consumer: Program) -> None:
    sql(postgres, "ALTER TABLE latest_prices ADD COLUMN venue text")
    try:
        sql(postgres, "INSERT INTO latest_prices VALUES ('COL1USDT', 1, now(), 'spot')")
        price = "SELECT price FROM latest_prices WHERE symbol = %s"
        wait_until(lambda: one(reader, price, "COL1USDT") == {"price": 1.0}, 30, "the row without the new column")
        assert consumer.metric("consumer_unknown_columns_total", table="latest_prices", column="venue") >= 1
        admin.execute("ALTER TABLE latest_prices ADD venue text")
        venue, numbers = "SELECT venue FROM latest_prices WHERE symbol = %s", itertools.count()

        def next_row_has_it() -> object:
            """The consumer is notified of the column a moment after the ALTER, and fills it from
            then on."""
            symbol = f"COL2N{next(numbers)}USDT"
            sql(postgres, "INSERT INTO latest_prices VALUES (%s, 2, now(), 'spot')", symbol)
            wait_until(lambda: one(reader, price, symbol) == {"price": 2.0}, 30, "a row")
            return one(reader, venue, symbol) == {"venue": "spot"} or symbol

        wait_until(next_row_has_it, 30, "a row with the new column")
    finally:
        sql(postgres, "ALTER TABLE latest_prices DROP COLUMN IF EXISTS venue")
    sql(postgres, "INSERT INTO latest_prices VALUES ('COL3USDT', 3)")
    wait_until(lambda: one(reader, venue, "COL3USDT") == {"venue": None}, 30, "a row without the dropped column")


def test_new_table_is_mirrored_without_code(postgres, reader, admin) -> None:
    sql(postgres, "CREATE TABLE notes (id int PRIMARY KEY, body text, stars numeric, day date, tags jsonb)")
    sql(postgres, "ALTER PUBLICATION crypto_publication ADD TABLE notes")
    sql(postgres, "INSERT INTO notes VALUES (1, 'first', 4.5, '2026-01-02', '{\"a\": 1}')")
    admin.execute("CREATE TABLE notes (id int PRIMARY KEY, body text, stars decimal, tags text)")
    query = "SELECT body, stars, tags FROM notes WHERE id = 1"
    wait_until(lambda: one(reader, query) is not None, 60, "the note, written before Cassandra had the table")
    assert (str(one(reader, query)["stars"]), one(reader, query)["tags"]) == ("4.5", '{"a": 1}')
    sql(postgres, "UPDATE notes SET body = NULL WHERE id = 1")
    wait_until(lambda: one(reader, query)["body"] is None, 30, "the body cleared")
    sql(postgres, "DELETE FROM notes WHERE id = 1")
    wait_until(lambda: one(reader, query) is None, 30, "the note deleted")


def test_outage_of_cassandra_loses_nothing_and_makes_no_dead_letter(
    stack: Stack, postgres, reader, admin, consumer: Program
) -> None:
    letters = consumer.metric("consumer_dead_letters_total")
    insert_candle(postgres, "OUT0USDT", 1)
    wait_until(has_candle(reader, "OUT0USDT", 1), 30, "a candle before")
    stack.kill("cassandra", 9)
    for number in range(50):
        insert_candle(postgres, f"OUT{number}USDT", 2)
    wait_until(lambda: consumer.metric("consumer_store_retries_total") > 2, 60, "retries")
    start_cassandra(stack, reader, admin)
    for number in range(50):
        wait_until(has_candle(reader, f"OUT{number}USDT", 2), 60, "the candles of the outage")
    assert consumer.metric("consumer_dead_letters_total") == letters
    wait_until(consumer.healthy, 30, "the consumer's health")


def test_killed_consumers_lose_nothing(postgres, reader, start: Callable[..., Program], settings) -> None:
    """Two more members join and one of them is killed while it works: the others write what it had
    not committed."""
    with start("consumer_to_cassandra.py") as first, start("consumer_to_cassandra.py") as second:
        for other in (first, second):
            wait_until(other.healthy, 60, "health")
        sql(
            postgres,
            "INSERT INTO latest_prices SELECT 'KILL' || n || 'USDT', n FROM generate_series(1, 20000) n",
        )
        wait_until(
            lambda: sum(p.metric("consumer_records_total", table="latest_prices") for p in (first, second)) > 500,
            60,
            "records in the new members",
        )
        first.kill()
        query = "SELECT symbol, price FROM market_now WHERE quote_asset = 'USDT'"

        def all_there() -> object:
            found = {row["symbol"]: row["price"] for row in reader.execute(query) if row["symbol"].startswith("KILL")}
            return found == {f"KILL{n}USDT": float(n) for n in range(1, 20001)} or len(found)

        wait_until(all_there, 120, "all 20,000 prices")
    sql(postgres, "DELETE FROM latest_prices WHERE symbol LIKE 'KILL%'")


def test_dead_letters_are_listed_and_written_after_the_cause_is_fixed(postgres, reader, admin, start) -> None:
    sql(postgres, "CREATE TABLE fixes (id int PRIMARY KEY, body text)")
    sql(postgres, "ALTER PUBLICATION crypto_publication ADD TABLE fixes")
    admin.execute("CREATE TABLE fixes (id int PRIMARY KEY, body int)")
    sql(postgres, "INSERT INTO fixes VALUES (1, '7'), (2, 'not a number')")
    wait_until(lambda: one(reader, "SELECT body FROM fixes WHERE id = 1") is not None, 60, "the row that fits")
    run = start("consumer_to_cassandra.py", "--list-dead-letters")
    assert run.process.wait(60) == 0
    line = next(line for line in run.output().splitlines() if "crypto.public.fixes" in line)
    assert "fixes.body='not a number'" in line

    admin.execute("DROP TABLE fixes")
    admin.execute("CREATE TABLE fixes (id int PRIMARY KEY, body text)")
    run = start("consumer_to_cassandra.py", "--replay-dead-letters")
    run.process.wait(60)
    assert one(reader, "SELECT body FROM fixes WHERE id = 2") == {"body": "not a number"}
    written, refused = [int(part.split()[0]) for part in run.output().splitlines()[-1].split(", ")]
    assert written == 1
    assert run.process.returncode == (1 if refused else 0)
    again = start("consumer_to_cassandra.py", "--list-dead-letters")
    assert again.process.wait(60) == 0
    assert "fixes" not in again.output()
