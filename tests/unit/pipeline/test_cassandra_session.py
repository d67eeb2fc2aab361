"""What a session does about a node that hangs. tests/integration/nodes shows it with real ones."""

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT
from cassandra.policies import ConstantSpeculativeExecutionPolicy, NoSpeculativeExecutionPolicy

from pipeline import cassandra_session
from pipeline.settings import load


@pytest.mark.parametrize(
    ("nodes", "policy"),
    [("127.0.0.1", NoSpeculativeExecutionPolicy), ("127.0.0.1,127.0.0.2", ConstantSpeculativeExecutionPolicy)],
)
def test_another_node_is_asked_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, nodes: str, policy: type[object]
) -> None:
    made = {}

    class Cluster:
        def __init__(self, **options: object) -> None:
            made.update(options)

        def connect(self, keyspace: str | None) -> None: ...

    monkeypatch.setattr(cassandra_session, "Cluster", Cluster)
    cassandra_session.connect(load("api", {"CASSANDRA_CONTACT_POINTS": nodes}, "/dev/null"))
    assert type(made["execution_profiles"][EXEC_PROFILE_DEFAULT].speculative_execution_policy) is policy
    assert made["idle_heartbeat_interval"] + made["idle_heartbeat_timeout"] <= 10
