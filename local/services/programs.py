"""Our own programs and one-shots as services. Knows how each is called; does not know what it
does."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from local.checks import http
from local.replay import replay_options
from local.service import RunStep, Service
from local.site import Site

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _serves_metrics(port: int) -> Callable[[], None]:
    # Not /health: it reports a failure for as long as the exchange is unavailable, which must not
    # fail the start.
    return lambda: http.answers(f"http://127.0.0.1:{port}/metrics")


def postgres_schema(site: Site) -> Service:
    return Service(
        name="postgres-schema",
        command=(site.python, "-m", "pipeline.schema", "postgres"),
        after=("postgres",),
        one_shot=True,
    )


def cassandra_schema(site: Site) -> Service:
    return Service(
        name="cassandra-schema",
        command=(site.python, "-m", "pipeline.schema", "cassandra"),
        after=("cassandra",),
        one_shot=True,
        ready_seconds=120,
    )


def connector(site: Site) -> Service:
    return Service(
        name="connector",
        command=(site.python, "-m", "debezium.register"),
        after=("connect", "postgres-schema"),
        one_shot=True,
        ready_seconds=150,
    )


def guard(site: Site) -> Service:
    return Service(
        name="guard",
        command=(site.python, "-m", "debezium.guard"),
        after=("connector",),
        environ={"METRICS_PORT": str(site.ports.guard_metrics)},
        ready=_serves_metrics(site.ports.guard_metrics),
    )


def simulator(site: Site) -> Service:
    replay_dir = site.environ.get("REPLAY", "")
    options = replay_options(Path(replay_dir), site.state_dir) if replay_dir else ()
    return Service(
        name="simulator",
        command=(site.python, "-m", "simulator", "--port", str(site.ports.simulator), *options),
        ready=lambda: http.answers(f"http://127.0.0.1:{site.ports.simulator}/api/v3/ping"),
    )


def producer(site: Site) -> Service:
    kind = kind_of_exchange(site)

    def prepare(run: RunStep) -> None:
        # The producer itself refuses as well, but only in its log, after READY.
        if kind is not None:
            run(*(site.python, "-m", "pipeline.producer.data_source_check", kind))

    return Service(
        name="producer",
        command=(site.python, "producer_binance.py"),
        after=("simulator", "postgres-schema"),
        prepare=prepare,
        environ={"METRICS_PORT": str(site.ports.producer_metrics)},
        ready=_serves_metrics(site.ports.producer_metrics),
    )


def kind_of_exchange(site: Site) -> str | None:
    """`simulator`, `live`, or None for another exchange on this machine: only its replies say what
    it is."""
    address = urlsplit(site.settings.BINANCE_BASE_URL)
    if address.hostname not in LOOPBACK:
        return "live"
    return "simulator" if address.port == site.ports.simulator else None


def forecaster(site: Site) -> Service:
    return Service(
        name="forecaster",
        command=(site.python, "forecast_volatility.py"),
        after=("postgres-schema",),
        environ={"METRICS_PORT": str(site.ports.forecaster_metrics)},
        ready=_serves_metrics(site.ports.forecaster_metrics),
    )


def consumer(site: Site) -> Service:
    return Service(
        name="consumer",
        command=(site.python, "consumer_to_cassandra.py"),
        after=("kafka", "connector", "cassandra-schema"),
        environ={"METRICS_PORT": str(site.ports.consumer_metrics)},
        ready=_serves_metrics(site.ports.consumer_metrics),
    )


def consumer_redis(site: Site) -> Service:
    return Service(
        name="consumer-redis",
        command=(site.python, "consumer_to_redis.py"),
        after=("kafka", "connector", "redis"),
        environ={"METRICS_PORT": str(site.ports.redis_metrics)},
        ready=_serves_metrics(site.ports.redis_metrics),
    )


def auditor(site: Site) -> Service:
    return Service(
        name="auditor",
        command=(site.python, "-m", "pipeline.reconciliation.auditor"),
        after=("kafka", "connector", "cassandra-schema"),
        environ={"METRICS_PORT": str(site.ports.auditor_metrics)},
        ready=_serves_metrics(site.ports.auditor_metrics),
    )


def api(site: Site) -> Service:
    host = site.settings.API_HOST
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::", "localhost") else host
    return Service(
        name="api",
        command=(site.python, "cassandra_api.py"),
        after=("cassandra-schema",),
        ready=lambda: http.answers(f"http://{reachable}:{site.ports.api}/health", timeout_seconds=5),
    )
