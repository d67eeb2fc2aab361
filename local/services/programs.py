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


def _serves_metrics(port: int, host: str = "127.0.0.1") -> Callable[[], None]:
    # Not /health: it reports a failure for as long as the exchange is unavailable, which must not
    # fail the start.
    return lambda: http.answers(f"http://{host}:{port}/metrics")


def _at_node(site: Site, setting: str) -> dict[str, str]:
    """That the program serves at the node's address. At the first it does what the settings say."""
    return {} if site.node == 1 else {setting: site.host}


def _program(site: Site, name: str, arguments: tuple[str, ...], metrics_port: int, *after: str) -> Service:
    """One that serves its metrics once it runs."""
    return Service(
        name=name,
        command=(site.python, *arguments),
        after=after,
        environ={"METRICS_PORT": str(metrics_port)} | _at_node(site, "METRICS_HOST"),
        ready=_serves_metrics(metrics_port, site.host),
    )


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
        ready_seconds=300,
    )


def connector(site: Site) -> Service:
    return Service(
        name="connector",
        command=(site.python, "-m", "debezium.register"),
        after=("connect", "postgres-schema"),
        one_shot=True,
        ready_seconds=300,
    )


def guard(site: Site) -> Service:
    return _program(site, "guard", ("-m", "debezium.guard"), site.ports.guard_metrics, "connector")


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
    return _program(site, "forecaster", ("forecast_volatility.py",), site.ports.forecaster_metrics, "postgres-schema")


def consumer(site: Site) -> Service:
    after = ("kafka", "connector", "cassandra-schema")
    return _program(site, "consumer", ("consumer_to_cassandra.py",), site.ports.consumer_metrics, *after)


def consumer_redis(site: Site) -> Service:
    after = ("kafka", "connector", "redis")
    return _program(site, "consumer-redis", ("consumer_to_redis.py",), site.ports.redis_metrics, *after)


def auditor(site: Site) -> Service:
    after = ("kafka", "connector", "cassandra-schema")
    return _program(site, "auditor", ("-m", "pipeline.reconciliation.auditor"), site.ports.auditor_metrics, *after)


def api(site: Site) -> Service:
    host = site.settings.API_HOST if site.node == 1 else site.host
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::", "localhost") else host
    return Service(
        name="api",
        command=(site.python, "cassandra_api.py"),
        after=("cassandra-schema",),
        environ=_at_node(site, "API_HOST"),
        ready=lambda: http.answers(f"http://{reachable}:{site.ports.api}/health", timeout_seconds=5),
    )
