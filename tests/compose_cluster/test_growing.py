"""A stack with one node of everything becomes one with three and keeps what it had. Types the
commands of docs/cluster.md."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.compose_cluster.cluster import CASSANDRAS, CHAIN, FILES, Cluster
from tests.compose_cluster.documented import STEP_SECONDS, commands, type_in
from tests.support.waiting import wait_until


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as project:
        try:
            project("build", timeout_seconds=900)
            yield project
        finally:
            project.environ["COMPOSE_FILE"] = FILES


def closed_candle(cluster: Cluster) -> dict:
    found = requests.get(cluster.url("API_PORT", "/klines?symbol=BTCUSDT&limit=50"), timeout=10)
    return next((row for row in reversed(found.json()) if row["is_closed"]), {}) if found.status_code == 200 else {}


def test_one_node_becomes_three_and_keeps_everything(cluster: Cluster) -> None:
    cluster.environ["COMPOSE_FILE"] = "docker-compose.yml"
    cluster("up", "--detach", "--wait", *CHAIN[:-1], timeout_seconds=STEP_SECONDS)
    wait_until(lambda: bool(closed_candle(cluster)), 120, "closed candles")
    before = closed_candle(cluster)
    cluster("down")
    cluster.environ["COMPOSE_FILE"] = FILES
    cluster.environ["COMPOSE_PROFILES"] = "demo"
    [[down, *lines]] = commands("From one node to three")
    assert down.startswith("docker compose down")  # the single node is stopped already
    for line in lines:
        type_in(cluster, line + (" " + " ".join(CHAIN) if line == "docker compose up -d --wait" else ""))
    begin = before["open_time"]
    query = f"/klines?symbol=BTCUSDT&from={begin}&to={begin + 1}"
    assert requests.get(cluster.url("API_PORT", query), timeout=10).json() == [before]
    for node in CASSANDRAS:
        counted = cluster.cqlsh(
            node, "CONSISTENCY ONE; SELECT count(*) FROM crypto.klines WHERE symbol = 'BTCUSDT' ALLOW FILTERING"
        )
        assert int(re.findall(r"^\s*(\d+)\s*$", counted, re.MULTILINE)[0]) > 0, node
    described = cluster.kafka("kafka", "kafka-topics.sh", "--describe")
    copies = dict(re.findall(r"^Topic: (\S+)\s.*ReplicationFactor: (\d+)", described, re.MULTILINE))
    assert {topic: found for topic, found in copies.items() if found != "3"} == {}
    assert {"crypto.connect.offsets", "__consumer_offsets", "crypto.public.klines"} <= set(copies)
    assert cluster.psql("postgres", "SELECT failover FROM pg_replication_slots WHERE slot_name = 'crypto_slot'") == "t"
    cluster.check_equal("--env", "REDIS_URL=")
