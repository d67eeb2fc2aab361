"""connector.json: the properties that the chain needs, in agreement with sql/ and pipeline/."""

import fnmatch
import json
import re

import pytest

from debezium.register import CONFIG_FILE, SNAPSHOT_TABLES, connector_config, snapshot_list
from debezium.slot import SLOT
from pipeline.settings import load
from pipeline.tables import DATA_SOURCE, INSTRUMENTS, TABLES
from tests.unit.support.ddl import CQL_TABLES, ROOT, SQL_TABLES, declared_tables

CONFIG = json.loads(CONFIG_FILE.read_text(encoding="utf-8"))
CHECKS = (SQL_TABLES.parent / "060_captured_tables.sql").read_text(encoding="utf-8")
CAPTURE = (SQL_TABLES.parent / "040_capture.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("property_name", "value"),
    [
        ("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
        ("plugin.name", "pgoutput"),
        ("publication.autocreate.mode", "disabled"),
        ("slot.drop.on.stop", "false"),
        # A dead worker keeps the slot until PostgreSQL notices; within a second another gets it.
        ("slot.retry.delay.ms", "1000"),
        ("snapshot.mode", "initial"),
        ("decimal.handling.mode", "string"),
        ("time.precision.mode", "microseconds"),
        ("interval.handling.mode", "string"),
        ("skipped.operations", "none"),
        ("tombstones.on.delete", "false"),
        ("key.converter.schemas.enable", "false"),
        ("value.converter.schemas.enable", "false"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("topic.creation.default.cleanup.policy", "delete"),
    ],
)
def test_property_that_the_chain_relies_on_has_its_value(property_name, value):
    assert CONFIG[property_name] == value


def test_password_is_a_reference_that_connect_resolves_itself():
    assert CONFIG["database.password"] == "${env:DEBEZIUM_PASSWORD}"
    assert not re.search(r"crypto_debezium|password", CONFIG["database.password"].replace("DEBEZIUM_PASSWORD", ""))


def test_every_value_is_text_as_connect_wants_it():
    assert all(isinstance(value, str) for value in CONFIG.values())


def test_properties_from_the_settings_are_not_in_the_file():
    later = {"database.hostname", "database.port", "database.dbname", "topic.prefix", SNAPSHOT_TABLES}
    assert not later & set(CONFIG)


def test_envelope_is_kept_whole_and_not_flattened():
    kinds = {value for name, value in CONFIG.items() if re.fullmatch(r"transforms\.\w+\.type", name)}
    assert kinds == {"org.apache.kafka.connect.transforms.ReplaceField$Key"}


def test_publication_heartbeat_and_signal_are_those_that_sql_creates():
    assert f"CREATE PUBLICATION {CONFIG['publication.name']} " in CAPTURE
    assert "publish_via_partition_root = true" in CAPTURE
    assert f"CREATE TABLE IF NOT EXISTS {CONFIG['signal.data.collection'].removeprefix('public.')} " in CAPTURE
    heartbeat = re.search(r"INSERT INTO public\.(\w+) \((.*?)\)", CONFIG["heartbeat.action.query"])
    assert f"CREATE TABLE IF NOT EXISTS {heartbeat[1]} " in CAPTURE
    assert heartbeat[2] == "id, ts"
    assert "ON CONFLICT (id) DO UPDATE" in CONFIG["heartbeat.action.query"]
    assert 0 < int(CONFIG["heartbeat.interval.ms"]) <= 10_000


def test_guard_watches_the_slot_of_the_connector():
    assert CONFIG["slot.name"] == SLOT


def test_role_of_the_connector_is_the_one_that_sql_creates():
    roles = (SQL_TABLES.parent / "010_roles.sql").read_text(encoding="utf-8")
    assert f"('{CONFIG['database.user']}', 'LOGIN REPLICATION'" in re.sub(r"\s+", " ", roles)


@pytest.mark.parametrize(
    "name",
    [
        *TABLES,
        INSTRUMENTS.name,
        DATA_SOURCE,
        "debezium_heartbeat",
        "your_own_table",
        "trade_positions_by_desk",
        "recent_trades_daily",
        "recent_trades_2026112",
        "debezium_signals",
    ],
)
def test_table_that_is_to_be_captured_matches_the_include_list(name):
    assert re.fullmatch(CONFIG["table.include.list"], f"public.{name}")


@pytest.mark.parametrize("name", ["recent_trades_20261123", "trade_positions", "exchange_ban", "debezium_signal"])
def test_partition_position_and_signal_are_not_captured(name):
    assert not re.fullmatch(CONFIG["table.include.list"], f"public.{name}")


def test_names_that_are_never_captured_are_refused_by_the_event_trigger():
    """A table of such a name would be published and never arrive."""
    refused = re.search(r"relname ~ '\^\((.*)\)\$'", CHECKS)[1].split("|")
    excluded = re.search(r"\(\?!\((.*)\)\$\)", CONFIG["table.include.list"])[1].split("|")
    assert set(excluded) - {"debezium_signal"} <= set(refused)  # Debezium reads signals, but does not send them
    only_in_cassandra = set(declared_tables(CQL_TABLES)) - set(declared_tables(SQL_TABLES))
    assert only_in_cassandra <= set(refused)
    captured = {*TABLES, DATA_SOURCE, "debezium_heartbeat", "debezium_signal"}
    assert not [name for name in captured if re.fullmatch("|".join(refused), name)]


def test_snapshot_reads_no_table_unless_it_is_listed():
    """An empty list would mean every table of table.include.list."""
    assert not re.fullmatch(snapshot_list([]), "public.klines")
    listed = snapshot_list(["klines", "Orders"]).replace("(?-i)", "").split(",")  # Java's flag, unknown to Python
    assert [bool(re.fullmatch(each, "public.klines")) for each in listed] == [True, False]
    assert snapshot_list(["klines"]).startswith("(?-i)")


def test_large_records_are_allowed_everywhere_or_nowhere():
    """The connector's producer, the topics it creates, the broker's default for all others, and the
    worker's producer have the same limit; the broker leaves room for headers."""
    limit = int(CONFIG["producer.override.max.request.size"])
    assert int(CONFIG["topic.creation.default.max.message.bytes"]) == limit
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    kafka = (ROOT / "local" / "config" / "kafka.properties").read_text(encoding="utf-8")
    connect = (ROOT / "local" / "config" / "connect.properties").read_text(encoding="utf-8")
    broker = [re.search(r"KAFKA_MESSAGE_MAX_BYTES: (\d+)", compose), re.search(r"message\.max\.bytes=(\d+)", kafka)]
    worker = [
        re.search(r"CONNECT_PRODUCER_MAX_REQUEST_SIZE: (\d+)", compose),
        re.search(r"producer\.max\.request\.size=(\d+)", connect),
    ]
    assert all(limit < int(found[1]) < 2 * limit for found in broker)
    assert [int(found[1]) for found in worker] == [limit, limit]
    assert limit < 32 * 1024 * 1024  # the producer's buffer.memory, which a record must fit into
    assert 2 * limit < int(CONFIG["max.queue.size.in.bytes"]) < 128 * 1024 * 1024  # of a heap of 384 MiB


def test_every_table_with_a_longer_key_is_keyed_by_symbol():
    """Tables with `symbol` alone as primary key are keyed by it anyway."""
    assert CONFIG["transforms.keyBySymbol.include"] == "symbol"
    assert CONFIG["transforms.keyBySymbol.predicate"] == CONFIG["predicates"]
    pattern = CONFIG[f"predicates.{CONFIG['predicates']}.pattern"]
    topics = {
        name: f"crypto.public.{name}"
        for name in (*TABLES, INSTRUMENTS.name, DATA_SOURCE, "debezium_heartbeat", "notes")
    }
    keyed = {name for name, topic in topics.items() if re.fullmatch(pattern, topic)}
    assert keyed == {name for name, table in TABLES.items() if table.key != ("symbol",)}


def test_incremental_snapshot_distinguishes_rows_of_one_symbol():
    """Debezium treats rows with the same message key as one row, and its own key setting would
    change that key."""
    assert "message.key.columns" not in CONFIG


def test_poll_interval_is_far_below_the_default():
    assert int(CONFIG["poll.interval.ms"]) <= 100


def test_topics_have_several_partitions_and_keep_a_week():
    assert load("register", {}, "/dev/null").KAFKA_PARTITIONS > 1
    assert int(CONFIG["topic.creation.default.retention.ms"]) >= 24 * 3_600_000


def test_every_property_that_the_readme_explains_is_set():
    text = (ROOT / "debezium" / "README.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z.*]+)", text, flags=re.MULTILINE)
    assert explained
    sent = connector_config(load("register", {}, "/dev/null"))
    for name in explained:
        assert fnmatch.filter([*sent, SNAPSHOT_TABLES], name), name
