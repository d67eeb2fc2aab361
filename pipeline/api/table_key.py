"""A table as the API sees it: columns and key. Knows no library."""

from dataclasses import dataclass

from pipeline.tables import TIME_AS_MICROSECONDS, TIME_AS_TEXT

# Types of a first clustering column that `from` and `to` select.
TIME_TYPES = frozenset(("timestamp", "date"))
# How a time is stored that is no timestamp, because it has microseconds.
ISO_TEXT, MICROSECONDS = "ISO 8601 text", "microseconds"


@dataclass(frozen=True, slots=True)
class TableKey:
    """`columns`: names with CQL types. `clustering`: names, each with True if it is stored in
    descending order. `comment`: the table's; it says which columns are times although their type
    does not."""

    name: str
    columns: dict[str, str]
    partition: tuple[str, ...]
    clustering: tuple[tuple[str, bool], ...] = ()
    comment: str = ""

    @property
    def time(self) -> str | None:
        """The first clustering column, if it is a time."""
        return self.clustering[0][0] if self.time_kind else None

    @property
    def time_kind(self) -> str:
        """`timestamp`, `date`, ISO_TEXT or MICROSECONDS; empty if no time comes first."""
        name = self.clustering[0][0] if self.clustering else ""
        if self.columns.get(name) in TIME_TYPES:
            return self.columns[name]
        if name and f"{TIME_AS_TEXT}{name}." in self.comment:
            return ISO_TEXT
        return MICROSECONDS if name and f"{TIME_AS_MICROSECONDS}{name}." in self.comment else ""


def plain_type(cql_type: str) -> str:
    """Without `frozen`, which says how a value is stored and not what it is."""
    while (start := cql_type.find("frozen<")) >= 0:
        inner = start + len("frozen<")
        end = matching_bracket(cql_type, inner)
        cql_type = cql_type[:start] + cql_type[inner:end] + cql_type[end + 1 :]
    return cql_type


def matching_bracket(cql_type: str, start: int) -> int:
    """The position of the `>` that closes what is open before `start`."""
    depth = 1
    for position in range(start, len(cql_type)):
        depth += {"<": 1, ">": -1}.get(cql_type[position], 0)
        if depth == 0:
            return position
    return len(cql_type)
