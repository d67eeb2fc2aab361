"""What gets from PostgreSQL into Kafka: exactly the tables of the publication, whole rows, and a
stream that no table, row or topic can stop."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
import requests
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import UnknownTopicOrPartitionError

from debezium.register import CONFIG_FILE, CONNECTOR
from debezium.slot import SLOT
from pipeline.schema import apply_postgres
from pipeline.settings import Settings
from tests.support.program import ROOT, Program
from tests.support.waiting import wait_until

Sql = Callable[..., list[tuple]]
ADD = "ALTER PUBLICATION crypto_publication ADD TABLE "
LIMIT_BYTES = int(json.loads(CONFIG_FILE.read_text(encoding="utf-8"))["producer.override.max.request.size"])


@pytest.fixture(scope="module")
def sql(postgres: psycopg2.extensions.connection) -> Sql:
    """Runs one statement as superuser and returns its rows."""

    def run(statement: str, *values: object) -> list[tuple]:
        with postgres.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    return run


class KafkaReader:
    """What the topics of tables hold. One connection for all tests of this file."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = f"{settings.TOPIC_PREFIX}.public."
        self._consumer = KafkaConsumer(
            bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS),
            max_partition_fetch_bytes=2 * LIMIT_BYTES,
            metadata_max_age_ms=500,
        )

    def tables(self) -> set[str]:
        return {name.removeprefix(self._prefix) for name in self._consumer.topics() if name.startswith(self._prefix)}

    def values(self, table: str) -> list[dict[str, Any]]:
        """The envelopes of a table's topic; empty when there is none."""
        topic = self._prefix + table
        try:
            if table not in self.tables():
                return []
        except UnknownTopicOrPartitionError:  # is just being deleted
            return []
        places = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)
        ends = self._consumer.end_offsets(places)
        found: list[dict[str, Any]] = []
        while any(self._consumer.position(place) < ends[place] for place in places):
            for records in self._consumer.poll(500).values():
                found += [json.loads(record.value) for record in records]
        return found

    def ids(self, table: str) -> list[int]:
        """The `id` of each new row that arrived, once per record."""
        return sorted(value["after"]["id"] for value in self.values(table) if value["after"])

    def has_ids(self, table: str, *expected: int) -> object:
        """For tests with a restart, which may send a record twice."""
        return set(self.ids(table)) == set(expected) or self.ids(table)

    def close(self) -> None:
        self._consumer.close()


@pytest.fixture(scope="module")
def kafka(settings: Settings) -> Iterator[KafkaReader]:
    reader = KafkaReader(settings)
    yield reader
    reader.close()


@pytest.fixture
def table(sql: Sql) -> Iterator[Callable[..., str]]:
    """`table("orders", "v text")`: a table with an integer key `id`, dropped after the test."""
    made: list[str] = []

    def make(name: str, *columns: str, options: str = "") -> str:
        sql(f"CREATE TABLE {name} (id int PRIMARY KEY, {', '.join(columns)}) {options}")
        made.append(name)
        return name

    yield make
    for name in made:
        sql(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def guard(start: Callable[..., Program]) -> Iterator[Program]:
    with start("-m", "debezium.guard") as program:
        wait_until(program.healthy, 90, "the guard's health")
        yield program


def refused(sql: Sql, statement: str) -> psycopg2.Error:
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState) as caught:
        sql(statement)
    assert caught.value.diag.message_hint
    return caught.value


# What the publication refuses


@pytest.mark.parametrize("name", ['"Mixed Case"', '"b$orders"', '"dots.in.it"', '"größe"', "x" * 49, "market_now"])
def test_name_that_cannot_be_mirrored_is_refused_with_the_remedy(sql: Sql, table, name: str) -> None:
    table(name, "v text")
    error = refused(sql, ADD + name)
    assert "its name" in str(error)
    assert "RENAME TO" in error.diag.message_hint


