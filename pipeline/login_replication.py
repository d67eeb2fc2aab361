"""Copies Cassandra's own keyspace of roles and permissions to as many nodes as the data. A new
cluster has one copy: nobody could log in while that node is dead. Knows CQL; knows no table of
this project."""

import logging
import time

from cassandra import ConsistencyLevel
from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from pipeline.cassandra_session import REFUSED_ERRORS, UNAVAILABLE_ERRORS
from pipeline.settings import Settings

log = logging.getLogger(__name__)

KEYSPACE = "system_auth"
READ_TIMEOUT_SECONDS = 60
# The session connects to its nodes side by side, and gives up on one after five seconds.
CONNECT_SECONDS = 6


def replicate_logins(session: Session, settings: Settings) -> None:
    """More copies when there are fewer than CASSANDRA_REPLICATION_FACTOR; never fewer, and never
    more than nodes are up: a login asks for a majority of the copies, so that with copies on
    nodes that do not exist nobody could log in, not even to undo it. What a managed service
    refuses is its own business: then only a warning."""
    wanted, data_center = settings.CASSANDRA_REPLICATION_FACTOR, settings.CASSANDRA_LOCAL_DC
    if copies_in(session, data_center) >= wanted:
        return
    about = {"keyspace": KEYSPACE, "wanted": wanted}
    nodes = nodes_up(session, data_center, wanted)
    if nodes < wanted:
        remedy = "start the other nodes, then run again: python3 -m pipeline.schema cassandra"
        log.warning("logins_not_replicated", extra={**about, "nodes_up": nodes, "remedy": remedy})
        return
    replication = f"{{'class': 'NetworkTopologyStrategy', '{data_center}': {wanted}}}"
    try:
        session.execute(f"ALTER KEYSPACE {KEYSPACE} WITH replication = {replication}", timeout=READ_TIMEOUT_SECONDS)
        fill_new_copies(session)
    except (*REFUSED_ERRORS, *UNAVAILABLE_ERRORS) as error:
        log.warning("logins_not_replicated", extra={**about, "error": str(error)})
    else:
        log.info("logins_replicated", extra=about)


def nodes_up(session: Session, data_center: str, wanted: int) -> int:
    """Nodes of the data centre that this session is connected to, as soon as these are `wanted`, or
    after CONNECT_SECONDS. Not `Host.is_up`, which is true until a first attempt has failed."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        hosts = [host for host, pool in session.get_pool_state().items() if pool["open_count"]]
        found = sum(host.datacenter == data_center for host in hosts)
        if found >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def copies_in(session: Session, data_center: str) -> int:
    """How many copies the data centre has; SimpleStrategy counts them over all."""
    statement = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s"
    [replication] = session.execute(statement, (KEYSPACE,)).one()
    found = replication.get(data_center, replication.get("replication_factor", "0"))
    return int(found)


def fill_new_copies(session: Session) -> None:
    """Reads every row from all copies, which makes Cassandra write it where it is missing: a repair
    without access to the nodes. The keyspace has a few rows."""
    for table in session.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", (KEYSPACE,)):
        query = SimpleStatement(f"SELECT * FROM {KEYSPACE}.{table[0]}", consistency_level=ConsistencyLevel.ALL)
        list(session.execute(query, timeout=READ_TIMEOUT_SECONDS))
