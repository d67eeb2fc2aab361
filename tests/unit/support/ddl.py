"""The tables that sql/ and cql/ create, read from the files as text. Knows nothing of pipeline/,
which they are compared with."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SQL_TABLES = ROOT / "sql" / "020_tables.sql"
CQL_TABLES = ROOT / "cql" / "020_tables.cql"


@dataclass(frozen=True)
class DeclaredTable:
    """`columns`: name → type as written. `partition` is the Cassandra partition key, empty for
    PostgreSQL."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    partition: tuple[str, ...] = ()
    not_null: frozenset[str] = frozenset()

    def without(self, column: str) -> "DeclaredTable":
        return replace(self, columns={name: kind for name, kind in self.columns.items() if name != column})


def declared_tables(file: Path) -> dict[str, DeclaredTable]:
    text = re.sub(r"--.*$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for match in re.finditer(r"CREATE TABLE IF NOT EXISTS (\w+)\s*\(", text):
        body = _up_to_closing(text, match.end())
        found[match[1]] = _table(match[1], body, cassandra=file.suffix == ".cql")
    return found


def _up_to_closing(text: str, start: int) -> str:
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return text[start:index]
    raise ValueError("a parenthesis is never closed")


def _parts(body: str) -> list[str]:
    parts, depth, part = [], 0, ""
    for character in body:
        depth += {"(": 1, "<": 1, ")": -1, ">": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [part.strip() for part in [*parts, part] if part.strip()]


def _table(name: str, body: str, cassandra: bool) -> DeclaredTable:
    columns: dict[str, str] = {}
    key: tuple[str, ...] = ()
    partition: tuple[str, ...] = ()
    not_null = set()
    for part in _parts(body):
        if part.startswith("PRIMARY KEY"):
            inside = _up_to_closing(part, part.index("(") + 1)
            if cassandra:
                first = _parts(inside)[0]
                partition = tuple(re.findall(r"\w+", first))
            key = tuple(re.findall(r"\w+", inside))
            continue
        column, rest = part.split(None, 1)
        kind = re.split(r" (?:PRIMARY KEY|NOT NULL|DEFAULT|CHECK)", rest)[0].strip()
        columns[column] = " ".join(kind.split())
        if "PRIMARY KEY" in rest:
            key = partition = (column,)
        if "NOT NULL" in rest or "PRIMARY KEY" in rest:
            not_null.add(column)
    return DeclaredTable(name, columns, key, partition if cassandra else (), frozenset(not_null))
