"""One node of every kind killed, cut off from the network, stopped without ending, or away for
three minutes, while 250 changes per second go on beside the demo's trades and a client asks the API
twice a second; then the primary PostgreSQL lost. In the end everything is equal, row by row. Needs
10 GiB. The figures it prints are in docs/cluster.md."""

import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import requests

from tests.compose.compose import docker
from tests.compose_cluster.cluster import BROKERS, CASSANDRAS, WORKERS, Cluster
from tests.support.api_client import Client
from tests.support.chain.load import Load
from tests.support.waiting import wait_until

MAX_GAP_SECONDS = 5.0
MAX_FRESH_SECONDS = 15.0
USUAL_SECONDS = 8.0  # without a backlog
DEAD_SECONDS = 20.0
AWAY_SECONDS = 180.0
# A node that says nothing is missed later than one whose connections are closed.
MAX_SILENT_FRESH_SECONDS = 40.0
# A worker that has not run the connector yet loads its classes first: 5 s, on busy cores 15.
MAX_TASK_FRESH_SECONDS = 30.0
# nginx asks the other API process when one has not answered for 10 s.
MAX_HANGING_GAP_SECONDS = 12.0
# What no change on its way to the API passes.
BESIDE_THE_CHAIN = ("grafana", "prometheus", "live", "forecaster", "auditor")
# The demo polls trades only as often as before: 250 changes per second are to be the load.
SELDOM = {f"{table}_INTERVAL_SECONDS": "30" for table in ("PRICE", "TRACKED_PRICE", "STATS", "ORDER_BOOK", "KLINES")}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as project:
        project.first_start()
        yield project


@pytest.fixture(scope="module")
def load(cluster: Cluster) -> Iterator[Load]:
    """250 changes per second of symbols that the exchange does not have. What is beside the chain
    rests, and the demo's own polls are few: two cores are few for three nodes of everything."""
    cluster("stop", *BESIDE_THE_CHAIN)
    cluster.environ |= SELDOM
    cluster("up", "--detach", "--wait", "--no-deps", "producer")
    with Load(cluster.primary, "LOADX", seed=1) as running:
        yield running


@pytest.fixture(scope="module")
def client(cluster: Cluster, load: Load) -> Iterator[Client]:
    def answered() -> object:
        return requests.get(cluster.url("API_PORT", "/recent_trades?symbol=BTCUSDT&limit=1"), timeout=5).json() != []

    wait_until(answered, 90, "trades")
    with Client(lambda path: requests.get(cluster.url("API_PORT", path), timeout=15)) as running:
        yield running


def test_memory_of_all_nodes(cluster: Cluster) -> None:
    used = cluster.memory_mib()
    print("\n" + "\n".join(f"{name:28} {size:6.0f} MiB" for name, size in used.items()))
    print(f"sum {sum(used.values()):.0f} MiB")
    assert sum(used.values()) < 12 * 1024


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


class Fault(NamedTuple):
    """What happens to a container, and how it ends."""

    name: str
    begin: Callable[[Cluster, str], object]
    end: Callable[[Cluster, str], object]
    seconds: float = DEAD_SECONDS  # long enough that the others miss something
    fresh_seconds: float = MAX_FRESH_SECONDS
    gap_seconds: float = MAX_GAP_SECONDS


KILLED = Fault("killed", lambda _, victim: docker("kill", victim), lambda _, victim: docker("start", victim))
AWAY = KILLED._replace(name="away for three minutes", seconds=AWAY_SECONDS)
CUT_OFF = Fault("cut off", Cluster.cut_off, Cluster.join_again, fresh_seconds=MAX_SILENT_FRESH_SECONDS)
HANGS = Fault(
    "hangs",
    lambda _, victim: docker("pause", victim),
    lambda _, victim: docker("unpause", victim),
    fresh_seconds=MAX_SILENT_FRESH_SECONDS,
    gap_seconds=MAX_HANGING_GAP_SECONDS,
)


def without_backlog(client: Client) -> float:
    """Seconds until a later trade is readable, once nothing of the fault before is left to do."""
    took: list[float] = []

    def is_quick() -> object:
        took.append(client.fresh_after(time.time(), 60))
        return took[-1] < USUAL_SECONDS or took

    wait_until(is_quick, 120, "rows that are soon readable")
    return took[-1]


