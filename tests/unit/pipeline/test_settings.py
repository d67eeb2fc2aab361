import pytest

from pipeline.errors import BadSetting
from pipeline.setting_parsers import port
from pipeline.settings import SETTINGS, Setting, load

NO_FILE = "/nonexistent/.env"


def settings(program="producer", **environ):
    return load(program, environ=environ, dotenv=NO_FILE)


def refusal(name, value):
    with pytest.raises(BadSetting) as caught:
        settings(**{name: value})
    return str(caught.value)


def test_every_program_starts_without_any_setting():
    for program in ("producer", "consumer", "redis", "api", "guard", "schema", "register", "local"):
        assert settings(program).PGHOST == "localhost"


def test_defaults_are_parsed_values_and_not_text():
    found = settings()
    assert found.PGPORT == 5432
    assert found.PRICE_INTERVAL_SECONDS == 2.0
    assert found.SYMBOLS[:2] == ("BTCUSDT", "ETHUSDT")
    assert found.KLINE_INTERVALS == ("1m", "1h")
    assert found.TRADES_BACKFILL == 600
    assert found.KAFKA_BOOTSTRAP_SERVERS == ("localhost:9092",)


def test_names_of_settings_are_unique_and_all_have_help():
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(setting.help for setting in SETTINGS)


def test_every_documented_setting_exists():
    contract = """BINANCE_BASE_URL SYMBOLS QUOTE_ASSET KLINE_INTERVALS PRICE_INTERVAL_SECONDS STATS_INTERVAL_SECONDS
        ORDER_BOOK_INTERVAL_SECONDS TRADES_INTERVAL_SECONDS KLINES_INTERVAL_SECONDS WEIGHT_BUDGET_PERCENT PGHOST PGPORT
        PGDATABASE PGUSER PGPASSWORD KAFKA_BOOTSTRAP_SERVERS TOPIC_PREFIX CONSUMER_GROUP CONNECT_URL
        CASSANDRA_CONTACT_POINTS CASSANDRA_PORT CASSANDRA_LOCAL_DC CASSANDRA_KEYSPACE CASSANDRA_USERNAME
        CASSANDRA_PASSWORD API_HOST API_PORT METRICS_PORT LOG_LEVEL LOG_FORMAT"""
    assert set(contract.split()) <= {setting.name for setting in SETTINGS}


def test_env_file_wins_over_the_default(tmp_path):
    (tmp_path / ".env").write_text("PGHOST=from-file\nAPI_PORT=5050\n")
    found = load("api", environ={}, dotenv=tmp_path / ".env")
    assert (found.PGHOST, found.API_PORT) == ("from-file", 5050)


def test_environment_wins_over_the_env_file(tmp_path):
    (tmp_path / ".env").write_text("PGHOST=from-file\nAPI_PORT=5050\n")
    found = load("api", environ={"PGHOST": "from-environment"}, dotenv=tmp_path / ".env")
    assert (found.PGHOST, found.API_PORT) == ("from-environment", 5050)


@pytest.mark.parametrize("empty", ["", "   "])
def test_empty_variable_counts_as_not_set(tmp_path, empty):
    (tmp_path / ".env").write_text("PGHOST=from-file\n")
    assert load("api", environ={"PGHOST": empty}, dotenv=tmp_path / ".env").PGHOST == "from-file"
    assert settings(PGHOST=empty).PGHOST == "localhost"


def test_reference_default_follows_the_setting_it_names():
    assert settings().DEBEZIUM_PGHOST == "localhost"
    assert settings(PGHOST="db", PGPORT="6000").DEBEZIUM_PGHOST == "db"
    assert settings(PGHOST="db", PGPORT="6000").DEBEZIUM_PGPORT == 6000
    assert settings(PRODUCER_PASSWORD="s3cret").PGPASSWORD == "s3cret"


def test_reference_default_yields_to_an_own_value():
    assert settings(PGHOST="db", DEBEZIUM_PGHOST="inside").DEBEZIUM_PGHOST == "inside"


def test_given_value_with_an_equals_sign_is_not_a_reference():
    assert settings(PGPASSWORD="=PGHOST").PGPASSWORD == "=PGHOST"


def test_each_program_has_its_own_cassandra_role():
    assert settings("consumer").CASSANDRA_USERNAME == "crypto_writer"
    assert settings("api").CASSANDRA_USERNAME == "crypto_reader"
    passwords = {"CASSANDRA_WRITER_PASSWORD": "w", "CASSANDRA_READER_PASSWORD": "r"}
    assert settings("consumer", **passwords).CASSANDRA_PASSWORD == "w"
    assert settings("api", **passwords).CASSANDRA_PASSWORD == "r"


