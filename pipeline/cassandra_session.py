"""Sessions with Cassandra, and which of the driver's errors mean that it is unavailable. Knows
nothing of tables."""

import ssl
from typing import Any

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    OperationTimedOut,
    RequestExecutionException,
    RequestValidationException,
    Unauthorized,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.policies import (
    ConstantSpeculativeExecutionPolicy,
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    TokenAwarePolicy,
)
from cassandra.protocol import IsBootstrappingErrorMessage, OverloadedErrorMessage, ServerError

from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings
from pipeline.tls import client_context

# Time-outs, overload, unavailable replicas, lost connections: a retry can succeed. So can a retry
# after a missing grant, which is not the record's fault. A request that Cassandra rejects as
# invalid is not among them.
UNAVAILABLE_ERRORS = (
    NoHostAvailable,
    OperationTimedOut,
    RequestExecutionException,
    ConnectionException,
    Unauthorized,
    ServerError,
    OverloadedErrorMessage,
    IsBootstrappingErrorMessage,
)
# Cassandra understood the request and will never carry it out.
REFUSED_ERRORS = (RequestValidationException,)
ASK_ANOTHER_NODE_SECONDS = 1.0
MAX_RECONNECT_PAUSE_SECONDS = 5.0


class LoginRefused(ConnectionException):
    """A node answered, and did not let us in: the password is wrong, or the node cannot read its
    logins yet, or no longer."""


class Connection(Cluster.connection_class):  # type: ignore[misc]  # chosen by the driver for this platform
    """The driver never again asks a node that has refused a login once (cassandra.pool,
    _ReconnectionHandler.on_exception). A program that runs for months must: a node that has just
    started refuses everybody while it cannot read its logins, and a password may be put right."""

    @classmethod
    def factory(cls, endpoint: Any, timeout: float, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().factory(endpoint, timeout, *args, **kwargs)
        except AuthenticationFailed as error:
            raise LoginRefused(str(error), endpoint) from error


def connect(
    settings: Settings, row_factory: object = None, keyspace: str | None = None, writes: bool = False
) -> Session:
    """A session in the local data centre, without a keyspace if `keyspace` is None. `writes`: all
    its requests have the consistency of a write. Raises StoreUnavailable."""
    consistency = settings.CASSANDRA_WRITE_CONSISTENCY if writes else settings.CASSANDRA_READ_CONSISTENCY
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=settings.CASSANDRA_LOCAL_DC)),
        consistency_level=getattr(ConsistencyLevel, consistency),
        request_timeout=10.0,
    )
    if row_factory is not None:
        profile.row_factory = row_factory
    if len(settings.CASSANDRA_CONTACT_POINTS) > 1:
        # Of idempotent statements: a node that hangs costs a second, not a time-out.
        profile.speculative_execution_policy = ConstantSpeculativeExecutionPolicy(ASK_ANOTHER_NODE_SECONDS, 1)
    cluster = Cluster(
        contact_points=list(settings.CASSANDRA_CONTACT_POINTS),
        port=settings.CASSANDRA_PORT,
        auth_provider=PlainTextAuthProvider(settings.CASSANDRA_USERNAME, settings.CASSANDRA_PASSWORD),
        ssl_context=tls_context(settings),
        connection_class=Connection,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        protocol_version=5,  # of Cassandra 4 and 5; else the driver starts at DSE's and logs each step down
        connect_timeout=5,
        control_connection_timeout=5,
        # Reconnect soon after an outage: the default waits up to ten minutes between attempts.
        reconnection_policy=ExponentialReconnectionPolicy(0.5, MAX_RECONNECT_PAUSE_SECONDS),
        # A node that is silent for so long is no longer asked; the default is 60 s.
        idle_heartbeat_interval=5,
        idle_heartbeat_timeout=5,
        # A new column must be filled from the next row on; the default waits up to two seconds.
        schema_event_refresh_window=0,
    )
    try:
        return cluster.connect(keyspace)
    except (*UNAVAILABLE_ERRORS, DriverException) as error:
        cluster.shutdown()
        where = f"{','.join(settings.CASSANDRA_CONTACT_POINTS)}:{settings.CASSANDRA_PORT}"
        raise StoreUnavailable(f"Cassandra at {where}: {error}") from error


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The driver looks names up itself: a certificate must bear the IP address of its node."""
    if settings.CASSANDRA_TLS == "off":
        return None
    checks_host = settings.CASSANDRA_TLS == "verify-full"
    return client_context(settings.CASSANDRA_CA_FILE, settings.CASSANDRA_CERT_FILE, checks_host)


def login(
    settings: Settings,
    role: str,
    password: str,
    row_factory: object = None,
    keyspace: str | None = None,
    writes: bool = False,
) -> Session:
    """Like `connect`, as another role than CASSANDRA_USERNAME. Raises StoreUnavailable, also if the
    password is wrong."""
    settings = settings.override(CASSANDRA_USERNAME=role, CASSANDRA_PASSWORD=password)
    return connect(settings, row_factory, keyspace, writes)
