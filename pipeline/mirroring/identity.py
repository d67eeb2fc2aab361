"""Which replica identity a table needs, and why. The replica identity is what PostgreSQL writes
into its log about the old row of an update or a delete. Knows no connection."""

from pipeline.mirroring.keys import Key
from pipeline.mirroring.source_table import FULL, INDEX, NOTHING, SourceTable
from pipeline.mirroring.types import ELEMENTS, RECOGNISED_WHEN_TOASTED

# PostgreSQL's TOAST_TUPLE_THRESHOLD on pages of 8 kB: only longer rows have values moved out.
TOAST_ROW_BYTES = 2000
# The row's header and its null bitmap.
ROW_HEADER_BYTES = 40


def why_full(source: SourceTable, key: Key) -> str:
    """Why the whole old row is needed; empty if the default, the primary key, is enough."""
    beyond = [name for name in key.columns if name not in source.primary_key]
    if not source.primary_key:
        return "there is no primary key, so only the whole old row says which row was deleted"
    if beyond:
        return f"a delete must carry {', '.join(beyond)}, which Cassandra's key has and the primary key has not"
    if source.deferrable_key:
        return "the primary key is deferrable, so PostgreSQL does not log it for a delete"
    odd_arrays = [
        c.name for c in source.columns if c.type.is_array and c.type.base in ELEMENTS - RECOGNISED_WHEN_TOASTED
    ]
    if odd_arrays:
        return f"an unchanged long value of {', '.join(odd_arrays)} would arrive as null"
    if may_be_toasted(source):
        return "rows can be over 2 kB, and an update of the key would arrive without its unchanged long values"
    return ""


def may_be_toasted(source: SourceTable) -> bool:
    """Whether a row can be so long that PostgreSQL stores values outside of it, and then leaves
    them out of updates that do not touch them."""
    sizes = [column.type.max_bytes for column in source.columns]
    return None in sizes or sum(size or 0 for size in sizes) + ROW_HEADER_BYTES > TOAST_ROW_BYTES


def tables_to_change(source: SourceTable, reason: str) -> tuple[str, ...]:
    """The tables (the partitions, if there are some) whose replica identity must become FULL."""
    return tuple(table for table, identity in source.identities if not is_enough(source, identity, reason))


def is_enough(source: SourceTable, identity: str, reason: str) -> bool:
    if identity == FULL:
        return True
    if reason or identity == NOTHING:
        return False
    return identity != INDEX or (
        bool(source.identity_columns) and set(source.primary_key) <= set(source.identity_columns)
    )
