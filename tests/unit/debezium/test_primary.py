"""Which of several PostgreSQL hosts the connector is given."""

import pytest

from debezium.primary import HOSTNAME, follow, with_primary

ONE, SEVERAL = {HOSTNAME: "db", "a": "b"}, {HOSTNAME: "db-1,db-2", "a": "b"}


class FakeConnect:
    def __init__(self, known):
        self.known = known
        self.put = []

    def config(self, _connector):
        return self.known

    def put_config(self, _connector, config):
        self.put.append(config)


def test_single_host_stays_whatever_name_the_connection_has():
    """Connect may know it by another name than our programs do."""
    assert with_primary(dict(ONE), "localhost") == ONE


def test_list_becomes_the_host_that_was_reached():
    assert with_primary(dict(SEVERAL), "db-2") == {HOSTNAME: "db-2", "a": "b"}


def test_connector_follows_the_primary_and_keeps_the_rest_of_its_configuration():
    connect = FakeConnect({HOSTNAME: "db-1", "skipping": "yes"})
    follow(connect, "c", SEVERAL, "db-2")
    assert connect.put == [{HOSTNAME: "db-2", "skipping": "yes"}]


@pytest.mark.parametrize(
    ("config", "known"),
    [(ONE, {HOSTNAME: "db-1"}), (SEVERAL, {HOSTNAME: "db-2"}), (SEVERAL, {})],
    ids=["one host", "already there", "not registered"],
)
def test_connector_is_left_alone(config, known):
    connect = FakeConnect(known)
    follow(connect, "c", config, "db-2")
    assert connect.put == []
