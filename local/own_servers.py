"""The local stack starts servers of its own, without TLS. Knows which settings are for other
servers; starts nothing."""

from collections.abc import Iterator

from pipeline.setting_combinations import WEAK_SSLMODES
from pipeline.settings import Settings


def complaints(settings: Settings, nodes: int) -> list[str]:
    """One line for each setting that the stack's own servers do not do."""
    return [f"{name}={getattr(settings, name)}: {reason}" for name, reason in refused(settings, nodes)]


def refused(settings: Settings, nodes: int) -> Iterator[tuple[str, str]]:
    without_tls = "this stack starts servers of its own, without TLS and with its own users; leave it out"
    if settings.KAFKA_SECURITY_PROTOCOL != "PLAINTEXT":
        yield "KAFKA_SECURITY_PROTOCOL", without_tls
    if settings.CASSANDRA_TLS != "off":
        yield "CASSANDRA_TLS", without_tls
    if settings.PGSSLMODE not in WEAK_SSLMODES:
        yield "PGSSLMODE", without_tls
    if settings.POSTGRES_USER != "postgres":
        yield "POSTGRES_USER", without_tls
    if settings.CASSANDRA_ADMIN_USERNAME != "cassandra":
        yield "CASSANDRA_ADMIN_USERNAME", without_tls
    for name in ("KAFKA_REPLICATION_FACTOR", "CASSANDRA_REPLICATION_FACTOR"):
        if getattr(settings, name) > nodes:
            yield name, f"this stack has fewer nodes ({nodes}); leave it out, and `make demo NODES=3` has three"