def test_forecaster_has_its_own_postgres_role():
    found = settings("forecaster", FORECASTER_PASSWORD="f")
    assert (found.PGUSER, found.PGPASSWORD) == ("crypto_forecaster", "f")


@pytest.mark.parametrize(
    ("value", "minutes"), [("15m,1h", (15, 60)), ("60m, 1h", (60,)), ("1d", (1440,)), ("off", ()), ("OFF", ())]
)
def test_horizons_are_minutes(value, minutes):
    assert minutes == settings(FORECAST_HORIZONS=value).FORECAST_HORIZONS


@pytest.mark.parametrize("model", ["naive", "ewma", "log_har", "sklearn.linear_model:Ridge"])
def test_forecast_model_is_named_or_a_class(model):
    assert model == settings(FORECAST_MODEL=model).FORECAST_MODEL


def test_programs_on_one_host_have_different_metrics_ports():
    programs = ("producer", "consumer", "guard", "forecaster", "auditor", "live", "redis")
    ports = [settings(program).METRICS_PORT for program in programs]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FORECAST_HORIZONS", "soon", "5m to 1d"),
        ("FORECAST_HORIZONS", "1m", "5m to 1d"),
        ("FORECAST_HORIZONS", "15m,2d", "5m to 1d"),
        ("FORECAST_HORIZONS", "1M", "5m to 1d"),
        ("FORECAST_MODEL", "garch", "log_har, or module:Class"),
        ("FORECAST_MODEL", "module:", "log_har, or module:Class"),
        ("PGPORT", "0", "1 to 65535"),
        ("PGPORT", "65536", "1 to 65535"),
        ("PGPORT", "5432x", "1 to 65535"),
        ("PGPORT", "-1", "1 to 65535"),
        ("PGPORT", "５４３２", "1 to 65535"),
        ("PRICE_INTERVAL_SECONDS", "soon", "0.2 to 3600"),
        ("PRICE_INTERVAL_SECONDS", "0", "0.2 to 3600"),
        ("PRICE_INTERVAL_SECONDS", "nan", "0.2 to 3600"),
        ("PRICE_INTERVAL_SECONDS", "inf", "0.2 to 3600"),
        ("TRADES_BACKFILL", "5 weeks", "90s, 30m, 12h or 7d"),
        ("TRADES_BACKFILL", "-1h", "90s, 30m, 12h or 7d"),
        ("TRADES_BACKFILL", "367d", "366d"),
        ("KLINE_INTERVALS", "1m,7m", "1m is a minute, 1M a month"),
        ("KLINE_INTERVALS", "1s", "1m is a minute, 1M a month"),
        ("KLINE_INTERVALS", ",", "1m is a minute, 1M a month"),
        ("SYMBOLS", "BTC USDT", "comma-separated"),
        ("SYMBOLS", ",,", "comma-separated"),
        ("SYMBOLS", "BTC'USDT", "comma-separated"),
        ("SYMBOLS", "A\u200bUSDT", "comma-separated"),
        ("BINANCE_BASE_URL", "api.binance.com", "http:// or https://"),
        ("BINANCE_BASE_URL", "ftp://api.binance.com", "http:// or https://"),
        ("BINANCE_BASE_URL", "https://", "http:// or https://"),
        ("REDIS_URL", "localhost:6379", "redis://host:port"),
        ("REDIS_URL", "redis://:secret@host", "REDIS_PASSWORD"),
        ("REDIS_URL", "redis://", "off, or"),
        ("API_CORS_ORIGINS", "example.org", "https://example.org"),
        ("API_CORS_ORIGINS", "https://example.org/app", "https://example.org"),
        ("API_CORS_ORIGINS", ",", "off, *"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR"),
        ("LOG_FORMAT", "xml", "text, json"),
        ("CASSANDRA_KEYSPACE", "Crypto", "lower-case"),
        ("CASSANDRA_KEYSPACE", "1crypto", "lower-case"),
        ("CASSANDRA_KEYSPACE", "crypto; DROP", "lower-case"),
        ("WEIGHT_BUDGET_PERCENT", "101", "1 to 100"),
        ("KAFKA_REPLICATION_FACTOR", "0", "1 to 100, or -1"),
    ],
)
def test_bad_value_is_refused_with_variable_value_and_what_is_allowed(name, value, allowed):
    message = refusal(name, value)
    assert message.startswith(f"{name}={value!r}: expected ")
    assert allowed in message


