"""The tables as code, SQL and CQL describe them: these tests fail when one of the three
drifts."""

import pytest

from pipeline.intervals import INTERVALS
from pipeline.settings import SETTINGS
from pipeline.tables import DATA_SOURCE, FORECASTS, KLINES, MARKET_NOW, STORED_HOURS, TABLES
from pipeline.transformations import STATS_IN_MARKET_NOW, book_figures
from tests.unit.support.ddl import CQL_TABLES, SQL_TABLES, declared_tables

SQL, CQL = declared_tables(SQL_TABLES), declared_tables(CQL_TABLES)
CQL_TYPE_OF = {
    "numeric": "double",
    "bigint": "bigint",
    "timestamptz": "timestamp",
    "text": "text",
    "boolean": "boolean",
    "double precision": "double",
    "jsonb": "frozen<list<frozen<tuple<double, double>>>>",
    "smallint": "smallint",
}

# What the keys of the two databases must be; the CQL ones as partition key, clustering key.
POSTGRES_KEYS = {
    "crypto_24h_stats": ("symbol",),
    "latest_prices": ("symbol",),
    "order_book": ("symbol",),
    "recent_trades": ("symbol", "trade_id", "trade_time"),
    "klines": ("symbol", "interval", "open_time"),
}
CASSANDRA_KEYS = {
    "latest_prices": (("symbol",), ("updated_at",)),
    "crypto_24h_stats": (("symbol",), ("updated_at",)),
    "order_book": (("symbol", "hour"), ("updated_at",)),
    "recent_trades": (("symbol", "hour"), ("trade_time", "trade_id")),
    "klines": (("symbol", "interval"), ("open_time",)),
    "market_now": (("quote_asset",), ("symbol",)),
}
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


@each_table
def test_postgres_has_the_same_columns_and_types(table):
    assert SQL[table.name].columns == dict(table.columns)


@each_table
def test_postgres_has_the_key_of_the_contract(table):
    assert SQL[table.name].key == table.key == POSTGRES_KEYS[table.name]
    assert tuple(table.columns)[: len(table.key)] == table.key


@each_table
def test_postgres_refuses_nulls_in_every_column(table):
    assert SQL[table.name].not_null == set(table.columns)


@each_table
def test_cassandra_has_every_column_in_a_matching_type(table):
    declared = CQL[table.name].columns
    assert {name: declared.get(name) for name in table.columns} == {
        name: CQL_TYPE_OF[kind] for name, kind in table.columns.items()
    }


@pytest.mark.parametrize("name", CASSANDRA_KEYS)
def test_cassandra_has_the_key_of_the_contract(name):
    partition, clustering = CASSANDRA_KEYS[name]
    assert CQL[name].partition == partition
    assert CQL[name].key == (*partition, *clustering)


def test_cassandra_has_no_column_that_nothing_fills():
    derived = {
        "order_book": {"hour", *book_figures([], [])},
        "recent_trades": {"hour"},
    }
    for name, table in TABLES.items():
        assert set(CQL[name].columns) == set(table.columns) | derived.get(name, set()), name


def test_market_now_holds_price_and_statistics_and_nothing_else():
    filled = {"quote_asset", "symbol", "price", "price_updated_at", *STATS_IN_MARKET_NOW.values()}
    assert set(CQL[MARKET_NOW].columns) == filled


def test_market_now_columns_have_the_types_of_their_history():
    declared, history = CQL[MARKET_NOW].columns, CQL["crypto_24h_stats"].columns
    for source, target in STATS_IN_MARKET_NOW.items():
        assert declared[target] == history[source], target


def test_data_source_is_the_same_in_both_databases():
    columns = {name: CQL_TYPE_OF[kind] for name, kind in SQL[DATA_SOURCE].columns.items()}
    assert CQL[DATA_SOURCE].columns == columns
    assert CQL[DATA_SOURCE].key == SQL[DATA_SOURCE].key


def test_forecasts_are_the_same_in_both_databases():
    assert SQL["forecasts"].columns == dict(FORECASTS.columns)
    assert CQL["forecasts"].columns == {name: CQL_TYPE_OF[kind] for name, kind in FORECASTS.columns.items()}
    assert SQL["forecasts"].key == CQL["forecasts"].key == FORECASTS.key == ("symbol", "horizon", "made_at")
    assert CQL["forecasts"].partition == ("symbol", "horizon")


def test_forecast_has_a_null_only_where_something_is_not_known_yet():
    unknown_at_first = {"naive_volatility", "recent_qlike_ratio", "recent_coverage"}
    known_later = {"realized_volatility", "close_price", "qlike", "naive_qlike", "hit"}
    assert set(FORECASTS.columns) - SQL["forecasts"].not_null == unknown_at_first | known_later


def test_forecasts_are_keyed_by_symbol_in_kafka():
    connector = (SQL_TABLES.parents[1] / "debezium" / "connector.json").read_text(encoding="utf-8")
    assert "recent_trades|klines|forecasts" in connector


def test_stored_hours_is_keyed_by_table_and_symbol():
    assert CQL[STORED_HOURS].key == ("table_name", "symbol", "hour")
    assert CQL[STORED_HOURS].partition == ("table_name", "symbol")


@each_table
def test_named_columns_of_a_table_exist_and_are_times(table):
    assert table.columns[table.version] == "timestamptz"
    assert table.columns[table.time] == "timestamptz"
    assert table.volatile <= set(table.columns) - set(table.key)


@each_table
def test_every_table_has_a_setting_with_its_poll_interval(table):
    assert table.poll_setting.endswith("_INTERVAL_SECONDS")
    assert table.poll_setting in {setting.name for setting in SETTINGS}


def test_every_table_has_its_time_as_first_clustering_column():
    for table in TABLES.values():
        assert table.time == CQL[table.name].key[len(CQL[table.name].partition)]


def test_moving_window_alone_is_not_a_change_of_the_statistics():
    assert {"open_time", "close_time"} <= TABLES["crypto_24h_stats"].volatile
    assert not {"open_time", "close_time"} & KLINES.volatile


def test_candle_intervals_exclude_seconds_and_distinguish_minute_from_month():
    assert "1s" not in INTERVALS
    assert {"1m", "1M"} <= set(INTERVALS)


def test_every_table_of_the_publication_is_declared():
    capture = (SQL_TABLES.parent / "040_capture.sql").read_text(encoding="utf-8")
    for name in (*TABLES, DATA_SOURCE, FORECASTS.name):
        assert f"'{name}'" in capture
    assert "'trade_positions'" not in capture
    assert "'exchange_ban'" not in capture


def test_history_tables_all_expire_by_time_windows():
    text = CQL_TABLES.read_text(encoding="utf-8")
    for name in (*TABLES, STORED_HOURS, FORECASTS.name):
        statement = text.split(f"CREATE TABLE IF NOT EXISTS {name} ")[1].split(";\n")[0]
        assert "default_time_to_live" in statement, name
        assert "TimeWindowCompactionStrategy" in statement, name


@each_table
def test_hourly_tables_are_those_that_cassandra_partitions_by_hour(table):
    assert table.hourly == (CQL[table.name].partition == ("symbol", "hour"))
