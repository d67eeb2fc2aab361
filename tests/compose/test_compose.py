"""The whole demo stack as a user starts it: up, rows on every route, every service restarted, down
and up, down -v."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import requests

from local.ports import free_ports
from pipeline.times import now_ms
from tests.compose.compose import Compose, docker
from tests.support.grafana.checks import LIVE
from tests.support.grafana.files import dashboards, targets
from tests.support.grafana.resolver import Resolver, has_values
from tests.support.program import ROOT, Program
from tests.support.waiting import wait_until

ONE_SHOTS = {"exchange-live", "exchange-demo", "postgres-schema", "cassandra-schema", "connector"}
SERVERS = (
    "simulator",
    "producer",
    "postgres",
    "forecaster",
    "kafka",
    "connect",
    "guard",
    "cassandra",
    "consumer",
    "redis",
    "consumer-redis",
    "auditor",
    "api",
    "prometheus",
    "grafana",
    "live",
)
PROGRAMS = {"producer", "guard", "forecaster", "consumer", "consumer-redis", "auditor", "api", "live"}
BUILT = ONE_SHOTS | PROGRAMS | {"simulator"}
ROUTES = ("klines", "recent_trades", "order_book", "latest_prices", "crypto_24h_stats", "forecasts")
# What there is only when Grafana takes frames.
OF_STREAM = re.compile(r"live_(delay|frames|last_frame)")
# From a restart to fresh rows; Cassandra takes longest, because its clients try every 5 s.
HEAL_SECONDS = 150


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """The stack, up and healthy for the first time."""
    with Compose() as project:
        project.first_start()
        yield project


def rows(compose: Compose, route: str, **parameters: str | int) -> list[dict]:
    reply = requests.get(compose.url("API_PORT", f"/{route}"), parameters, timeout=5)
    return reply.json() if reply.status_code == 200 else []


def trades_newer_than(compose: Compose, moment_ms: float) -> Callable[[], object]:
    """For wait_until: a trade that the exchange made after `moment_ms` is readable, so the whole
    chain works."""

    def check() -> object:
        newest = rows(compose, "recent_trades", limit=1)
        return bool(newest and newest[-1]["trade_time"] > moment_ms) or newest

    return check


def test_one_shots_end_with_0_and_servers_are_healthy(compose: Compose) -> None:
    services = compose.services()
    assert {name: found["ExitCode"] for name, found in services.items() if name in ONE_SHOTS} == dict.fromkeys(
        ONE_SHOTS, 0
    )
    assert {n: found["Health"] for n, found in services.items() if n in SERVERS} == dict.fromkeys(SERVERS, "healthy")
    assert services.keys() == {*SERVERS, *ONE_SHOTS}


def test_built_services_have_images_of_their_own(compose: Compose) -> None:
    """Two services that export one tag at the same time break the first `up` with some engines."""
    used = [found["Image"] for name, found in compose.services().items() if name in BUILT]
    assert sorted(used) == sorted(f"{compose.project}-{name}" for name in BUILT)


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("offset.flush.interval.ms", {"5000"}),
        ("scheduled.rebalance.max.delay.ms", {"0"}),
        ("task.shutdown.graceful.timeout.ms", {"3000"}),
        ("request.timeout.ms", {"10000", "5000"}),  # the second is the one of who makes topics
        ("metadata.max.age.ms", {"5000"}),
        ("reconnect.backoff.ms", {"1000"}),
    ],
)
def test_running_worker_uses_the_setting(compose: Compose, setting: str, values: set[str]) -> None:
    """The image's entrypoint overwrites some names of the file."""
    log = compose("logs", "--no-log-prefix", "connect")
    assert set(re.findall(rf"^\s+{re.escape(setting)} = (\d+)", log, re.MULTILINE)) == values


@pytest.mark.parametrize("route", ROUTES)
def test_rows_reach_the_route_without_parameters(compose: Compose, route: str) -> None:
    wait_until(lambda: bool(rows(compose, route)), 60, f"rows of /{route}")


def test_symbols_name_the_simulator_as_source(compose: Compose) -> None:
    wait_until(lambda: bool(rows(compose, "symbols")), 60, "symbols")
    assert all("simulator" in row["source"] for row in rows(compose, "symbols"))


def test_current_state_is_answered_from_redis(compose: Compose) -> None:
    def answered() -> object:
        reply = requests.get(compose.url("API_PORT", "/crypto_24h_stats?sort=volume"), timeout=5)
        return reply.headers.get("X-Answered-From") == "redis" or reply.headers

    wait_until(answered, 60, "an answer from Redis")


