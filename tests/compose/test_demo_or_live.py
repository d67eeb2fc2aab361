"""Which exchange the stack polls is what the user typed, never what happens to run. The live
exchange of these tests is a container that does not name itself a simulator."""

import re
from collections.abc import Iterator

import psycopg2
import pytest

from tests.compose.compose import Compose, docker
from tests.support.waiting import wait_until

SERVICES = ("producer", "postgres")
DEMO = "http://simulator.:9600"
# The simulator's program without the header that identifies a simulator.
LIVE_EXCHANGE = """
import sys
from simulator import __main__
from simulator.market.random_market import RandomMarket
RandomMarket.data_source = property(lambda self: "live: test", lambda self, value: None)
sys.argv = ["simulator", "--host", "0.0.0.0", "--port", "9700", "--symbols", "30"]
sys.exit(__main__.main())
"""


@pytest.fixture
def compose() -> Iterator[Compose]:
    """A project with images and nothing running. Its live exchange is at BINANCE_BASE_URL."""
    with Compose() as project:
        project.environ["BINANCE_BASE_URL"] = f"http://{project.project}-market:9700"
        try:
            project("build", timeout_seconds=900)
            yield project
        finally:
            remove_live_exchange(project)


def start_live_exchange(compose: Compose) -> None:
    name = f"{compose.project}-market"
    compose.plain(
        "run", "--detach", "--no-deps", "--name", name, "--entrypoint", "python3", "producer", "-c", LIVE_EXCHANGE
    )


def remove_live_exchange(compose: Compose) -> None:
    docker("rm", "--force", f"{compose.project}-market")


def up_live(compose: Compose) -> None:
    compose.plain("up", "--detach", *SERVICES)
    start_live_exchange(compose)


def up_demo(compose: Compose) -> None:
    compose("up", "--detach", *SERVICES, "simulator")


def polled(compose: Compose) -> str:
    """The exchange of the producer's last start."""
    starts = re.findall(r"producer_started exchange=(\S+)", compose("logs", "--no-log-prefix", "producer"))
    return starts[-1] if starts else ""


def value(compose: Compose, query: str) -> object:
    """The single value of a query; an OSError while PostgreSQL does not answer."""
    try:
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=compose.ports["PGPORT"],
            dbname="market",
            user="crypto_reader",
            password="crypto_reader",
        )
    except psycopg2.OperationalError as error:
        raise ConnectionError(str(error)) from error
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchone()
    connection.close()
    return found and found[0]


def source(compose: Compose) -> str:
    return str(value(compose, "SELECT name FROM data_source"))


def wait_for_rows_of(compose: Compose, kind: str) -> None:
    def check() -> object:
        found = source(compose), value(compose, "SELECT count(*) > 0 FROM recent_trades")
        return (found[0].startswith(kind) and found[1] is True) or found

    wait_until(check, 90, f"rows of a {kind} exchange")


def wait_for_refusal(compose: Compose, stored: str, remedy: str) -> None:
    def check() -> object:
        log = compose("logs", "--no-log-prefix", "producer")
        lines = [line for line in log.splitlines() if "this database holds rows of" in line]
        return bool(lines and f'rows of "{stored}' in lines[-1] and remedy in lines[-1]) or log[-500:]

    wait_until(check, 90, "the producer's refusal")


def test_stopped_demo_never_turns_a_later_live_stack_into_a_simulation(compose: Compose) -> None:
    up_demo(compose)
    wait_for_rows_of(compose, "simulator")
    assert polled(compose) == DEMO
    # Without the profile `down` leaves the simulator running.
    compose.plain("down")
    assert compose.state("simulator")["Status"] == "running"

    # The volumes hold simulated rows: refused, with what to type.
    up_live(compose)
    wait_for_refusal(compose, "simulator: ", "`docker compose --profile demo up`")
    assert polled(compose) == compose.environ["BINANCE_BASE_URL"]
    assert source(compose).startswith("simulator")

    # New volumes: live, although a simulator still runs in the same network.
    remove_live_exchange(compose)
    compose.plain("down", "--volumes")
    assert compose.state("simulator")["Status"] == "running"
    up_live(compose)
    wait_for_rows_of(compose, "live")
    assert polled(compose) == compose.environ["BINANCE_BASE_URL"]


def test_demo_stays_a_demo_whatever_starts_first_after_a_reboot(compose: Compose) -> None:
    up_demo(compose)
    wait_for_rows_of(compose, "simulator")
    names = ("simulator", "producer", "postgres")
    containers = {name: compose("ps", "--quiet", name).strip() for name in names}
    docker("kill", *containers.values())
    before = trades_after_start_without_simulator(compose, containers)
    docker("start", containers["simulator"])

    def more() -> object:
        found = value(compose, "SELECT count(*) FROM recent_trades")
        return (isinstance(found, int) and found > before) or found

    wait_until(more, 90, "new simulated trades")
    assert polled(compose) == DEMO
    assert source(compose).startswith("simulator")


def trades_after_start_without_simulator(compose: Compose, containers: dict[str, str]) -> int:
    """Starts the producer first, then PostgreSQL, no simulator. The producer must wait for the
    simulated exchange. Returns how many trades there are."""
    docker("start", containers["producer"])
    docker("start", containers["postgres"])
    found: list[int] = []

    def count() -> object:
        found.append(int(str(value(compose, "SELECT count(*) FROM recent_trades"))))
        return True

    wait_until(count, 60, "PostgreSQL")
    assert polled(compose) == DEMO
    return found[-1]


def test_demo_is_refused_on_live_data_and_the_live_stack_continues(compose: Compose) -> None:
    up_live(compose)
    wait_for_rows_of(compose, "live")
    done = compose.attempt("--profile", "demo", "up", "--detach", *SERVICES, "simulator")
    assert done.returncode != 0
    refusal = compose("logs", "--no-log-prefix", "exchange-demo")
    assert 'this database holds rows of "live: test"' in refusal
    assert "then `docker compose --profile demo up`" in refusal

    compose("restart", "producer")
    starts = len(re.findall("producer_started", compose("logs", "--no-log-prefix", "producer")))
    wait_until(
        lambda: compose("logs", "--no-log-prefix", "producer").count("producer_started") >= max(starts, 2) or starts,
        30,
        "the producer started again",
    )
    assert polled(compose) == compose.environ["BINANCE_BASE_URL"]
    assert source(compose) == "live: test"
