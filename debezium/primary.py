"""Which of several PostgreSQL servers the connector reads. Debezium knows one host name; libpq
takes a list and finds the primary. Knows the connector's configuration; makes no connection."""

import logging
from collections.abc import Mapping

from debezium.connect import Connect

log = logging.getLogger("debezium.guard")

HOSTNAME = "database.hostname"


def is_one_of_several(config: Mapping[str, str]) -> bool:
    return "," in config.get(HOSTNAME, "")


def with_primary(config: dict[str, str], connected_host: str) -> dict[str, str]:
    """The configuration with the host that a connection of ours reached in place of a list."""
    return config | {HOSTNAME: connected_host} if is_one_of_several(config) else config


def follow(connect: Connect, connector: str, config: Mapping[str, str], connected_host: str) -> None:
    """After a standby was promoted: point the connector to it. Its slot continues there, if
    PostgreSQL kept it in step. Raises ConnectUnavailable or ConnectRefused."""
    if not is_one_of_several(config):
        return
    known = connect.config(connector)
    if known and known.get(HOSTNAME) != connected_host:
        connect.put_config(connector, known | {HOSTNAME: connected_host})
        log.warning("primary_changed", extra={"found": connected_host, "before": known.get(HOSTNAME, "-")})