def test_reconcile_finds_exchange_and_stores_equal(compose: Compose) -> None:
    done = compose.attempt("run", "--rm", "-T", "reconcile", "--last", "10m", "--json", timeout_seconds=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["equal"]
    compared = {line["table"]: line["rows"] for line in found["tables"]}
    assert compared["recent_trades"] > 0
    assert compared["recent_trades (exchange)"] > 0
    assert compared["latest_prices (Redis)"] > 0


def test_connector_runs_and_shows_no_password(compose: Compose) -> None:
    status = requests.get(compose.url("CONNECT_PORT", "/connectors/crypto-postgres/status"), timeout=5).json()
    assert (status["connector"]["state"], [task["state"] for task in status["tasks"]]) == ("RUNNING", ["RUNNING"])
    config = requests.get(compose.url("CONNECT_PORT", "/connectors/crypto-postgres"), timeout=5).json()["config"]
    assert config["database.password"] == "${env:DEBEZIUM_PASSWORD}"


def test_config_warns_of_nothing(compose: Compose) -> None:
    command = ["docker", "compose", "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=compose.environ, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_host_ports_are_open_on_loopback_only(compose: Compose) -> None:
    published = [port for found in compose.services().values() for port in found["Publishers"] if port["PublishedPort"]]
    assert len(published) == len(compose.ports)
    assert {port["URL"] for port in published} == {"127.0.0.1"}


def test_prometheus_accepts_its_configuration_and_reaches_every_program(compose: Compose) -> None:
    compose("exec", "-T", "prometheus", "promtool", "check", "config", "/etc/prometheus/prometheus.yml")

    def reached() -> object:
        reply = requests.get(compose.url("PROMETHEUS_PORT", "/api/v1/query"), {"query": "up"}, timeout=5).json()
        found = {each["metric"]["job"]: each["value"][1] for each in reply["data"]["result"]}
        return found == dict.fromkeys(PROGRAMS, "1") or found

    wait_until(reached, 60, "every program scraped")


@pytest.mark.parametrize("uid", sorted(set(dashboards()) - {"cassandra-direct"}))
def test_every_panel_has_something_to_show(compose: Compose, uid: str) -> None:
    made = dashboards()[uid]
    addresses = {"market-api": compose.url("API_PORT", ""), "prometheus": compose.url("PROMETHEUS_PORT", "")}

    # A stand-in of Grafana's image takes no frames.
    streams = Resolver(addresses).promql("query", query="live_connected == 1")

    def empty() -> object:
        resolver = Resolver(addresses)
        seen = resolver.open(made, now_ms())
        asked = [
            (panel["title"], resolver.frames(target, seen))
            for panel, target in targets(made)
            if panel["datasource"] != LIVE and (streams or not OF_STREAM.search(target.get("expr", "")))
        ]
        return [title for title, frames in asked if not has_values(frames)] or True

    wait_until(empty, 60, f"something in every panel of {uid}")


@pytest.mark.parametrize(("address", "file"), [("", "notify.yaml"), ("http://127.0.0.1:9/", "notify_webhook.yaml")])
def test_alerts_are_sent_only_when_an_address_is_set(compose: Compose, address: str, file: str) -> None:
    command = ["docker", "compose", "--profile", "*", "config", "--format", "json"]
    environ = {**compose.environ, "ALERT_WEBHOOK_URL": address}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    services = json.loads(done.stdout)["services"]
    mounted = {volume["target"]: volume["source"] for volume in services["grafana"]["volumes"]}
    assert mounted["/etc/grafana/provisioning/alerting/notify.yaml"] == str(ROOT / "grafana" / file)
    sources = [v["source"] for name in ("grafana", "grafana-cassandra") for v in services[name]["volumes"]]
    assert [source for source in sources if source.startswith("/") and not Path(source).exists()] == []


@pytest.mark.parametrize("service", SERVERS)
def test_main_process_is_not_root(compose: Compose, service: str) -> None:
    container = compose("ps", "--quiet", service).strip()
    main_pid = docker("inspect", "--format", "{{.State.Pid}}", container).strip()
    processes = [line.split() for line in docker("top", container, "-eo", "pid,uid").splitlines()[1:]]
    assert [uid for pid, uid in processes if pid == main_pid] not in ([], ["0"])


def test_memory_stays_well_below_every_limit_and_5_gib_together(compose: Compose) -> None:
    ids = compose("ps", "--quiet").split()
    lines = docker("stats", "--no-stream", "--format", "{{json .}}", *ids).splitlines()
    used = {found["Name"]: found["MemUsage"].split(" / ") for found in map(json.loads, lines)}
    sizes = {name: (mebibytes(size), mebibytes(limit)) for name, (size, limit) in used.items()}
    total = sum(size for size, _ in sizes.values())
    print("\n" + "\n".join(f"{n:40} {size:5.0f} of {limit:5.0f} MiB" for n, (size, limit) in sizes.items()))
    print(f"sum {total:.0f} MiB")
    assert total < 5 * 1024, sizes
    assert {name: found for name, found in sizes.items() if found[0] * 1.3 > found[1]} == {}


def mebibytes(text: str) -> float:
    units = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}
    return next(float(text.removesuffix(unit)) * factor for unit, factor in units.items() if text.endswith(unit))


@pytest.mark.parametrize("service", SERVERS)
def test_restarted_service_heals(compose: Compose, service: str) -> None:
    compose("restart", "--timeout", "20", service)
    restarted_ms = time.time() * 1000
    wait_until(trades_newer_than(compose, restarted_ms), HEAL_SECONDS, f"fresh trades after the restart of {service}")
    wait_until(
        lambda: compose.services()[service]["Health"] == "healthy" or compose.services()[service],
        120,
        f"{service} healthy",
    )


def test_data_survive_down_and_up_and_no_trade_is_missing(compose: Compose) -> None:
    wait_until(lambda: bool(rows(compose, "recent_trades", symbol="BTCUSDT")), 60, "trades")
    known = rows(compose, "recent_trades", symbol="BTCUSDT", limit=1)[0]
    candle = next(row for row in reversed(rows(compose, "klines", symbol="BTCUSDT")) if row["is_closed"])
    compose("down", "--timeout", "20")
    stopped_ms = time.time() * 1000
    compose.up()
    begin = candle["open_time"]
    assert rows(compose, "klines", symbol="BTCUSDT", **{"from": begin, "to": begin + 1}) == [candle]
    wait_until(trades_newer_than(compose, stopped_ms), HEAL_SECONDS, "trades after the pause")
    found = rows(compose, "recent_trades", symbol="BTCUSDT", limit=5000, **{"from": known["trade_time"]})
    ids = [row["trade_id"] for row in found if row["trade_id"] >= known["trade_id"]]
    assert sorted(ids) == list(range(known["trade_id"], known["trade_id"] + len(ids)))


def host_program(compose: Compose, tmp_path: Path, *command: str, **environ: str) -> Program:
    """One of our scripts in a host shell: default settings except for the ports that this test
    project moved."""
    moved = {"KAFKA_BOOTSTRAP_SERVERS": f"localhost:{compose.ports['KAFKA_PORT']}"}
    metrics_port = free_ports(1)[0]
    settings = {**compose.environ, **moved, "METRICS_PORT": str(metrics_port), **environ}
    return Program(list(command), settings, tmp_path / "program.log", metrics_port)


def test_consumer_runs_in_a_host_shell(compose: Compose, tmp_path: Path) -> None:
    with host_program(compose, tmp_path, "consumer_to_cassandra.py", CONSUMER_GROUP="host") as program:
        wait_until(lambda: program.metric("consumer_rows_written_total") > 0 or program.output(), 60, "rows written")
        assert program.stop() == 0


def test_api_runs_in_a_host_shell(compose: Compose, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    with host_program(compose, tmp_path, "cassandra_api.py", API_PORT=str(port)) as program:
        program.monitor_port = port
        wait_until(program.healthy, 30, "the API's health")
        assert requests.get(f"http://127.0.0.1:{port}/klines", timeout=5).json()


def test_producer_runs_in_a_host_shell(compose: Compose, tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    simulator = ("-m", "simulator", "--port", port, "--seed", "99", "--symbols", "12")
    with (
        host_program(compose, tmp_path, *simulator),
        host_program(
            compose, tmp_path, "producer_binance.py", BINANCE_BASE_URL=f"http://127.0.0.1:{port}", SYMBOLS="XRPETH"
        ) as program,
    ):
        wait_until(
            lambda: program.metric("producer_rows_changed_total", table="recent_trades") > 0 or program.output(),
            60,
            "trades committed",
        )
        assert program.stop() == 0
    with (
        psycopg2.connect(
            host="127.0.0.1",
            port=compose.ports["PGPORT"],
            dbname="market",
            user="crypto_reader",
            password="crypto_reader",
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM recent_trades WHERE symbol = 'XRPETH'")
        assert cursor.fetchone()[0] > 0