@pytest.mark.parametrize(
    "name", ["trade_positions_by_desk", "recent_trades_daily", '"select"', '"Orders"', "exchange_ban_list", "_x9"]
)
def test_name_that_looks_unusual_is_captured(sql: Sql, table, kafka: KafkaReader, name: str) -> None:
    sql(ADD + table(name, '"order" text'))
    sql(f"INSERT INTO {name} VALUES (1, 'a')")
    wait_until(lambda: kafka.ids(name.strip('"')) == [1], 30, f"the row of {name}")
    [value] = kafka.values(name.strip('"'))
    assert value["source"]["table"] == name.strip('"')
    assert value["after"] == {"id": 1, "order": "a"}


def test_renaming_a_captured_table_to_such_a_name_is_refused(sql: Sql, table) -> None:
    sql(ADD + table("renamed", "v text"))
    refused(sql, 'ALTER TABLE renamed RENAME TO "re named"')


def test_identity_without_the_primary_key_is_refused_when_it_is_published(sql: Sql, table) -> None:
    table("by_email", "email text NOT NULL UNIQUE")
    sql("ALTER TABLE by_email REPLICA IDENTITY USING INDEX by_email_email_key")
    error = refused(sql, ADD + "by_email")
    assert "which row it was" in str(error)
    assert "REPLICA IDENTITY FULL" in error.diag.message_hint


@pytest.mark.parametrize("identity", ["USING INDEX captured_email_key", "NOTHING"])
def test_identity_without_the_primary_key_is_refused_afterwards(sql: Sql, table, identity: str) -> None:
    sql(ADD + table("captured", "email text NOT NULL UNIQUE"))
    refused(sql, f"ALTER TABLE captured REPLICA IDENTITY {identity}")
    sql("ALTER TABLE captured REPLICA IDENTITY FULL")
    sql("ALTER TABLE captured REPLICA IDENTITY DEFAULT")


def test_identity_with_more_than_the_primary_key_is_fine(sql: Sql, table) -> None:
    table("wide_key", "email text NOT NULL", "UNIQUE (email, id)")
    sql("ALTER TABLE wide_key REPLICA IDENTITY USING INDEX wide_key_email_id_key")
    sql(ADD + "wide_key")


def test_table_without_a_key_is_refused_unless_it_sends_whole_rows(sql: Sql, table) -> None:
    table("keyless", "v text")
    sql("ALTER TABLE keyless DROP CONSTRAINT keyless_pkey")
    assert "no primary key" in str(refused(sql, ADD + "keyless"))
    sql("ALTER TABLE keyless REPLICA IDENTITY FULL")
    sql(ADD + "keyless")


def test_primary_key_of_a_captured_table_can_be_replaced_in_two_commands(sql: Sql, table) -> None:
    sql(ADD + table("rekeyed", "v text"))
    sql("ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey")
    sql("ALTER TABLE rekeyed ADD PRIMARY KEY (id)")


def test_identity_of_a_partition_is_refused_like_that_of_its_table(sql: Sql, table) -> None:
    sql(ADD + table("parted", "v text", options="PARTITION BY RANGE (id)"))
    sql("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)")
    refused(sql, "ALTER TABLE parted_1 REPLICA IDENTITY NOTHING")


@pytest.mark.parametrize("part", ["(id)", "WHERE (id > 3)"])
def test_part_of_a_table_is_refused_because_a_snapshot_reads_all_of_it(sql: Sql, table, part: str) -> None:
    table("in_part", "v text")
    refused(sql, f"{ADD} in_part {part}")


def test_table_of_another_schema_is_refused(sql: Sql) -> None:
    sql("CREATE SCHEMA elsewhere")
    sql("CREATE TABLE elsewhere.things (id int PRIMARY KEY)")
    try:
        assert "SET SCHEMA public" in refused(sql, ADD + "elsewhere.things").diag.message_hint
    finally:
        sql("DROP SCHEMA elsewhere CASCADE")


def test_tables_that_are_not_captured_are_never_refused(sql: Sql, table) -> None:
    table('"free $ name"', "a numeric[]")
    sql('ALTER TABLE "free $ name" REPLICA IDENTITY NOTHING')
    sql('CREATE PUBLICATION another_publication FOR TABLE "free $ name"')
    sql("DROP PUBLICATION another_publication")


