"""The whole chain with TLS and logins everywhere: each program does its work, and a wrong password,
authority or file ends in one clear line."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import psycopg2
import pytest
import requests

from local.ports import free_ports
from pipeline import cassandra_session, postgres, redis_client
from tests.integration.secure.conftest import Secured
from tests.support.program import ROOT, Program
from tests.support.secure.servers import PASSWORD
from tests.support.waiting import wait_until

INSERT = "INSERT INTO latest_prices (symbol, updated_at, price) VALUES ('TLSUSDT', now(), 12.5)"
PROGRAMS = (
    "consumer_to_cassandra.py",
    "consumer_to_redis.py",
    "consumer_to_grafana.py",
    "producer_binance.py",
    "forecast_volatility.py",
    "debezium.guard",
    "pipeline.reconciliation.auditor",
)


@pytest.fixture(scope="module")
def start(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Program]:
    """Starts a program with the settings of the secured stack."""
    logs, numbers = tmp_path_factory.mktemp("programs"), itertools.count(1)

    def start_program(name: str, **environ: str) -> Program:
        command = [name] if name.endswith(".py") else ["-m", name]
        port = free_ports(1)[0]
        settings = {**secured.environ, "METRICS_PORT": str(port), **environ}
        return Program(command, settings, logs / f"{next(numbers):02}_{name}.log", port)

    return start_program


@pytest.fixture(scope="module")
def running(secured: Secured, start: Callable[..., Program]) -> Iterator[dict[str, Program]]:
    """Every program, healthy."""
    exchange = {"BINANCE_BASE_URL": f"http://127.0.0.1:{secured.stack.ports.simulator}"}
    with ExitStack() as stack:
        programs = {name: stack.enter_context(start(name, **exchange)) for name in PROGRAMS}
        for name, program in programs.items():
            wait_until(program.healthy, 60, f"the health of {name}; {program.log}")
        yield programs


@pytest.fixture(scope="module")
def api(secured: Secured, start: Callable[..., Program]) -> Iterator[str]:
    port = secured.stack.ports.api
    with start("cassandra_api.py") as program:
        program.monitor_port = port
        wait_until(program.healthy, 30, f"the API's health; {program.log}")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def superuser(secured: Secured) -> Iterator[psycopg2.extensions.connection]:
    admin = secured.settings(PGUSER="postgres", PGPASSWORD=secured.settings().POSTGRES_PASSWORD)
    with closing(postgres.connect(admin, "test")) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture(scope="module")
def table(superuser: psycopg2.extensions.connection) -> str:
    with superuser.cursor() as cursor:
        cursor.execute("CREATE TABLE over_tls (id int PRIMARY KEY, name text)")
        cursor.execute("INSERT INTO over_tls SELECT n, 'row ' || n FROM generate_series(1, 50) n")
        cursor.execute("CREATE TABLE not_mirrored AS TABLE over_tls; ALTER TABLE not_mirrored ADD PRIMARY KEY (id)")
    return "over_tls"


def test_row_arrives_in_cassandra_in_redis_and_from_the_api(
    secured: Secured, running: dict[str, Program], api: str, superuser: psycopg2.extensions.connection
) -> None:
    with superuser.cursor() as cursor:
        cursor.execute(INSERT)
    session = cassandra_session.connect(secured.settings("api"), keyspace=secured.settings().CASSANDRA_KEYSPACE)
    redis = redis_client.connect(secured.settings("redis"), 3)
    select = "SELECT price FROM latest_prices WHERE symbol = 'TLSUSDT'"
    try:
        wait_until(lambda: [row.price for row in session.execute(select)] == [12.5], 60, "the row in Cassandra")
        wait_until(lambda: redis.hexists("crypto:latest_prices", "TLSUSDT"), 60, "the row in Redis")
        assert json.loads(redis.hget("crypto:latest_prices", "TLSUSDT"))["price"] == 12.5
        wait_until(lambda: requests.get(f"{api}/health", timeout=5).json()["redis"] == "ok" or None, 60, "Redis' state")
        found = requests.get(f"{api}/latest_prices?symbol=TLSUSDT", timeout=5).json()
        assert [row["price"] for row in found] == [12.5]
    finally:
        session.cluster.shutdown()
        redis.close()


def test_every_connection_to_postgres_uses_tls(
    running: dict[str, Program], superuser: psycopg2.extensions.connection
) -> None:
    with superuser.cursor() as cursor:
        cursor.execute(
            "SELECT usename, bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
            "WHERE usename IS NOT NULL GROUP BY usename"
        )
        found = dict(cursor.fetchall())
    assert {"crypto_producer", "crypto_debezium", "crypto_forecaster"} <= set(found)
    assert set(found.values()) == {True}


def test_row_of_the_producer_comes_through_and_the_auditor_finds_all_equal(running: dict[str, Program]) -> None:
    auditor = running["pipeline.reconciliation.auditor"]
    wait_until(lambda: "round_done" in auditor.output() or auditor.output()[-300:], 60, "a round of the auditor")
    assert "round_done" in auditor.output()
    assert running["producer_binance.py"].metric("producer_rows_changed_total") > 0


def run_once(secured: Secured, *command: str, **environ: object) -> subprocess.CompletedProcess[str]:
    changed = {name: str(value) for name, value in environ.items()}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**secured.environ, **changed},
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_table_is_mirrored_and_reconciled(secured: Secured, running: dict[str, Program], api: str, table: str) -> None:
    mirrored = run_once(secured, "mirror_table.py", table)
    assert mirrored.returncode == 0, mirrored.stdout + mirrored.stderr
    compared = run_once(secured, "reconcile.py", "--no-exchange", "--tables", table, "--json")
    assert compared.returncode == 0, compared.stdout + compared.stderr


class Refused(NamedTuple):
    """A command, the setting that is wrong (a file of the certificates, or a password), and what
    its last line says."""

    command: tuple[str, ...]
    wrong: tuple[str, str]
    said: str


REFUSED = (
    Refused(
        ("-m", "debezium.register", "--wait-seconds", "2"), ("PGSSLROOTCERT", "wrong_ca"), "certificate verify failed"
    ),
    Refused(
        ("-m", "pipeline.schema", "postgres", "--wait-seconds", "2"),
        ("POSTGRES_PASSWORD", ""),
        "password authentication",
    ),
    Refused(
        ("-m", "pipeline.schema", "cassandra", "--wait-seconds", "2"),
        ("CASSANDRA_CA_FILE", "wrong_ca"),
        "verify failed",
    ),
    Refused(("mirror_table.py", "not_mirrored"), ("KAFKA_PASSWORD", ""), "SaslAuthenticationFailedError"),
    Refused(("mirror_table.py", "not_mirrored"), ("CASSANDRA_ADMIN_PASSWORD", ""), "password"),
    Refused(("reconcile.py", "--no-exchange"), ("KAFKA_CA_FILE", "wrong_ca"), "certificate verify failed"),
)


@pytest.fixture(scope="module")
def ended(secured: Secured, table: str) -> dict[Refused, subprocess.CompletedProcess[str]]:
    """All of them at the same time: each waits for some seconds."""

    def run(refused: Refused) -> subprocess.CompletedProcess[str]:
        name, file = refused.wrong
        return run_once(secured, *refused.command, **{name: getattr(secured.certificates, file) if file else "hidden"})

    with ThreadPoolExecutor(len(REFUSED)) as pool:
        return dict(zip(REFUSED, pool.map(run, REFUSED)))


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: " ".join((*refused.command[:3], refused.wrong[0])))
def test_command_that_is_not_let_in_ends_with_one_line(
    ended: dict[Refused, subprocess.CompletedProcess[str]], refused: Refused
) -> None:
    process = ended[refused]
    assert process.returncode == 1
    assert refused.said in process.stderr.strip().splitlines()[-1]
    assert "Traceback" not in process.stderr
    for secret in ("hidden", PASSWORD):
        assert secret not in process.stdout + process.stderr


def test_program_that_is_not_let_in_goes_on_trying_and_says_why(start: Callable[..., Program]) -> None:
    with start("consumer_to_redis.py", KAFKA_PASSWORD="hidden") as program:
        wait_until(lambda: "kafka_unavailable" in program.output() or None, 30, "a line in the log")
        lines = [line for line in program.output().splitlines() if "kafka_unavailable" in line]
        assert "SaslAuthenticationFailedError" in lines[0]
        assert program.process.poll() is None
        assert program.stop(20) == 0
        assert "hidden" not in program.output()


def test_setting_that_cannot_be_used_ends_the_program_with_2(secured: Secured, tmp_path: Path) -> None:
    ended = run_once(secured, "consumer_to_cassandra.py", KAFKA_CA_FILE=tmp_path / "none.pem")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "KAFKA_CA_FILE=" in ended.stderr
