import json
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client import Counter

from pipeline import monitor
from pipeline.errors import BadSetting

SCRAPES = Counter("unit_test_scrapes", "Exists only to be found in /metrics")


@pytest.fixture
def start():
    servers = []

    def serve(health, **options):
        server = monitor.serve("127.0.0.1", 0, health, **options)
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.server_close()


def get(url, timeout=5):
    try:
        with urllib.request.urlopen(url, timeout=timeout) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_healthy_program_answers_200_with_its_facts(start):
    status, body = get(start(lambda: (True, {"tables": ["klines"]})) + "/health")
    assert status == 200
    assert json.loads(body) == {"healthy": True, "tables": ["klines"]}


def test_unhealthy_program_answers_503_with_its_facts(start):
    status, body = get(start(lambda: (False, {"cassandra_unavailable": True})) + "/health")
    assert status == 503
    assert json.loads(body) == {"healthy": False, "cassandra_unavailable": True}


def test_health_is_evaluated_for_every_request(start):
    answers = iter([(True, {}), (False, {})])
    url = start(lambda: next(answers)) + "/health"
    assert [get(url)[0], get(url)[0]] == [200, 503]


def test_metrics_are_served_as_prometheus_text(start):
    SCRAPES.inc(3)
    status, body = get(start(lambda: (True, {})) + "/metrics")
    assert status == 200
    assert b"unit_test_scrapes_total 3.0" in body


def test_other_path_is_404_and_names_the_two_that_exist(start):
    status, body = get(start(lambda: (True, {})) + "/")
    assert status == 404
    assert b"/health" in body
    assert b"/metrics" in body


def test_scrapes_leave_no_lines_on_stderr(start, capsys):
    get(start(lambda: (True, {})) + "/health")
    assert capsys.readouterr().err == ""


def test_port_in_use_is_a_bad_setting_that_names_it():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(BadSetting, match=f"METRICS_PORT={port}.*127.0.0.1:{port}"):
            monitor.serve("127.0.0.1", port, lambda: (True, {}))


def test_client_that_connects_and_sends_nothing_does_not_block_the_health_check(start):
    """A port scanner or a dropped scrape must not make compose restart a healthy program."""
    url = start(lambda: (True, {}))
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))):
        assert get(url + "/health", timeout=0.5)[0] == 200


def test_metrics_of_imported_code_are_left_out(start):
    assert b"unit_test_scrapes_total" in get(start(lambda: (True, {}), prefix="unit_") + "/metrics")[1]
    body = get(start(lambda: (True, {}), prefix="other_") + "/metrics")[1]
    assert b"unit_test_scrapes_total" not in body
    assert b"process_resident_memory_bytes" in body
