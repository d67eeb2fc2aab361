"""Which names of tables Cassandra and Kafka can hold. Knows no connection."""

import re

from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import sql_name
from pipeline.tables import DATA_SOURCE, MARKET_NOW, STORED_HOURS, TABLES

MAX_NAME_LENGTH = 48
# Tables that this project defines itself, in PostgreSQL or in Cassandra.
OWN_TABLES = frozenset(
    (
        *TABLES,
        *(MARKET_NOW, STORED_HOURS, DATA_SOURCE, "truncations"),
        *("trade_positions", "exchange_ban", "debezium_signal", "debezium_heartbeat"),
    )
)
OWN_PARTITION = r"recent_trades_\d{8}"


def check_name(table: str) -> None:
    """Raises MirrorRefused, with the ALTER TABLE to type, for a name that cannot be mirrored."""
    if table in OWN_TABLES or re.fullmatch(OWN_PARTITION, table):
        raise MirrorRefused(f"{table} is a table of this project; it is captured already or must not be")
    if re.fullmatch(rf"\w{{1,{MAX_NAME_LENGTH}}}", table, re.ASCII):
        return
    if re.fullmatch(r"\w+", table, re.ASCII):
        reason = f"has {len(table)} characters, and a table in Cassandra has at most {MAX_NAME_LENGTH}"
    else:
        reason = "has characters other than A-Z, a-z, 0-9 and _, which Cassandra's tables cannot have"
    raise MirrorRefused(f"the name {table} {reason}: ALTER TABLE {sql_name(table)} RENAME TO {suggested_name(table)}")


def suggested_name(table: str) -> str:
    name = re.sub(r"\W", "_", table, flags=re.ASCII)[:MAX_NAME_LENGTH]
    return f'"{name}"' if name.lower() != name else name
