"""Every kind of node killed in turn while a client asks the API twice a second, then the primary
PostgreSQL lost; in the end everything is equal, row by row. Needs 10 GiB. The figures it prints are
in docs/cluster.md."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.compose.compose import docker
from tests.compose_cluster.client import Client
from tests.compose_cluster.cluster import BROKERS, CASSANDRAS, WORKERS, Cluster
from tests.support.waiting import wait_until

MAX_GAP_SECONDS = 5.0
MAX_FRESH_SECONDS = 15.0
DEAD_SECONDS = 20.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as project:
        project.first_start()
        yield project


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> Iterator[Client]:
    def answered() -> object:
        return requests.get(cluster.url("API_PORT", "/recent_trades?symbol=BTCUSDT&limit=1"), timeout=5).json() != []

    wait_until(answered, 90, "trades")
    with Client(lambda path: cluster.url("API_PORT", path)) as running:
        yield running


def test_every_topic_has_three_copies_and_needs_two(cluster: Cluster, client: Client) -> None:
    described = cluster.kafka("kafka", "kafka-topics.sh", "--describe")
    topics = re.findall(r"^Topic: (\S+)\s.*ReplicationFactor: (\d+)\s+Configs: (\S*)", described, re.MULTILINE)
    assert {name for name, *_ in topics} >= {"crypto.public.klines", "crypto.connect.offsets", "__consumer_offsets"}
    assert {
        name for name, copies, configs in topics if copies != "3" or "min.insync.replicas=2" not in configs
    } == set()


def test_data_and_logins_have_three_copies(cluster: Cluster) -> None:
    found = cluster.cqlsh("cassandra", "SELECT keyspace_name, replication FROM system_schema.keyspaces")
    lines = {line.split("|")[0].strip(): line for line in found.splitlines() if "|" in line}
    assert "'3'" in lines["crypto"]
    assert "'datacenter1': '3'" in lines["system_auth"]
    for node in CASSANDRAS:
        roles = cluster.cqlsh(node, "CONSISTENCY ONE; SELECT role FROM system_auth.roles")
        assert {"cassandra", "crypto_writer", "crypto_reader"} <= set(roles.split())


def survive(cluster: Cluster, client: Client, what: str, victim: str, back: Callable[[], object]) -> None:
    """Kills the container, waits for fresh rows, starts it again and waits until it is `back`."""
    usual = client.fresh_after(time.time(), 60)
    killed_at = time.time()
    docker("kill", victim)
    fresh = client.fresh_after(killed_at, 90)
    time.sleep(max(0.0, killed_at + DEAD_SECONDS - time.time()))  # so that the others miss something
    started_at = time.time()
    docker("start", victim)
    wait_until(lambda: cluster.healthy(victim), 150, f"{what} healthy")
    wait_until(back, 90, f"{what} has caught up")
    ended_at = time.time()
    gap, (refused, asked) = client.longest_gap(killed_at, ended_at), client.refused(killed_at, ended_at)
    print(
        f"\n| {what} | {gap:.1f} | {refused} of {asked} | {fresh:.1f} ({usual:.1f}) | {ended_at - started_at:.0f} |",
        flush=True,
    )
    assert gap < MAX_GAP_SECONDS
    assert fresh < MAX_FRESH_SECONDS


def under_replicated(cluster: Cluster, broker: str) -> object:
    return cluster.kafka(broker, "kafka-topics.sh", "--describe", "--under-replicated-partitions").strip() == ""


def test_broker_that_leads_the_controllers_dies(cluster: Cluster, client: Client) -> None:
    status = cluster.kafka("kafka", "kafka-metadata-quorum.sh", "describe", "--status")
    leader = BROKERS[int(re.findall(r"LeaderId:\s+(\d)", status)[0]) - 1]
    [victim] = cluster.containers(leader)
    survive(
        cluster, client, f"broker and leading controller ({leader})", victim, lambda: under_replicated(cluster, leader)
    )


def test_cassandra_node_dies(cluster: Cluster, client: Client) -> None:
    [victim] = cluster.containers("cassandra-2")

    def all_up() -> object:
        status = cluster("exec", "-T", "cassandra-2", "nodetool", "status")
        return status.count("\nUN ") == 3 or status

    survive(cluster, client, "Cassandra node", victim, all_up)


def test_worker_that_runs_the_task_dies(cluster: Cluster, client: Client) -> None:
    state, worker = cluster.task_worker()
    assert state == "RUNNING"
    [victim] = cluster.containers(worker)
    [other] = set(WORKERS) - {worker}
    survive(cluster, client, "Connect worker with the task", victim, lambda: cluster.task_worker(other)[0] == "RUNNING")


def test_consumer_dies(cluster: Cluster, client: Client) -> None:
    victim = max(cluster.containers("consumer"))
    survive(cluster, client, "consumer", victim, lambda: cluster.healthy(*cluster.containers("consumer")))


def test_api_process_dies(cluster: Cluster, client: Client) -> None:
    victim = max(cluster.containers("api"))
    survive(cluster, client, "API process", victim, lambda: cluster.healthy(*cluster.containers("api")))


def test_standby_away_holds_changes_back_until_it_returns(cluster: Cluster, client: Client) -> None:
    """So that nothing is in Cassandra that a promotion would lose."""
    [standby] = cluster.containers("postgres-2")
    killed_at = time.time()
    docker("kill", standby)
    time.sleep(DEAD_SECONDS)
    assert client.newest_trade_ms("BTCUSDT") < (killed_at + DEAD_SECONDS / 2) * 1000
    docker("start", standby)
    started_at = time.time()
    fresh = client.fresh_after(started_at, 60)
    gap = client.longest_gap(killed_at, time.time())
    print(f"\n| standby | {gap:.1f} | fresh {fresh:.1f} after its start |", flush=True)
    assert gap < MAX_GAP_SECONDS


def test_topic_gets_more_partitions_while_rows_change(cluster: Cluster, client: Client) -> None:
    """Rows move to other partitions; whether they are equal afterwards is seen at the end."""
    for table in ("recent_trades", "latest_prices"):
        topic = f"crypto.public.{table}"
        cluster.kafka("kafka", "kafka-topics.sh", "--alter", "--topic", topic, "--partitions", "8")
        described = cluster.kafka("kafka", "kafka-topics.sh", "--describe", "--topic", topic)
        assert "PartitionCount: 8" in described
    client.fresh_after(time.time(), MAX_FRESH_SECONDS)


def test_memory_of_all_nodes(cluster: Cluster) -> None:
    used = cluster.memory_mib()
    print("\n" + "\n".join(f"{name:28} {size:6.0f} MiB" for name, size in used.items()))
    print(f"sum {sum(used.values()):.0f} MiB")
    assert sum(used.values()) < 12 * 1024


def reconciled(cluster: Cluster) -> None:
    done = cluster.attempt("--profile", "demo", "--profile", "tools", "run", "--rm", "reconcile", "--last", "1h")
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_equal(cluster: Cluster, client: Client) -> None:
    reconciled(cluster)


def test_standby_becomes_the_primary_and_nothing_is_lost(cluster: Cluster, client: Client) -> None:
    slot = "SELECT synced AND failover AND NOT temporary AND invalidation_reason IS NULL FROM pg_replication_slots"
    wait_until(lambda: cluster.psql("postgres-2", slot) == "t" or cluster.psql("postgres-2", slot), 60, "the slot")
    written = f"INSERT INTO latest_prices VALUES ('LASTUSDT', {time.time():.0f}, now()) RETURNING price"
    price = cluster.psql("postgres", written)
    wait_until(
        lambda: cluster.psql("postgres-2", "SELECT price FROM latest_prices WHERE symbol = 'LASTUSDT'") == price,
        15,
        "the row on the standby",
    )
    killed_at = time.time()
    docker("kill", *cluster.containers("postgres"))
    assert cluster.psql("postgres-2", "SELECT pg_promote()") == "t"
    promoted = time.time() - killed_at
    fresh = client.fresh_after(killed_at, 120)
    gap = client.longest_gap(killed_at, time.time())
    print(f"\n| primary PostgreSQL, promoted after {promoted:.1f} s | {gap:.1f} | fresh {fresh:.1f} |", flush=True)
    assert gap < MAX_GAP_SECONDS
    assert fresh < 60
    assert cluster.psql("postgres-2", "SELECT slot_name FROM pg_replication_slots WHERE active") == "crypto_slot"
    kept = requests.get(cluster.url("API_PORT", "/latest_prices?symbol=LASTUSDT&limit=1"), timeout=5).json()
    assert kept[0]["price"] == float(price)
    reconciled(cluster)


def test_former_primary_comes_back_as_standby(cluster: Cluster, client: Client) -> None:
    cluster("rm", "--force", "--stop", "postgres")
    docker("volume", "rm", f"{cluster.project}_postgres")
    cluster.environ["POSTGRES_PRIMARY"] = "postgres-2"
    cluster("up", "--detach", "--wait", "postgres", "postgres-2", timeout_seconds=180)
    synced = "SELECT count(*) FROM pg_replication_slots WHERE synced AND NOT temporary"
    wait_until(lambda: cluster.psql("postgres", synced) == "1" or cluster.psql("postgres", synced), 90, "its slot")
    client.fresh_after(time.time(), 60)
