"""Every setting of every program: name, type, default, how it is read, one line of help. Read once
from the environment and `.env`, checked at start, then frozen. How text becomes a value is in
`setting_parsers.py`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from dotenv import dotenv_values

from pipeline.errors import BadSetting
from pipeline.setting import Setting, setting
from pipeline.setting_combinations import check_combinations
from pipeline.setting_parsers import (
    asset,
    ca_file,
    cert_file,
    duration,
    forecast_model,
    horizons,
    hosts,
    identifier,
    intervals,
    kafka_cert_file,
    one_of,
    origins,
    port,
    quotable,
    redis_url,
    replication_factor,
    required,
    root_cert,
    seconds,
    symbols,
    token,
    url,
    whole,
)

CONSISTENCIES = ("LOCAL_ONE", "LOCAL_QUORUM", "ONE", "QUORUM", "ALL")


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """The settings as attributes named like their variables (`settings.PGPORT`). Frozen; secrets
    print as ***."""

    # The exchange
    BINANCE_BASE_URL: str = setting(
        "https://data-api.binance.vision",
        url,
        "exchange to poll; the default serves public market data and needs no key",
    )
    SYMBOLS: tuple[str, ...] = setting(
        "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,XRPUSDT,DOGEUSDT",
        symbols,
        "tracked symbols: trades, order book and candles of these",
    )
    QUOTE_ASSET: str = setting("USDT", asset, "prices and 24 h statistics of every symbol quoted in this asset")
    KLINE_INTERVALS: tuple[str, ...] = setting("1m,1h", intervals, "candle intervals of the tracked symbols")
    PRICE_INTERVAL_SECONDS: float = setting("2", seconds(0.2, 3600), "time between two polls of the prices")
    TRACKED_PRICE_INTERVAL_SECONDS: float = setting(
        "1", seconds(0.2, 3600), "the same for the tracked symbols; twice as often while request weight is left"
    )
    STATS_INTERVAL_SECONDS: float = setting("10", seconds(1, 3600), "time between two polls of the 24 h statistics")
    ORDER_BOOK_INTERVAL_SECONDS: float = setting("3", seconds(0.2, 3600), "time between two polls of each order book")
    TRADES_INTERVAL_SECONDS: float = setting("2", seconds(0.2, 3600), "time between two polls of each symbol's trades")
    KLINES_INTERVAL_SECONDS: float = setting("5", seconds(0.2, 3600), "time between two polls of each symbol's candles")
    LISTING_INTERVAL_SECONDS: float = setting(
        "600",
        seconds(0.2, 86400),
        "time between two reads of the exchange's list of symbols and limits (weight 20 each)",
    )
    ORDER_BOOK_LEVELS: int = setting("20", whole(1, 1000), "levels kept on each side of the order book")
    TRADES_BACKFILL: float = setting("10m", duration, "how far back trades are fetched on the first start")
    KLINES_BACKFILL: float = setting("3d", duration, "how far back candles are fetched on the first start")
    TRADES_RETENTION_DAYS: int = setting(
        "3", whole(1, 3650), "days of trades kept in PostgreSQL (Cassandra has its own TTL)"
    )
    WEIGHT_BUDGET_PERCENT: int = setting("50", whole(1, 100), "share of the exchange's request weight we may spend")

    # Forecasts of volatility
    FORECAST_HORIZONS: tuple[int, ...] = setting(
        "15m,1h", horizons, "how far ahead volatility is forecast; off: no forecasts"
    )
    FORECAST_MODEL: str = setting(
        "log_har", forecast_model, "naive, ewma, log_har, or module:Class of a regressor of your own"
    )

    # PostgreSQL (libpq's own names)
    PGHOST: str = setting(
        "localhost",
        required,
        "PostgreSQL host; of several, comma-separated, PGTARGETSESSIONATTRS=read-write finds the primary",
    )
    PGPORT: int = setting("5432", port, "PostgreSQL port")
    PGDATABASE: str = setting("market", required, "PostgreSQL database")
    PGUSER: str = setting(
        "crypto_producer",
        required,
        "PostgreSQL role of this program",
        own={"forecaster": "crypto_forecaster", "auditor": "crypto_auditor"},
    )
    PGPASSWORD: str = setting(
        "=PRODUCER_PASSWORD",
        required,
        "password of PGUSER",
        secret=True,
        own={"forecaster": "=FORECASTER_PASSWORD", "auditor": "=AUDITOR_PASSWORD"},
    )
    PGSSLMODE: str = setting(
        "prefer",
        one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        "TLS to PostgreSQL as in libpq; verify-full: always, and the server must prove who it is",
    )
    PGSSLROOTCERT: str = setting(
        "",
        root_cert,
        "PEM file of the authority that PostgreSQL's certificate comes from; system: those of this machine",
    )
    POSTGRES_USER: str = setting(
        "postgres", required, "PostgreSQL's superuser, or the administrator of a managed PostgreSQL"
    )
    POSTGRES_PASSWORD: str = setting("postgres", required, "password of POSTGRES_USER", secret=True)
    PRODUCER_PASSWORD: str = setting("crypto_producer", required, "password given to role crypto_producer", secret=True)
    FORECASTER_PASSWORD: str = setting(
        "crypto_forecaster", required, "password given to role crypto_forecaster", secret=True
    )
    AUDITOR_PASSWORD: str = setting("crypto_auditor", required, "password given to role crypto_auditor", secret=True)
    DEBEZIUM_PASSWORD: str = setting("crypto_debezium", required, "password given to role crypto_debezium", secret=True)
    READER_PASSWORD: str = setting("crypto_reader", required, "password given to role crypto_reader", secret=True)

    # Debezium and Kafka
    CONNECT_URL: str = setting("http://localhost:8083", url, "REST address of Kafka Connect")
    DEBEZIUM_PGHOST: str = setting("=PGHOST", required, "PostgreSQL host as Kafka Connect sees it")
    DEBEZIUM_PGPORT: int = setting("=PGPORT", port, "PostgreSQL port as Kafka Connect sees it")
    DEBEZIUM_SLOT_FAILOVER: str = setting(
        "off",
        one_of("off", "on"),
        "whether PostgreSQL (17 or newer) may copy a new slot of the connector to a standby",
    )
    KAFKA_BOOTSTRAP_SERVERS: tuple[str, ...] = setting("localhost:9092", hosts, "Kafka brokers, host:port")
    KAFKA_SECURITY_PROTOCOL: str = setting(
        "PLAINTEXT",
        one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        "how to connect to Kafka: SSL is TLS, SASL a login",
    )
    KAFKA_SASL_MECHANISM: str = setting(
        "SCRAM-SHA-512", one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"), "how to log in to Kafka"
    )
    KAFKA_USERNAME: str = setting("", quotable, "Kafka user of this program, and of Kafka Connect")
    KAFKA_PASSWORD: str = setting("", quotable, "password of KAFKA_USERNAME", secret=True)
    KAFKA_CA_FILE: str = setting(
        "", ca_file, "PEM file of the authority that the brokers' certificates come from; empty: those of this machine"
    )
    KAFKA_CERT_FILE: str = setting(
        "",
        kafka_cert_file,
        "PEM file with a client certificate for Kafka and its private key (PKCS#8, for Kafka Connect)",
    )
    KAFKA_REPLICATION_FACTOR: int = setting(
        "-1", replication_factor, "copies that Kafka keeps of each new topic; -1: as many as the brokers' default"
    )
    KAFKA_PARTITIONS: int = setting("4", whole(1, 10_000), "Kafka partitions of each new topic of a captured table")
    TOPIC_PREFIX: str = setting(
        "crypto", identifier, "first part of every topic name; never change it on a running stack"
    )
    CONSUMER_GROUP: str = setting("crypto-cassandra", required, "Kafka consumer group of the consumer")

    # Grafana Live
    GRAFANA_URL: str = setting("http://localhost:3000", url, "Grafana, to which changes are pushed as they come")
    GRAFANA_USER: str = setting("admin", required, "user of Grafana who may make service accounts")
    GRAFANA_PASSWORD: str = setting("admin", required, "password of GRAFANA_USER", secret=True)
    GRAFANA_LIVE_TOKEN: str = setting(
        "",
        token,
        "token of a service account with role Admin; empty: one is made at start and renewed",
        secret=True,
    )
    LIVE_GROUP: str = setting("crypto-grafana", required, "Kafka consumer group of the live pusher")

    # Cassandra
    CASSANDRA_CONTACT_POINTS: tuple[str, ...] = setting("localhost", hosts, "Cassandra hosts")
    CASSANDRA_PORT: int = setting("9042", port, "Cassandra's CQL port")
    CASSANDRA_LOCAL_DC: str = setting("datacenter1", required, "Cassandra data centre this program talks to")
    CASSANDRA_KEYSPACE: str = setting("crypto", identifier, "Cassandra keyspace")
    CASSANDRA_REPLICATION_FACTOR: int = setting(
        "1", whole(1, 100), "copies in each data centre of what is in a new keyspace"
    )
    CASSANDRA_WRITE_CONSISTENCY: str = setting(
        "LOCAL_ONE",
        one_of(*CONSISTENCIES),
        "how many copies must confirm a write; LOCAL_QUORUM: most in this data centre",
    )
    CASSANDRA_READ_CONSISTENCY: str = setting(
        "LOCAL_ONE",
        one_of(*CONSISTENCIES),
        "how many copies must answer a read; LOCAL_QUORUM sees every write of LOCAL_QUORUM",
    )
    CASSANDRA_TLS: str = setting(
        "off",
        one_of("off", "verify-ca", "verify-full"),
        "TLS to Cassandra; verify-full: each node's certificate must also bear its IP address",
    )
    CASSANDRA_CA_FILE: str = setting(
        "", ca_file, "PEM file of the authority that the nodes' certificates come from; empty: those of this machine"
    )
    CASSANDRA_CERT_FILE: str = setting(
        "", cert_file, "PEM file with a client certificate for Cassandra and its private key"
    )
    CASSANDRA_USERNAME: str = setting(
        "crypto_writer", required, "Cassandra role of this program", own={"api": "crypto_reader"}
    )
    CASSANDRA_PASSWORD: str = setting(
        "=CASSANDRA_WRITER_PASSWORD",
        required,
        "password of CASSANDRA_USERNAME",
        secret=True,
        own={"api": "=CASSANDRA_READER_PASSWORD"},
    )
    CASSANDRA_ADMIN_USERNAME: str = setting(
        "cassandra", required, "Cassandra's superuser, or the administrator of a managed Cassandra"
    )
    CASSANDRA_ADMIN_PASSWORD: str = setting("cassandra", required, "password of CASSANDRA_ADMIN_USERNAME", secret=True)
    CASSANDRA_WRITER_PASSWORD: str = setting(
        "crypto_writer", required, "password given to role crypto_writer", secret=True
    )
    CASSANDRA_READER_PASSWORD: str = setting(
        "crypto_reader", required, "password given to role crypto_reader", secret=True
    )

    # Redis: what is true now. Used by consumer_to_redis.py, the API, reconcile.py and the auditor
    REDIS_URL: str = setting(
        "off",
        redis_url,
        "redis://host:port of Redis for the current state, with TLS rediss://; off: no Redis, nor is it compared",
        own={"redis": "redis://localhost:6379"},
    )
    REDIS_PASSWORD: str = setting("crypto_redis", required, "password of Redis", secret=True)
    REDIS_CA_FILE: str = setting(
        "", ca_file, "PEM file of the authority that Redis' certificate comes from; empty: those of this machine"
    )
    REDIS_CONSUMER_GROUP: str = setting("crypto-redis", required, "Kafka consumer group of the consumer to Redis")

    # This project's own services
    API_HOST: str = setting("127.0.0.1", required, "address the API listens on")
    API_PORT: int = setting("5000", port, "port of the API")
    API_CORS_ORIGINS: tuple[str, ...] = setting(
        "off", origins, "web pages that may read the API from a browser: off, * or origins, comma-separated"
    )
    METRICS_HOST: str = setting("127.0.0.1", required, "address where this program serves /metrics and /health")
    METRICS_PORT: int = setting(
        "9101",
        port,
        "where this program serves /metrics and /health",
        own={
            "consumer": "9102",
            "guard": "9103",
            "forecaster": "9104",
            "auditor": "9105",
            "live": "9106",
            "redis": "9107",
        },
    )
    SIMULATOR_PORT: int = setting("9600", port, "port of the simulated exchange (make demo)")
    LOG_LEVEL: str = setting("INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "least severe log lines shown")
    LOG_FORMAT: str = setting("text", one_of("text", "json"), "log lines for people or for machines")

    def override(self, **values: Any) -> Self:
        """A copy with other values, e.g. to log in as another role."""
        return replace(self, **values)

    def __repr__(self) -> str:
        shown = {one.name: "***" if one.secret else getattr(self, one.name) for one in SETTINGS}
        return " ".join(f"{name}={value}" for name, value in shown.items())


SETTINGS: tuple[Setting, ...] = tuple(Setting(one.name, **one.metadata) for one in fields(Settings))


def load(program: str, environ: Mapping[str, str] | None = None, dotenv: str | Path = ".env") -> Settings:
    """The settings of `program` (producer, consumer, live, redis, api, guard, forecaster, auditor,
    schema, register, local). The environment wins over `.env`, `.env` over the defaults; an empty
    variable counts as not set. Raises BadSetting for the first bad value, or for values that do
    not go together."""
    environ = os.environ if environ is None else environ
    given = {k: v for source in (dotenv_values(dotenv), environ) for k, v in source.items() if v and v.strip()}
    defaults = {setting.name: setting.own.get(program, setting.default) for setting in SETTINGS}

    def raw_value(name: str) -> str:
        value = given.get(name, defaults[name])
        return value if name in given or not value.startswith("=") else raw_value(value[1:])

    values = {}
    for each in SETTINGS:
        raw = raw_value(each.name)
        try:
            values[each.name] = each.parser(raw.strip())
        except ValueError as error:
            shown = "***" if each.secret else repr(raw)
            raise BadSetting(f"{each.name}={shown}: expected {error}") from None
    check_combinations(values)
    return Settings(**values)
