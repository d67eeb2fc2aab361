"""A broker and a Cassandra node join three of each while rows change, and leave again. Types the
commands of docs/cluster.md."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.compose_cluster.cluster import CHAIN, FILES, Cluster
from tests.compose_cluster.documented import commands, type_in
from tests.support.api_client import Client
from tests.support.chain.load import Load
from tests.support.waiting import wait_until

CHANGES_PER_SECOND = 100.0
MAX_GAP_SECONDS = 5.0


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as project:
        project("build", timeout_seconds=900)
        project.environ["COMPOSE_PROFILES"] = "demo"
        project("up", "--detach", "--wait", *CHAIN, timeout_seconds=600)
        project.environ["COMPOSE_FILE"] = f"{FILES}:cluster/fourth_nodes.yml"
        yield project


def brokers_with_records(cluster: Cluster) -> set[str]:
    described = cluster.kafka("kafka", "kafka-topics.sh", "--describe")
    return set(re.findall(r"\d+", " ".join(re.findall(r"Replicas: (\S+)", described))))


def cassandra_nodes(cluster: Cluster) -> int:
    """Those that are up and have joined."""
    return cluster("exec", "-T", "cassandra", "nodetool", "status").count("\nUN ")


def test_fourth_nodes_join_and_leave_and_nothing_is_lost(cluster: Cluster) -> None:
    join, leave = commands("A fourth broker, a fourth Cassandra node")

    def ask(path: str) -> requests.Response:
        return requests.get(cluster.url("API_PORT", path), timeout=15)

    wait_until(lambda: ask("/recent_trades?symbol=BTCUSDT&limit=1").json() != [], 90, "trades")
    with Load(cluster.primary, "FOURX", seed=1, rate=CHANGES_PER_SECOND) as load, Client(ask) as client:
        load.more(500)
        for line in join:
            type_in(cluster, line)
        assert brokers_with_records(cluster) == {"1", "2", "3", "4"}
        assert cassandra_nodes(cluster) == 4
        load.more(500)
        for line in leave:
            type_in(cluster, line)
        assert brokers_with_records(cluster) == {"1", "2", "3"}
        assert cassandra_nodes(cluster) == 3
        load.more(500)
        answered = [moment for moment, _ in client.answers]
        gap, (refused, asked) = (find(answered[0], answered[-1]) for find in (client.longest_gap, client.refused))
        print(f"\n{asked} requests, {refused} refused, longest gap {gap:.1f} s", flush=True)
        assert gap < MAX_GAP_SECONDS
    cluster.check_equal("--env", "REDIS_URL=")
