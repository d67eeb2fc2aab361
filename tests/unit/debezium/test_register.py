import json

import pytest
import trustme

from debezium.connect import ConnectRefused, ConnectUnavailable
from debezium.register import CONNECTOR, NotRunning, connector_config, register
from pipeline.errors import PipelineError
from pipeline.settings import load
from tests.unit.debezium.conftest import CONFIG_PATH, STATUS_PATH
from tests.unit.support.http_stub import as_json

CONFIG = {"connector.class": "x"}


@pytest.fixture
def answering(kafka_connect, status_reply):
    """PUT answers 201 by default; GET status answers these states in turn."""

    def answer(*states, puts=((201, {}),)):
        kafka_connect.answer("PUT", CONFIG_PATH, *[as_json(body, status) for status, body in puts])
        kafka_connect.answer("GET", STATUS_PATH, *[status_reply(*each) for each in states])
        return kafka_connect

    return answer


@pytest.fixture
def run(connect, clock):
    """Registers with a deadline of 10 s, on a clock that only sleeping moves."""
    return lambda: register(connect, CONFIG, wait_seconds=10, clock=clock, sleep=clock.sleep)


RUNNING, STARTING, FAILED = ("RUNNING", "RUNNING"), ("RUNNING",), ("RUNNING", "FAILED")
BUSY = (409, {"message": "Cannot complete request momentarily due to stale configuration"})


def test_registration_ends_when_the_task_runs(run, answering, capsys):
    stub = answering(STARTING, STARTING, RUNNING)
    run()
    assert stub.paths("PUT") == [CONFIG_PATH]
    assert len(stub.paths("GET")) == 3
    assert capsys.readouterr().out == f"register: connector {CONNECTOR} created\n"


def test_request_to_a_rebalancing_connect_is_retried(run, answering):
    stub = answering(RUNNING, puts=[BUSY, BUSY, (201, {})])
    run()
    assert len(stub.paths("PUT")) == 3


def test_connect_that_is_still_starting_is_waited_for(run, answering, clock):
    answering(RUNNING, puts=[(404, {}), (404, {}), (404, {}), (201, {})])
    run()
    assert len(clock.slept) == 3


def test_second_registration_only_updates(run, answering, capsys):
    stub = answering(RUNNING, puts=[(201, {}), (200, {})])
    run()
    run()
    assert len(stub.paths("PUT")) == 2
    assert {request.method for request in stub.requests} == {"PUT", "GET"}
    assert capsys.readouterr().out.splitlines() == [
        f"register: connector {CONNECTOR} created",
        f"register: connector {CONNECTOR} updated",
    ]


def test_task_that_fails_first_and_then_runs_is_accepted(run, answering):
    answering(FAILED, STARTING, RUNNING)
    run()


def test_task_that_stays_failed_is_reported_with_its_trace(run, answering, clock):
    answering(FAILED)
    with pytest.raises(NotRunning, match=r"tasks FAILED.*ConnectException: slot is gone") as caught:
        run()
    assert isinstance(caught.value, PipelineError)
    assert 10 <= sum(clock.slept) < 11


def test_task_that_never_exists_is_reported_after_the_wait(run, answering):
    answering(STARTING)
    with pytest.raises(NotRunning, match=r"does not run after 10 s \(connector RUNNING, tasks none"):
        run()


def test_connect_that_never_answers_is_reported_after_the_wait(run, clock):
    with pytest.raises(ConnectUnavailable):
        run()
    assert 10 <= sum(clock.slept) < 11


def test_wrong_configuration_ends_the_registration_at_once(run, answering, clock):
    answering(puts=[(400, {"message": "slot.name is invalid"})])
    with pytest.raises(ConnectRefused, match=r"slot\.name is invalid"):
        run()
    assert clock.slept == []


def test_rebalance_while_waiting_for_the_task_does_not_register_twice(run, kafka_connect, status_reply):
    kafka_connect.answer("PUT", CONFIG_PATH, as_json({}, 201))
    kafka_connect.answer("GET", STATUS_PATH, as_json({}, 409), as_json({}, 500), status_reply(*RUNNING))
    run()
    assert len(kafka_connect.paths("PUT")) == 1


def test_configuration_takes_addresses_and_names_from_the_settings(tmp_path):
    environ = {"PGHOST": "db", "DEBEZIUM_PGPORT": "6000", "PGDATABASE": "other", "TOPIC_PREFIX": "trial"}
    config = connector_config(load("register", environ, tmp_path / "none"))
    assert config["database.hostname"] == "db"
    assert config["database.port"] == "6000"
    assert config["database.dbname"] == "other"
    assert config["topic.prefix"] == "trial"
    assert all(isinstance(value, str) for value in config.values())


def test_configuration_that_is_sent_holds_no_password_of_the_settings(tmp_path):
    secrets = {name: f"hidden-{name}" for name in ("DEBEZIUM_PASSWORD", "PGPASSWORD", "POSTGRES_PASSWORD")}
    assert "hidden" not in json.dumps(connector_config(load("register", secrets, tmp_path / "none")))


def test_configuration_takes_tls_and_the_shape_of_new_topics_from_the_settings(tmp_path):
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    environ = {
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(tmp_path / "ca.pem"),
        "KAFKA_REPLICATION_FACTOR": "3",
        "KAFKA_PARTITIONS": "12",
    }
    config = connector_config(load("register", environ, tmp_path / "none"))
    assert config["database.sslmode"] == "verify-full"
    assert config["database.sslrootcert"] == str(tmp_path / "ca.pem")
    assert config["topic.creation.default.replication.factor"] == "3"
    assert config["topic.creation.default.partitions"] == "12"


def test_authorities_of_the_machine_are_those_of_java_for_the_connector(tmp_path):
    environ = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "system"}
    config = connector_config(load("register", environ, tmp_path / "none"))
    assert config["database.sslfactory"] == "org.postgresql.ssl.DefaultJavaSSLFactory"
    assert "database.sslrootcert" not in config


def test_slot_is_copied_to_a_standby_only_when_the_settings_say_so(tmp_path):
    assert "slot.failover" not in connector_config(load("register", {}, tmp_path / "none"))
    config = connector_config(load("register", {"DEBEZIUM_SLOT_FAILOVER": "on"}, tmp_path / "none"))
    assert config["slot.failover"] == "true"
