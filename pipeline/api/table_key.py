"""A table as the API sees it: columns and key. Knows no library."""

from dataclasses import dataclass

# Types of a first clustering column that `from` and `to` select.
TIME_TYPES = frozenset(("timestamp", "date"))


@dataclass(frozen=True, slots=True)
class TableKey:
    """`columns`: names with CQL types. `clustering`: names, each with True if it is stored in
    descending order."""

    name: str
    columns: dict[str, str]
    partition: tuple[str, ...]
    clustering: tuple[tuple[str, bool], ...] = ()

    @property
    def time(self) -> str | None:
        """The first clustering column, if it is a time."""
        if self.clustering and self.columns[self.clustering[0][0]] in TIME_TYPES:
            return self.clustering[0][0]
        return None