def survive(
    cluster: Cluster, client: Client, what: str, victim: str, back: Callable[[], object], fault: Fault = KILLED
) -> None:
    """The fault begins, rows become readable all the same, it ends, and all is as before when
    `back` is true."""
    usual = without_backlog(client)
    began_at = time.time()
    fault.begin(cluster, victim)  # cutting it off takes seconds, in which rows still pass
    fresh = client.fresh_after(time.time(), 90)
    time.sleep(max(0.0, began_at + fault.seconds - time.time()))
    over_at = time.time()
    fault.end(cluster, victim)
    wait_until(lambda: cluster.healthy(victim), 150, f"{what} healthy")
    wait_until(back, 120, f"{what} has caught up", every_seconds=2)
    ended_at = time.time()
    gap, (refused, asked) = client.longest_gap(began_at, ended_at), client.refused(began_at, ended_at)
    figures = f"{gap:.1f} | {refused} of {asked} | {fresh:.1f} ({usual:.1f}) | {ended_at - over_at:.0f}"
    print(f"\n| {what}: {fault.name} | {figures} |", flush=True)
    assert gap < fault.gap_seconds
    assert fresh < fault.fresh_seconds


@pytest.mark.parametrize("fault", [KILLED, AWAY, CUT_OFF, HANGS], ids=lambda fault: fault.name)
def test_broker_that_leads_the_controllers(cluster: Cluster, client: Client, fault: Fault) -> None:
    status = cluster.kafka("kafka", "kafka-metadata-quorum.sh", "describe", "--status")
    leader = BROKERS[int(re.findall(r"LeaderId:\s+(\d)", status)[0]) - 1]
    [victim] = cluster.containers(leader)
    survive(cluster, client, f"broker and leading controller ({leader})", victim, cluster.in_sync, fault)


@pytest.mark.parametrize("fault", [KILLED, AWAY, CUT_OFF, HANGS], ids=lambda fault: fault.name)
def test_cassandra_node(cluster: Cluster, client: Client, fault: Fault) -> None:
    [victim] = cluster.containers("cassandra-2")

    def all_up() -> object:
        status = cluster("exec", "-T", "cassandra-2", "nodetool", "status")
        return status.count("\nUN ") == 3 or status

    survive(cluster, client, "Cassandra node", victim, all_up, fault)


@pytest.mark.parametrize(
    "fault", [KILLED._replace(fresh_seconds=MAX_TASK_FRESH_SECONDS), CUT_OFF], ids=lambda fault: fault.name
)
def test_worker_that_runs_the_task(cluster: Cluster, client: Client, fault: Fault) -> None:
    state, worker = cluster.task_worker()
    assert state == "RUNNING"
    [victim] = cluster.containers(worker)
    [other] = set(WORKERS) - {worker}

    def runs() -> object:
        return cluster.task_worker(other)[0] == "RUNNING"

    survive(cluster, client, "Connect worker with the task", victim, runs, fault)


@pytest.mark.parametrize("fault", [KILLED, CUT_OFF, HANGS], ids=lambda fault: fault.name)
@pytest.mark.parametrize("service", ["consumer", "api"])
def test_one_of_our_programs(cluster: Cluster, client: Client, service: str, fault: Fault) -> None:
    victim = max(cluster.containers(service))
    survive(cluster, client, service, victim, lambda: cluster.healthy(*cluster.containers(service)), fault)


def test_proxy_is_started_again(cluster: Cluster, client: Client) -> None:
    """It is one: between its end and its start nobody answers."""
    [victim] = cluster.containers("proxy")
    began_at = time.time()
    docker("exec", victim, "sh", "-c", "kill -9 1 || kill -9 $(cat /run/nginx.pid)")
    client.fresh_after(began_at, 60)
    gap = client.longest_gap(began_at, time.time())
    print(f"\n| proxy: killed | {gap:.1f} |", flush=True)
    assert gap < MAX_GAP_SECONDS


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


def test_everything_is_equal(cluster: Cluster, client: Client) -> None:
    cluster.check_equal()


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
    cluster.check_equal()


def test_former_primary_comes_back_as_standby(cluster: Cluster, client: Client) -> None:
    cluster("rm", "--force", "--stop", "postgres")
    docker("volume", "rm", f"{cluster.project}_postgres")
    cluster.environ["POSTGRES_PRIMARY"] = "postgres-2"
    cluster("up", "--detach", "--wait", "postgres", "postgres-2", timeout_seconds=180)
    synced = "SELECT count(*) FROM pg_replication_slots WHERE synced AND NOT temporary"
    wait_until(lambda: cluster.psql("postgres", synced) == "1" or cluster.psql("postgres", synced), 90, "its slot")
    client.fresh_after(time.time(), 60)
