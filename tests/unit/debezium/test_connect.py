import json
import socket

import pytest

from debezium.connect import Connect, ConnectRefused, ConnectUnavailable, Status, root_cause
from tests.unit.debezium.conftest import CONFIG_PATH, STATUS_PATH
from tests.unit.support.http_stub import Reply, as_json

NAME = "crypto-postgres"
CONFIG = {"connector.class": "x", "tasks.max": "1"}


def test_new_connector_is_created_and_a_known_one_updated(connect, kafka_connect):
    kafka_connect.answer("PUT", CONFIG_PATH, as_json({}, 201), as_json({}, 200))
    assert connect.put_config(NAME, CONFIG) is True
    assert connect.put_config(NAME, CONFIG) is False
    assert [json.loads(request.body) for request in kafka_connect.requests] == [CONFIG, CONFIG]


@pytest.mark.parametrize("status", [409, 500, 502, 503])
def test_busy_or_broken_connect_is_waited_for(connect, kafka_connect, status):
    kafka_connect.answer("PUT", CONFIG_PATH, as_json({"message": "rebalance in process"}, status))
    with pytest.raises(ConnectUnavailable, match="rebalance in process") as caught:
        connect.put_config(NAME, CONFIG)
    assert caught.value.retriable


def test_connect_without_any_path_is_still_starting(connect):
    with pytest.raises(ConnectUnavailable, match="starting"):
        connect.put_config(NAME, CONFIG)


@pytest.mark.parametrize("status", [400, 401, 422])
def test_wrong_configuration_is_refused_in_one_line_and_not_retried(connect, kafka_connect, status):
    body = {"error_code": status, "message": "Connector configuration is invalid\nError: slot.name\n\n"}
    kafka_connect.answer("PUT", CONFIG_PATH, as_json(body, status))
    with pytest.raises(ConnectRefused, match=r"configuration is invalid Error: slot\.name") as caught:
        connect.put_config(NAME, CONFIG)
    assert not caught.value.retriable
    assert "\n" not in str(caught.value)


def test_error_page_that_is_not_json_still_means_unavailable(connect, kafka_connect):
    for body in (b"<html>bad gateway</html>", b""):
        kafka_connect.answer("PUT", CONFIG_PATH, Reply(502, body))
        with pytest.raises(ConnectUnavailable, match="502"):
            connect.put_config(NAME, CONFIG)


def test_error_body_that_is_json_but_not_an_object_still_means_unavailable(connect, kafka_connect):
    for body in (b"[]", b"null", b'"text"'):
        kafka_connect.answer("PUT", CONFIG_PATH, Reply(502, body))
        with pytest.raises(ConnectUnavailable, match="502"):
            connect.put_config(NAME, CONFIG)


def test_connect_that_does_not_listen_is_unavailable_and_named():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ConnectUnavailable, match=url):
            Connect(url).status(NAME)


@pytest.mark.parametrize(
    ("states", "running"),
    [
        (("RUNNING", "RUNNING"), True),
        (("RUNNING",), False),
        (("RUNNING", "FAILED"), False),
        (("RUNNING", "RUNNING", "UNASSIGNED"), False),
        (("UNASSIGNED", "RUNNING"), False),
        (("PAUSED", "PAUSED"), False),
        (("FAILED",), False),
    ],
)
def test_connector_runs_only_when_all_its_tasks_run(connect, kafka_connect, status_reply, states, running):
    kafka_connect.answer("GET", STATUS_PATH, status_reply(*states))
    found = connect.status(NAME)
    assert (found.connector, found.tasks, found.running) == (states[0], states[1:], running)


@pytest.mark.parametrize(
    ("trace", "cause"),
    [
        ("a.B: ends\n\tat x\nCaused by: c.D: retries\n\tat y\nCaused by: e.F: no slot\n\t... 9 more", "e.F: no slot"),
        ("a.B: stopped\n\tat x", "a.B: stopped"),
        ("", ""),
    ],
)
def test_root_cause_of_a_java_trace_is_its_last_cause(trace, cause):
    assert root_cause(trace) == cause


def test_trace_of_a_failed_task_is_one_line(connect, kafka_connect, status_reply):
    kafka_connect.answer("GET", STATUS_PATH, status_reply("RUNNING", "FAILED"))
    assert connect.status(NAME).trace == "org.apache.kafka.connect.errors.ConnectException: slot is gone"


def test_unregistered_connector_is_absent(connect):
    assert connect.status(NAME) == Status("ABSENT", ())


def test_status_of_a_wrong_shape_means_unavailable_or_refused(connect, kafka_connect):
    """A proxy or another program on this port: no traceback, and the guard must keep running."""
    for body in (b"<html>", b"", b"[]", b"{}"):
        kafka_connect.answer("GET", STATUS_PATH, Reply(200, body))
        with pytest.raises((ConnectUnavailable, ConnectRefused)):
            connect.status(NAME)


def test_restart_of_failed_tasks_leaves_running_ones_alone(connect, kafka_connect):
    path = f"/connectors/{NAME}/restart"
    kafka_connect.answer("POST", path, Reply(202))
    connect.restart(NAME, only_failed=True)
    connect.restart(NAME, only_failed=False)
    assert [request.params for request in kafka_connect.requests] == [
        {"includeTasks": "true", "onlyFailed": "true"},
        {"includeTasks": "true", "onlyFailed": "false"},
    ]


@pytest.mark.parametrize(
    ("reply", "known"),
    [
        (as_json({"offsets": [{"partition": {}, "offset": {}}]}), True),
        (as_json({"offsets": []}), False),
        (as_json({"message": "not found"}, 404), False),
    ],
)
def test_connector_has_offsets_only_when_some_are_stored(connect, kafka_connect, reply, known):
    kafka_connect.answer("GET", f"/connectors/{NAME}/offsets", reply)
    assert connect.has_offsets(NAME) is known