def test_days_of_trades_can_be_added_whatever_the_publication_says(sql: Sql) -> None:
    settings = "publish_via_partition_root"
    sql(f"ALTER PUBLICATION crypto_publication SET ({settings} = false)")
    try:
        sql("SELECT create_trade_day('2031-01-01')")
    finally:
        sql(f"ALTER PUBLICATION crypto_publication SET ({settings} = true)")


def test_debezium_may_read_what_is_published(sql: Sql, table) -> None:
    table("granted", "v text")
    sql("REVOKE ALL ON granted FROM crypto_debezium")
    sql(ADD + "granted")
    assert sql("SELECT has_table_privilege('crypto_debezium', 'granted', 'SELECT')") == [(True,)]


def test_schema_without_the_right_to_create_event_triggers_only_warns(sql: Sql, settings: Settings, postgres) -> None:
    """As on a managed PostgreSQL."""
    text = (ROOT / "sql" / "060_captured_tables.sql").read_text(encoding="utf-8")
    attempt = text[text.rindex("DO $$") :]
    sql("CREATE ROLE manager LOGIN")
    try:
        sql("DROP EVENT TRIGGER crypto_captured_tables")
        sql("SET ROLE manager")
        del postgres.notices[:]
        sql(attempt)
        assert any("may not create one" in notice for notice in postgres.notices)
    finally:
        sql("RESET ROLE")
        sql("DROP ROLE manager")
        apply_postgres(settings, 10)
    assert sql("SELECT count(*) FROM pg_event_trigger WHERE evtname = 'crypto_captured_tables'") == [(1,)]


# What a snapshot reads


def lose_slot(sql: Sql, settings: Settings) -> None:
    """As after an outage of days: the connector has offsets, and its slot is gone."""
    url = f"{settings.CONNECT_URL}/connectors/{CONNECTOR}"
    requests.put(f"{url}/stop", timeout=30)
    wait_until(lambda: not requests.get(f"{url}/status", timeout=10).json()["tasks"], 60, "a stopped connector")
    wait_until(
        lambda: sql("SELECT active FROM pg_replication_slots WHERE slot_name = %s", SLOT) == [(False,)],
        30,
        "a free slot",
    )
    sql("SELECT pg_drop_replication_slot(%s)", SLOT)


def test_snapshot_after_a_lost_slot_reads_the_publication_and_nothing_else(
    start, settings: Settings, sql: Sql, table, kafka: KafkaReader
) -> None:
    """Beside captured tables: one that is not captured, one of the same name in other letters, one
    that is neither captured nor readable, and one that is captured, but unreadable."""
    for name in ("shared", "uncaptured", '"Shared"', "private", "unreadable"):
        table(name, "v text")
        sql(f"INSERT INTO {name} VALUES (1, 'before')")
    table("meas", "v text", options="PARTITION BY RANGE (id)")
    sql("CREATE TABLE meas_low PARTITION OF meas FOR VALUES FROM (0) TO (10)")
    sql("CREATE TABLE meas_high PARTITION OF meas FOR VALUES FROM (10) TO (20)")
    sql("INSERT INTO meas VALUES (1, 'low'), (11, 'high')")
    sql(ADD + "shared, meas, unreadable")
    sql("REVOKE ALL ON private, unreadable FROM crypto_debezium")
    lose_slot(sql, settings)
    with start("-m", "debezium.guard") as guard:
        wait_until(lambda: kafka.ids("meas") == [1, 11], 120, "each row of the partitioned table once")
        wait_until(lambda: kafka.ids("shared") == [1], 30, "the row of the captured table")
        sql("INSERT INTO unreadable VALUES (2, 'after')")
        sql("INSERT INTO shared VALUES (2, 'after')")
        wait_until(lambda: kafka.ids("unreadable") == [2], 30, "the stream of the table that cannot be read")
        wait_until(lambda: kafka.ids("shared") == [1, 2], 30, "the stream of the others")
        assert {"uncaptured", "private", "Shared", "meas_low", "meas_high"}.isdisjoint(kafka.tables())
        grant = "GRANT SELECT ON public.unreadable TO crypto_debezium"
        wait_until(lambda: grant in str(guard.healthy()), 30, "the grant")
        assert guard.metric("guard_capture_problems", kind="unreadable") == 1
        sql(grant)
        wait_until(guard.healthy, 60, "the guard's health")
        assert guard.metric("guard_capture_problems", kind="unreadable") == 0


