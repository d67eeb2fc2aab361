"""The tables that a user added: which there are, and rows of one partition, page by page. Knows
CQL; knows nothing of HTTP."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.api.json_values import to_json
from pipeline.api.store import Row, Store
from pipeline.api.table_key import TableKey
from pipeline.api.table_query import TableQuery
from pipeline.tables import DATA_SOURCE, FORECASTS, INSTRUMENTS, MARKET_NOW, STORED_HOURS, TABLES

# Tables that have routes of their own, or serve those.
OWN_TABLES = frozenset(
    (*TABLES, FORECASTS.name, INSTRUMENTS.name, MARKET_NOW, STORED_HOURS, DATA_SOURCE, "truncations")
)


class TablePage(NamedTuple):
    """Rows, ascending by time if the table has one. `paging_state`: where the next page begins;
    None if there is none."""

    rows: list[Row]
    paging_state: bytes | None = None


class MirroredTables:
    """Every method may raise StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rows(self) -> list[Row]:
        """One row per table, by name."""
        return [described(key) for key in self._keys()]

    def find(self, name: str) -> TableKey | None:
        """The driver is notified of each table that comes or goes, so this asks nothing."""
        return next((key for key in self._keys() if key.name == name), None)

    def page(self, key: TableKey, query: TableQuery) -> TablePage:
        """Rows of one partition. Without `start`, a table with a time is read from its newest row
        back, as everywhere in this API."""
        backward = key.time is not None and query.start is None
        where, values = condition(key, query)
        if order := ordering(key, backward):
            where = f"{where} ORDER BY {order}"
        found = self._store.select_page(
            ", ".join(map(quoted, key.columns)),
            quoted(key.name),
            where,
            values,
            query.limit,
            query.paging_state,
        )
        rows = [{name: to_json(value) for name, value in row.items()} for row in found.rows]
        return TablePage(rows[::-1] if backward else rows, found.paging_state)

    def _keys(self) -> Iterator[TableKey]:
        for key in sorted(self._store.tables(), key=lambda key: key.name):
            if key.name not in OWN_TABLES:
                yield key


def described(key: TableKey) -> Row:
    return {
        "table": key.name,
        "partition_key": list(key.partition),
        "clustering_key": [name for name, _ in key.clustering],
        "time": key.time,
        "columns": [{"name": name, "type": kind} for name, kind in key.columns.items()],
    }


def condition(key: TableKey, query: TableQuery) -> tuple[str, list[Any]]:
    """WHERE with bound values: the whole partition key, and the range of the time column."""
    parts = [f"{quoted(name)} = ?" for name in key.partition]
    values = list(query.values)
    for sign, value in ((">=", query.start), ("<", query.end)):
        if value is not None:
            parts.append(f"{quoted(key.time or '')} {sign} ?")
            values.append(value)
    return f"WHERE {' AND '.join(parts)}", values


def ordering(key: TableKey, backward: bool) -> str:
    """ORDER BY, if the rows are wanted in another order than they are stored: by time, ascending,
    or descending when read backward. Only the whole order can be turned round."""
    if key.time is None or key.clustering[0][1] is backward:
        return ""
    return ", ".join(f"{quoted(name)} {'ASC' if descending else 'DESC'}" for name, descending in key.clustering)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
