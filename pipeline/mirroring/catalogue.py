"""Reads one table's description from PostgreSQL's catalogue. Knows SQL; knows nothing of
Cassandra. How a type is resolved is in pg_types.py."""

from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.pg_types import TypeRow, resolved
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import (
    DEBEZIUM_ROLE,
    PUBLICATION,
    SourceColumn,
    SourceTable,
    quoted,
    sql_name,
)

# Why a relation that is no table cannot be mirrored, by `relkind`.
NO_TABLE = {
    "v": "is a view: PostgreSQL streams changes of tables; mirror the tables that it reads",
    "m": "is a materialized view: PostgreSQL streams changes of tables; mirror the tables that it reads",
    "f": "is a foreign table: its changes are not in this server's write-ahead log; mirror it where it is stored",
    "S": "is a sequence, which has no rows",
    "c": "is a composite type, which has no rows",
    "i": "is an index; name its table",
    "I": "is an index; name its table",
}
RELATION = """
    SELECT c.oid, c.relname, c.relkind, c.relpersistence,
           c.relrowsecurity AND NOT EXISTS (
               SELECT FROM pg_policy WHERE polrelid = c.oid AND polpermissive AND polcmd IN ('r', '*')
               AND pg_get_expr(polqual, polrelid) = 'true'
               AND polroles && ARRAY[0::oid, (SELECT oid FROM pg_roles WHERE rolname = %(role)s)]),
           CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::regclass::text END,
           EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid),
           has_table_privilege(%(role)s, c.oid, 'SELECT') AND has_schema_privilege(%(role)s, n.oid, 'USAGE'),
           (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = %(role)s)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relname = %(name)s
"""
COLUMNS = """
    SELECT a.attname, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           a.attgenerated <> '', coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
INDEXES = """
    SELECT i.indisprimary, i.indimmediate, i.indisreplident,
           i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND i.indimmediate,
           array_agg(a.attname::text ORDER BY k.position), bool_and(a.attnotnull)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = %s AND i.indisunique AND k.position <= i.indnkeyatts
    GROUP BY i.indexrelid, i.indisprimary, i.indimmediate, i.indisreplident, i.indpred, i.indexprs, i.indisvalid
    ORDER BY i.indexrelid
"""
# A partitioned table has no rows of its own: the replica identities of its partitions count.
IDENTITIES = """
    SELECT format('%%I.%%I', n.nspname, c.relname), c.relreplident, c.relkind
    FROM pg_partition_tree(%s) t JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'f') ORDER BY 1
"""
# In PostgreSQL 14 a publication has neither column lists nor row filters, hence to_jsonb.
PUBLISHED = """
    SELECT EXISTS (SELECT FROM pg_publication_tables
                   WHERE pubname = %(publication)s AND schemaname = 'public' AND tablename = %(name)s),
           (SELECT concat_ws(' and ', CASE WHEN to_jsonb(r)->>'prattrs' IS NOT NULL THEN 'a column list' END,
                                      CASE WHEN to_jsonb(r)->>'prqual' IS NOT NULL THEN 'a row filter' END)
            FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
            WHERE p.pubname = %(publication)s AND r.prrelid = %(oid)s)
