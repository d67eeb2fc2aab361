"""Copies Cassandra's own keyspace of roles and permissions to as many nodes as the data. A new
cluster has one copy: nobody could log in while that node is dead. Knows CQL; knows no table of
this project."""

import logging

from cassandra import ConsistencyLevel, RequestExecutionException, RequestValidationException
from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from pipeline.settings import Settings

log = logging.getLogger(__name__)

KEYSPACE = "system_auth"
READ_TIMEOUT_SECONDS = 60


def replicate_logins(session: Session, settings: Settings) -> None:
    """More copies when there are fewer than CASSANDRA_REPLICATION_FACTOR; never fewer. What a
    managed service refuses is its own business: then only a warning."""
    wanted = settings.CASSANDRA_REPLICATION_FACTOR
    if copies_in(session, settings.CASSANDRA_LOCAL_DC) >= wanted:
        return
    replication = f"{{'class': 'NetworkTopologyStrategy', '{settings.CASSANDRA_LOCAL_DC}': {wanted}}}"
    try:
        session.execute(f"ALTER KEYSPACE {KEYSPACE} WITH replication = {replication}", timeout=READ_TIMEOUT_SECONDS)
        fill_new_copies(session)
    except (RequestValidationException, RequestExecutionException) as error:
        log.warning("logins_not_replicated", extra={"keyspace": KEYSPACE, "wanted": wanted, "error": str(error)})
    else:
        log.info("logins_replicated", extra={"keyspace": KEYSPACE, "wanted": wanted})


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
