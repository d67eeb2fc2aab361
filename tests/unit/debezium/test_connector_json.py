"""connector.json: the properties that the chain needs, in agreement with sql/ and pipeline/."""

import fnmatch
import json
import re

import pytest

from debezium.register import CONFIG_FILE
from debezium.slot import SLOT
from pipeline.tables import DATA_SOURCE, INSTRUMENTS, TABLES
from tests.unit.support.ddl import ROOT, SQL_TABLES

CONFIG = json.loads(CONFIG_FILE.read_text(encoding="utf-8"))
CAPTURE = (SQL_TABLES.parent / "040_capture.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("property_name", "value"),
    [
        ("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
        ("plugin.name", "pgoutput"),
        ("publication.autocreate.mode", "disabled"),
        ("slot.drop.on.stop", "false"),
        ("snapshot.mode", "initial"),
        ("decimal.handling.mode", "string"),
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
    assert not {"database.hostname", "database.port", "database.dbname", "topic.prefix"} & set(CONFIG)


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


@pytest.mark.parametrize("name", [*TABLES, INSTRUMENTS.name, DATA_SOURCE, "debezium_heartbeat", "your_own_table"])
def test_table_that_is_to_be_captured_matches_the_include_list(name):
    assert re.fullmatch(CONFIG["table.include.list"], f"public.{name}")


@pytest.mark.parametrize("name", ["recent_trades_20261123", "trade_positions", "exchange_ban", "debezium_signal"])
def test_partition_position_and_signal_are_not_captured(name):
    assert not re.fullmatch(CONFIG["table.include.list"], f"public.{name}")


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
    assert int(CONFIG["topic.creation.default.partitions"]) > 1
    assert int(CONFIG["topic.creation.default.retention.ms"]) >= 24 * 3_600_000


def test_every_property_that_the_readme_explains_is_set():
    text = (ROOT / "debezium" / "README.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z.*]+)", text, flags=re.MULTILINE)
    assert explained
    for name in explained:
        assert fnmatch.filter(CONFIG, name), name
