"""When Cassandra's logins get more copies. tests/compose_cluster does it with three nodes."""

import logging
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from cassandra import ConsistencyLevel, Unauthorized, Unavailable
from cassandra.cluster import NoHostAvailable

from pipeline import login_replication
from pipeline.login_replication import replicate_logins
from pipeline.settings import load

SIMPLE = {"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "1"}
NETWORK = {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc": "3"}


class Node(NamedTuple):
    number: int
    datacenter: str


class FakeSession:
    """`done`: the statements but for the two questions; those of all copies end with ALL."""

    def __init__(self, replication, refuses=None, nodes=(("dc", 1),) * 3):
        self.nodes = nodes
        self.replication = replication
        self.refuses = refuses
        self.done = []

    def get_pool_state(self):
        return {Node(i, data_center): {"open_count": count} for i, (data_center, count) in enumerate(self.nodes)}

    def execute(self, statement, *_parameters, **_options):
        if not isinstance(statement, str):
            assert statement.consistency_level == ConsistencyLevel.ALL
            self.done.append(f"{statement.query_string} ALL")
            return []
        if "system_schema.keyspaces" in statement:
            return SimpleNamespace(one=lambda: (self.replication,))
        if "system_schema.tables" in statement:
            return [("roles",), ("role_permissions",)]
        if self.refuses:
            raise self.refuses
        self.done.append(statement)
        return []


def settings(copies):
    return load("schema", {"CASSANDRA_REPLICATION_FACTOR": str(copies), "CASSANDRA_LOCAL_DC": "dc"}, "/dev/null")


def test_logins_get_as_many_copies_as_the_data_and_each_is_filled():
    session = FakeSession(SIMPLE)
    replicate_logins(session, settings(3))
    assert session.done == [
        "ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'dc': 3}",
        "SELECT * FROM system_auth.roles ALL",
        "SELECT * FROM system_auth.role_permissions ALL",
    ]


@pytest.mark.parametrize(("replication", "copies"), [(SIMPLE, 1), (NETWORK, 3), (NETWORK, 1)])
def test_enough_copies_are_left_alone_and_never_become_fewer(replication, copies):
    session = FakeSession(replication)
    replicate_logins(session, settings(copies))
    assert session.done == []


@pytest.mark.parametrize("third", [("dc", 0), ("elsewhere", 1)])
def test_logins_get_no_copy_on_a_node_that_is_not_up(third, caplog, monkeypatch):
    monkeypatch.setattr(login_replication, "CONNECT_SECONDS", 0)
    session = FakeSession(SIMPLE, nodes=[("dc", 1), ("dc", 1), third])
    replicate_logins(session, settings(3))
    [record] = caplog.records
    assert (record.message, record.nodes_up, session.done) == ("logins_not_replicated", 2, [])


@pytest.mark.parametrize("error", [Unauthorized("no"), Unavailable("2 of 3"), NoHostAvailable("none", {})])
def test_what_the_cluster_does_not_do_is_a_warning(error, caplog):
    caplog.set_level(logging.WARNING)
    replicate_logins(FakeSession(SIMPLE, refuses=error), settings(3))
    assert [record.message for record in caplog.records] == ["logins_not_replicated"]
