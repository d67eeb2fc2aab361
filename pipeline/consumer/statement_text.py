"""CQL that writes a row of a table. Knows no values."""

from cassandra.metadata import TableMetadata

from pipeline.changes import DELETE, UPDATE


def statement_text(table: TableMetadata, kind: str, key: list[str], others: list[str]) -> str:
    """UPDATE rather than INSERT where several sources share a row: it leaves no row marker behind,
    so the row disappears when the last source has cleared its columns."""
    name = f"{quoted(table.keyspace_name)}.{quoted(table.name)}"
    where = " AND ".join(f"{quoted(column)} = ?" for column in key)
    if kind == UPDATE:
        assignments = ", ".join(f"{quoted(column)} = ?" for column in others)
        return f"UPDATE {name} USING TIMESTAMP ? SET {assignments} WHERE {where}"
    if kind == DELETE:
        return f"DELETE FROM {name} USING TIMESTAMP ? WHERE {where}"
    columns = ", ".join(map(quoted, (*key, *others)))
    marks = ", ".join("?" * (len(key) + len(others)))
    return f"INSERT INTO {name} ({columns}) VALUES ({marks}) USING TIMESTAMP ?"


def quoted(name: str) -> str:
    """Unquoted, `createdAt` would mean `createdat`, and `order` is a syntax error."""
    return '"' + name.replace('"', '""') + '"'
