"""Every setting of every program: name, default, how it is read, one line of help. Read once from
the environment and `.env`, checked at start, then frozen. Knows no other part of the pipeline but
the parsers of times."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from pipeline.errors import BadSetting
from pipeline.times import duration_seconds

# Not 1s: a candle partition (symbol, interval) would grow to millions of rows.
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")


def required(value: str) -> str:
    if not value:
        raise ValueError("a value that is not empty")
    return value


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"a number of seconds from {low:g} to {high:g}")
        return number

    return parse


def duration(value: str) -> float:
    try:
        number = duration_seconds(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 366 * 86400:
        raise ValueError("a duration such as 90s, 30m, 12h or 7d, at most 366d")
    return number


def url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("an http:// or https:// address")
    return value.rstrip("/")


def names(value: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip().upper() for part in value.split(",") if part.strip()))
    if not found or not all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in found):
        raise ValueError("one or several names, comma-separated, e.g. BTCUSDT,ETHUSDT")
    return found


def asset(value: str) -> str:
    if not value.isascii() or not value.isalnum():
        raise ValueError("the name of an asset, e.g. USDT")
    return value.upper()


def hosts(value: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    if not found:
        raise ValueError("one or several hosts, comma-separated")
    return found


def intervals(value: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if not found or not set(found) <= set(INTERVALS):
        raise ValueError(f"one or several of {', '.join(INTERVALS)} (case matters: 1m is a minute, 1M a month)")
    return found


def origins(value: str) -> tuple[str, ...]:
    if value.lower() == "off":
        return ()
    found = tuple(dict.fromkeys(part.strip().rstrip("/") for part in value.split(",") if part.strip()))
    if not found or not all(part == "*" or url_origin(part) for part in found):
        raise ValueError("off, * or one or several origins, comma-separated, e.g. https://example.org")
    return found


def url_origin(value: str) -> bool:
    """Whether it is scheme and host (and port) and nothing more, as browsers send it."""
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and value == f"{parts.scheme}://{parts.netloc}"


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        for choice in allowed:
            if value.lower() == choice.lower():
                return choice
        raise ValueError(f"one of {', '.join(allowed)}")

    return parse


def identifier(value: str) -> str:
    if not value.isascii() or not value.replace("_", "").isalnum() or value[0].isdigit() or value != value.lower():
        raise ValueError("lower-case letters, digits and _, not starting with a digit")
    return value


port = whole(1, 65535)


@dataclass(frozen=True, slots=True)
class Setting:
    """A default such as `=PGHOST` is the value of that setting. `own`: defaults that differ by
    program."""

    name: str
    default: str
    parser: Callable[[str], Any]
    help: str
    secret: bool = False
    own: Mapping[str, str] = field(default_factory=dict)


SETTINGS: tuple[Setting, ...] = (
    # The exchange
    Setting(
        "BINANCE_BASE_URL",
        "https://data-api.binance.vision",
        url,
        "exchange to poll; the default serves public market data and needs no key",
    ),
    Setting(
        "SYMBOLS",
        "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,XRPUSDT,DOGEUSDT",
        names,
        "tracked symbols: trades, order book and candles of these",
    ),
    Setting("QUOTE_ASSET", "USDT", asset, "prices and 24 h statistics of every symbol quoted in this asset"),
    Setting("KLINE_INTERVALS", "1m,1h", intervals, "candle intervals of the tracked symbols"),
    Setting("PRICE_INTERVAL_SECONDS", "2", seconds(0.2, 3600), "time between two polls of the prices"),
    Setting("STATS_INTERVAL_SECONDS", "10", seconds(1, 3600), "time between two polls of the 24 h statistics"),
    Setting("ORDER_BOOK_INTERVAL_SECONDS", "3", seconds(0.2, 3600), "time between two polls of each order book"),
    Setting("TRADES_INTERVAL_SECONDS", "2", seconds(0.2, 3600), "time between two polls of each symbol's trades"),
    Setting("KLINES_INTERVAL_SECONDS", "5", seconds(0.2, 3600), "time between two polls of each symbol's candles"),
    Setting("ORDER_BOOK_LEVELS", "20", whole(1, 1000), "levels kept on each side of the order book"),
    Setting("TRADES_BACKFILL", "10m", duration, "how far back trades are fetched on the first start"),
    Setting("KLINES_BACKFILL", "1d", duration, "how far back candles are fetched on the first start"),
    Setting(
        "TRADES_RETENTION_DAYS", "3", whole(1, 3650), "days of trades kept in PostgreSQL (Cassandra has its own TTL)"
    ),
    Setting("WEIGHT_BUDGET_PERCENT", "50", whole(1, 100), "share of the exchange's request weight we may spend"),
    # PostgreSQL (libpq's own names)
    Setting("PGHOST", "localhost", required, "PostgreSQL host"),
    Setting("PGPORT", "5432", port, "PostgreSQL port"),
    Setting("PGDATABASE", "market", required, "PostgreSQL database"),
    Setting("PGUSER", "crypto_producer", required, "PostgreSQL role of the producer"),
    Setting("PGPASSWORD", "=PRODUCER_PASSWORD", required, "password of PGUSER", secret=True),
    Setting("POSTGRES_PASSWORD", "postgres", required, "password of PostgreSQL's superuser postgres", secret=True),
    Setting("PRODUCER_PASSWORD", "crypto_producer", required, "password given to role crypto_producer", secret=True),
    Setting("DEBEZIUM_PASSWORD", "crypto_debezium", required, "password given to role crypto_debezium", secret=True),
    Setting("READER_PASSWORD", "crypto_reader", required, "password given to role crypto_reader", secret=True),
    # Debezium and Kafka
    Setting("CONNECT_URL", "http://localhost:8083", url, "REST address of Kafka Connect"),
    Setting("DEBEZIUM_PGHOST", "=PGHOST", required, "PostgreSQL host as Kafka Connect sees it"),
    Setting("DEBEZIUM_PGPORT", "=PGPORT", port, "PostgreSQL port as Kafka Connect sees it"),
    Setting("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092", hosts, "Kafka brokers, host:port"),
    Setting("TOPIC_PREFIX", "crypto", identifier, "first part of every topic name; never change it on a running stack"),
    Setting("CONSUMER_GROUP", "crypto-cassandra", required, "Kafka consumer group of the consumer"),
    # Cassandra
    Setting("CASSANDRA_CONTACT_POINTS", "localhost", hosts, "Cassandra hosts"),
    Setting("CASSANDRA_PORT", "9042", port, "Cassandra's CQL port"),
    Setting("CASSANDRA_LOCAL_DC", "datacenter1", required, "Cassandra data centre this program talks to"),
    Setting("CASSANDRA_KEYSPACE", "crypto", identifier, "Cassandra keyspace"),
    Setting(
        "CASSANDRA_USERNAME", "crypto_writer", required, "Cassandra role of this program", own={"api": "crypto_reader"}
    ),
    Setting(
        "CASSANDRA_PASSWORD",
        "=CASSANDRA_WRITER_PASSWORD",
        required,
        "password of CASSANDRA_USERNAME",
        secret=True,
        own={"api": "=CASSANDRA_READER_PASSWORD"},
    ),
    Setting(
        "CASSANDRA_ADMIN_PASSWORD", "cassandra", required, "password of Cassandra's superuser cassandra", secret=True
    ),
    Setting(
        "CASSANDRA_WRITER_PASSWORD", "crypto_writer", required, "password given to role crypto_writer", secret=True
    ),
    Setting(
        "CASSANDRA_READER_PASSWORD", "crypto_reader", required, "password given to role crypto_reader", secret=True
    ),
    # Our own services
    Setting("API_HOST", "127.0.0.1", required, "address the API listens on"),
    Setting("API_PORT", "5000", port, "port of the API"),
    Setting(
        "API_CORS_ORIGINS",
        "off",
        origins,
        "web pages that may read the API from a browser: off, * or origins, comma-separated",
    ),
    Setting("METRICS_HOST", "127.0.0.1", required, "address where this program serves /metrics and /health"),
    Setting(
        "METRICS_PORT",
        "9101",
        port,
        "where this program serves /metrics and /health",
        own={"consumer": "9102", "guard": "9103"},
    ),
    Setting("SIMULATOR_PORT", "9600", port, "port of the simulated exchange (make demo)"),
    Setting("LOG_LEVEL", "INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "least severe log lines shown"),
    Setting("LOG_FORMAT", "text", one_of("text", "json"), "log lines for people or for machines"),
)


class Settings(SimpleNamespace):
    """The settings as attributes with the variables' own names (`settings.PGPORT`). Frozen; secrets
    print as ***."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are frozen; set {name} in the environment or .env")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"settings are frozen; {name} cannot be taken away")

    def __repr__(self) -> str:
        secret = {setting.name for setting in SETTINGS if setting.secret}
        return " ".join(f"{name}={'***' if name in secret else value}" for name, value in vars(self).items())


def load(program: str, environ: Mapping[str, str] | None = None, dotenv: str | Path = ".env") -> Settings:
    """The settings of `program` (producer, consumer, api, guard, schema, local). The environment
    wins over `.env`, `.env` over the defaults; an empty variable counts as not set. Raises
    BadSetting for the first bad value."""
    environ = os.environ if environ is None else environ
    given = {k: v for source in (dotenv_values(dotenv), environ) for k, v in source.items() if v and v.strip()}
    defaults = {setting.name: setting.own.get(program, setting.default) for setting in SETTINGS}

    def raw_value(name: str) -> str:
        value = given.get(name, defaults[name])
        return value if name in given or not value.startswith("=") else raw_value(value[1:])

    values = {}
    for setting in SETTINGS:
        raw = raw_value(setting.name)
        try:
            values[setting.name] = setting.parser(raw.strip())
        except ValueError as error:
            shown = "***" if setting.secret else repr(raw)
            raise BadSetting(f"{setting.name}={shown}: expected {error}") from None
    return Settings(**values)