def ask_for_snapshot(sql: Sql, *tables: str) -> None:
    data = json.dumps({"data-collections": list(tables), "type": "blocking"})
    sql("INSERT INTO debezium_signal VALUES (left(md5(random()::text), 8), 'execute-snapshot', %s)", data)


def test_snapshot_on_request_reads_the_rows_that_were_there_before(sql: Sql, table, kafka: KafkaReader) -> None:
    table("requested", "v text")
    sql("INSERT INTO requested VALUES (1, 'before')")
    sql(ADD + "requested")
    ask_for_snapshot(sql, "public.requested")
    wait_until(lambda: kafka.ids("requested") == [1], 60, "the row by snapshot")


def test_snapshot_that_takes_longer_than_the_silence_that_is_allowed_is_not_interrupted(
    guard: Program, settings: Settings, sql: Sql, table, kafka: KafkaReader
) -> None:
    """Debezium writes no heartbeat meanwhile, and a restart would lose the snapshot."""
    table("patient", "v text")
    sql("INSERT INTO patient VALUES (1, 'before')")
    sql(ADD + "patient")
    blocker = psycopg2.connect(
        host=settings.PGHOST,
        port=settings.PGPORT,
        dbname=settings.PGDATABASE,
        user="postgres",
        password=settings.POSTGRES_PASSWORD,
    )
    with closing(blocker), blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE patient IN ACCESS EXCLUSIVE MODE")
        ask_for_snapshot(sql, "public.patient")
        wait_until(lambda: guard.metric("guard_heartbeat_age_seconds") > 40, 90, "a long silence")
        assert guard.metric("guard_remedies_total") == 0
    wait_until(lambda: kafka.ids("patient") == [1], 30, "the row by snapshot")
    wait_until(guard.healthy, 60, "the guard's health")


def test_snapshot_that_would_fail_or_leak_is_refused_with_the_remedy(sql: Sql, table) -> None:
    table("not_captured", "v text")
    sql(ADD + table("not_granted", "v text"))
    sql("REVOKE ALL ON not_granted FROM crypto_debezium")
    tries = {
        "public.not_captured": "ADD TABLE public.not_captured",
        "public.not_granted": "GRANT SELECT ON public.not_granted TO crypto_debezium",
        "public.Klines": "in the right case",
    }
    for name, hint in tries.items():
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState) as caught:
            ask_for_snapshot(sql, "public.klines", name)
        assert hint in (caught.value.diag.message_hint or "")


@pytest.mark.parametrize("data", ["not json", None, '{"data-collections": ["public.(a|b)"]}', "{}", "[1]"])
def test_signal_that_cannot_be_checked_is_left_to_debezium(sql: Sql, data: str | None) -> None:
    sql("INSERT INTO debezium_signal VALUES (left(md5(random()::text), 8), 'execute-snapshot', %s)", data)


def test_guard_demands_whole_rows_where_an_array_would_be_lost(guard: Program, sql: Sql, table, kafka) -> None:
    table("sensors", "n int", "readings float8[]", "label text[]")
    sql("ALTER TABLE sensors ALTER COLUMN readings SET STORAGE EXTERNAL")
    sql(ADD + "sensors")
    sql("INSERT INTO sensors SELECT 1, 1, array_fill(1.5::float8, ARRAY[3000]), '{a}'")
    remedy = "ALTER TABLE public.sensors REPLICA IDENTITY FULL"
    wait_until(lambda: remedy in str(guard.healthy()), 30, "the demand")
    assert "readings double precision[]" in str(guard.healthy())
    assert "label" not in str(guard.healthy())
    sql(remedy)
    wait_until(guard.healthy, 30, "the guard's health")
    sql("UPDATE sensors SET n = 2")
    wait_until(lambda: len(kafka.values("sensors")) == 2, 30, "the update")
    [update] = [value["after"] for value in kafka.values("sensors") if value["op"] == "u"]
    assert update["readings"] == [1.5] * 3000