def test_malformed_address_is_refused_with_what_is_allowed():
    for value in ("http://[", "http://[::1", "http://localhost:abc", "http://localhost:99999"):
        assert "http:// or https://" in refusal("CONNECT_URL", value)


def test_bad_value_in_the_env_file_is_refused_too(tmp_path):
    (tmp_path / ".env").write_text("KLINES_INTERVAL_SECONDS=soon\n")
    with pytest.raises(BadSetting, match="KLINES_INTERVAL_SECONDS='soon'"):
        load("producer", environ={}, dotenv=tmp_path / ".env")


def test_limits_themselves_are_allowed_values():
    assert settings(PGPORT="1").PGPORT == 1
    assert settings(PGPORT="65535").PGPORT == 65535
    assert settings(PRICE_INTERVAL_SECONDS="0.2").PRICE_INTERVAL_SECONDS == 0.2
    assert settings(PRICE_INTERVAL_SECONDS="3600").PRICE_INTERVAL_SECONDS == 3600
    assert settings(KLINES_BACKFILL="366d").KLINES_BACKFILL == 366 * 86400


def test_lists_are_trimmed_upper_case_and_without_repeats():
    assert settings(SYMBOLS=" btcusdt, ETHUSDT ,,BTCUSDT").SYMBOLS == ("BTCUSDT", "ETHUSDT")
    assert settings(SYMBOLS="币安人生usdt,बिटकॉइनUSDT").SYMBOLS == ("币安人生USDT", "बिटकॉइनUSDT")
    assert settings(KLINE_INTERVALS="1m, 1M,1m").KLINE_INTERVALS == ("1m", "1M")
    assert settings(CASSANDRA_CONTACT_POINTS="a, b").CASSANDRA_CONTACT_POINTS == ("a", "b")


def test_origins_are_none_all_or_those_listed():
    def origins(text):
        return load("api", environ={"API_CORS_ORIGINS": text}, dotenv="/dev/null").API_CORS_ORIGINS

    assert (origins("off"), origins("*")) == ((), ("*",))
    assert origins("https://a.example/, http://localhost:3000") == ("https://a.example", "http://localhost:3000")


def test_redis_is_used_only_where_it_is_set_and_by_the_consumer_to_it():
    assert settings("api").REDIS_URL == ""
    assert settings("api", REDIS_URL="OFF").REDIS_URL == ""
    assert settings("redis").REDIS_URL == "redis://localhost:6379"
    assert settings("api", REDIS_URL="redis://host:1/2").REDIS_URL == "redis://host:1/2"


def test_quote_asset_is_upper_case_like_the_symbols():
    """The exchange writes USDT; with `usdt` no symbol would match and the market would stay empty
    without any error."""
    assert settings(QUOTE_ASSET="usdt").QUOTE_ASSET == "USDT"


def test_address_loses_its_trailing_slash():
    assert settings(BINANCE_BASE_URL="http://127.0.0.1:9600/").BINANCE_BASE_URL == "http://127.0.0.1:9600"


def test_choices_are_taken_in_any_case():
    found = settings(LOG_LEVEL="debug", LOG_FORMAT="JSON")
    assert (found.LOG_LEVEL, found.LOG_FORMAT) == ("DEBUG", "json")


def test_secret_is_never_shown_when_settings_are_printed():
    given = {setting.name: f"hidden-{setting.name}" for setting in SETTINGS if setting.secret}
    shown = repr(settings(**given))
    assert given
    assert "hidden" not in shown
    assert "PGPASSWORD=***" in shown
    assert "PGHOST=localhost" in shown


def test_secret_is_never_shown_when_it_is_refused(monkeypatch):
    monkeypatch.setattr("pipeline.settings.SETTINGS", (Setting("PIN", "1", port, "a secret number", secret=True),))
    message = refusal("PIN", "hidden")
    assert message.startswith("PIN=***: expected ")
    assert "hidden" not in message


def test_every_setting_named_password_is_a_secret():
    assert all(setting.secret for setting in SETTINGS if "PASSWORD" in setting.name)


def test_settings_cannot_be_changed_after_start():
    found = settings()
    with pytest.raises(AttributeError, match="PGHOST"):
        found.PGHOST = "elsewhere"
    with pytest.raises(AttributeError):
        found.NEW = 1
    assert found.PGHOST == "localhost"


def test_settings_cannot_be_deleted_after_start():
    found = settings()
    with pytest.raises(AttributeError):
        del found.PGHOST
    assert found.PGHOST == "localhost"