"""


def read_table(cursor: Cursor, name: str) -> SourceTable:
    """The table `name` of schema public. Raises MirrorRefused if there is none, or if it is of a
    kind that PostgreSQL does not stream."""
    cursor.execute(RELATION, {"name": name, "role": DEBEZIUM_ROLE})
    found = cursor.fetchone()
    if found is None:
        raise MirrorRefused(not_found(cursor, name))
    oid, _, kind, persistence, hides_rows, root, has_children, readable, bypasses_security = found
    check_kind(name, kind, persistence, root, has_children)
    if hides_rows and not bypasses_security:
        raise MirrorRefused(
            f"{name} has row-level security, so a snapshot would leave out rows without an error: "
            f"CREATE POLICY {DEBEZIUM_ROLE} ON {sql_name(name)} FOR SELECT TO {DEBEZIUM_ROLE} USING (true)"
        )
    primary_key, unique_keys, deferrable, identity_columns = read_keys(cursor, oid)
    identities = read_partition_identities(cursor, name, oid) if kind == "p" else read_identity(cursor, name, oid)
    cursor.execute(PUBLISHED, {"publication": PUBLICATION, "name": name, "oid": oid})
    published, limit = cursor.fetchone()
    return SourceTable(
        name=name,
        columns=read_columns(cursor, oid),
        primary_key=primary_key,
        unique_keys=unique_keys,
        deferrable_key=deferrable,
        identities=identities,
        identity_columns=identity_columns,
        partitioned=kind == "p",
        published=published,
        publication_limit=limit or "",
        readable=readable,
    )


def check_kind(name: str, kind: str, persistence: str, root: str | None, has_children: bool) -> None:
    """Raises MirrorRefused."""
    if kind in NO_TABLE:
        raise MirrorRefused(f"{name} {NO_TABLE[kind]}")
    if root is not None:
        raise MirrorRefused(f"{name} is a partition; its rows come with the partitioned table: mirror {root}")
    if kind == "r" and has_children:
        raise MirrorRefused(
            f"{name} has tables that inherit from it (INHERITS), and their changes arrive under their own names: "
            "mirror each of those, or make them partitions"
        )
    if persistence != "p":
        raise MirrorRefused(
            f"{name} is unlogged, so its changes are not in the write-ahead log: "
            f"ALTER TABLE {sql_name(name)} SET LOGGED"
        )


def not_found(cursor: Cursor, name: str) -> str:
    """Why there is no such table, with what was probably meant."""
    schema, dot, rest = name.partition(".")
    cursor.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_|^information_schema$'"
        " AND (lower(c.relname) = lower(%s) OR (n.nspname = %s AND c.relname = %s))",
        (name, schema if dot else "", rest),
    )
    found = cursor.fetchall()
    for place, table in found:
        if place != "public":
            return (
                f"{place}.{table} is not in schema public; only that schema is mirrored: "
                f"ALTER TABLE {quoted(place)}.{quoted(table)} SET SCHEMA public"
            )
        return f"there is no table {name} in schema public; did you mean {table}?"
    return f"there is no table {name} in schema public of this database"


def read_keys(cursor: Cursor, oid: int) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], bool, tuple[str, ...]]:
    """The primary key, the other keys, whether the primary key is deferrable, and the columns of
    the index that is the replica identity."""
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    deferrable, identity = False, ()
    cursor.execute(INDEXES, (oid,))
    for is_primary, immediate, is_identity, covers_all, columns, not_null in cursor.fetchall():
        if is_primary:
            primary, deferrable = tuple(columns), not immediate
        elif covers_all and not_null:
            unique.append(tuple(columns))
        if is_identity:
            identity = tuple(columns)
    return primary, tuple(unique), deferrable, identity


def read_identity(cursor: Cursor, name: str, oid: int) -> tuple[tuple[str, str], ...]:
    cursor.execute("SELECT relreplident FROM pg_class WHERE oid = %s", (oid,))
    return ((sql_name(name), cursor.fetchone()[0]),)


def read_partition_identities(cursor: Cursor, name: str, oid: int) -> tuple[tuple[str, str], ...]:
    """Raises MirrorRefused for a partition whose changes this server does not log."""
    cursor.execute(IDENTITIES, (oid,))
    found = cursor.fetchall()
    foreign = [partition for partition, _, kind in found if kind == "f"]
    if foreign:
        raise MirrorRefused(
            f"{foreign[0]}, a partition of {name}, is a foreign table: its changes are not in this server's "
            f"write-ahead log. ALTER TABLE {sql_name(name)} DETACH PARTITION {foreign[0]}"
        )
    return tuple((partition, identity) for partition, identity, _ in found)


def read_columns(cursor: Cursor, oid: int) -> tuple[SourceColumn, ...]:
    cursor.execute("SELECT oid, typname, typtype, typbasetype, typtypmod, typelem, typlen FROM pg_type")
    types = {row[0]: TypeRow(*row[1:]) for row in cursor.fetchall()}
    cursor.execute(COLUMNS, (oid,))
    return tuple(
        SourceColumn(name, resolved(types, type_oid, modifier, text), not_null, generated, default)
        for name, type_oid, modifier, text, not_null, generated, default in cursor.fetchall()
    )