# Rows of many megabytes


def insert_text(sql: Sql, name: str, number: int, size_bytes: int) -> None:
    """Text that does not compress, so that the WAL and Kafka really carry it."""
    sql(
        f"INSERT INTO {name} SELECT %s, string_agg(md5(n::text), '') FROM generate_series(1, %s) n",
        number,
        size_bytes // 32,
    )


def test_rows_of_many_megabytes_arrive(sql: Sql, table, kafka: KafkaReader) -> None:
    sql(ADD + table("large_rows", "v text"))
    for number, size_bytes in enumerate((3_000_000, 10_000_000, LIMIT_BYTES - 100_000)):
        insert_text(sql, "large_rows", number, size_bytes)
    wait_until(lambda: kafka.ids("large_rows") == [0, 1, 2], 60, "three large rows")


def test_row_beyond_the_limit_is_named_and_left_out_and_the_stream_goes_on(
    guard: Program, sql: Sql, table, kafka: KafkaReader
) -> None:
    sql(ADD + table("too_large", "v text"))
    insert_text(sql, "too_large", 77, 20_000_000)
    sql("INSERT INTO too_large VALUES (78, 'after')")
    wait_until(lambda: kafka.has_ids("too_large", 78), 90, "the row after it")
    wait_until(guard.healthy, 90, "the guard's health")
    assert guard.metric("guard_skipped_records_total", table="public.too_large") == 1
    assert "record_skipped" in guard.output()
    assert "key=id=77" in guard.output()
    wait_until(lambda: "skipping_ended" in guard.output(), 60, "the end of skipping")
    wait_until(guard.healthy, 90, "the guard's health")


def test_limit_of_an_older_topic_is_raised(start, settings: Settings, sql: Sql, table, kafka: KafkaReader) -> None:
    sql(ADD + table("older", "v text"))
    sql("INSERT INTO older VALUES (1, 'a')")
    wait_until(lambda: kafka.has_ids("older", 1), 30, "the first row")
    topic = f"{settings.TOPIC_PREFIX}.public.older"
    with administration(settings) as admin:
        small = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": "1048588"})
        admin.alter_configs([small], incremental=True)
    with start("-m", "debezium.guard") as guard:
        wait_until(lambda: f"topic={topic}" in guard.output(), 30, "the raised limit")
        insert_text(sql, "older", 2, 3_000_000)
        wait_until(lambda: kafka.has_ids("older", 1, 2), 30, "a large row")


# Topics that are deleted


@contextmanager
def administration(settings: Settings) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
    try:
        yield admin
    finally:
        admin.close()


def test_deleted_topic_is_noticed_and_its_table_goes_on(
    guard: Program, settings: Settings, sql: Sql, table, kafka: KafkaReader
) -> None:
    topics_before = guard.metric("guard_captured_topics")
    sql(ADD + table("topicless", "v text") + ", " + table("neighbour", "v text"))
    sql("INSERT INTO topicless VALUES (1, 'a')")
    wait_until(lambda: kafka.has_ids("topicless", 1), 30, "the first row")
    wait_until(lambda: guard.metric("guard_captured_topics") > topics_before, 30, "the guard to see the topic")
    with administration(settings) as admin:
        admin.delete_topics([f"{settings.TOPIC_PREFIX}.public.topicless"])
    for number in (2, 3, 4):
        sql("INSERT INTO topicless VALUES (%s, 'b')", number)
        sql("INSERT INTO neighbour VALUES (%s, 'b')", number)
    wait_until(lambda: kafka.has_ids("topicless", 2, 3, 4), 60, "rows in a new topic")
    wait_until(lambda: kafka.has_ids("neighbour", 2, 3, 4), 10, "rows of another table")
    assert guard.metric("guard_remedies_total", remedy="restart_topic") == 1
    wait_until(guard.healthy, 60, "the guard's health")


def test_truncate_reaches_kafka(sql: Sql, table, kafka: KafkaReader) -> None:
    sql(ADD + table("emptied", "v text"))
    sql("TRUNCATE emptied")
    wait_until(lambda: [value["op"] for value in kafka.values("emptied")] == ["t"], 30, "the truncate")
