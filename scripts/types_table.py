"""docs/types.md from the cases that the tests check: `python3 -m scripts.types_table` writes it,
and a test compares the two."""

from pathlib import Path

from tests.unit.pipeline.consumer.type_cases import CASES, Case, Refused

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "types.md"
HEAD = """# Which PostgreSQL value becomes what in Cassandra

Made by `make docs` from `tests/unit/pipeline/consumer/type_cases.py`; the tests check each line.
What Debezium sends and the type of the Cassandra column alone decide: nothing is guessed from a
value. A value that a column cannot hold makes its record a dead letter, whose reason names table,
column, value and what to use instead.

Choose with the table below, or like this:

| PostgreSQL | CQL |
|---|---|
| smallint, int, bigint, oid | smallint, int, bigint, bigint |
| numeric, money | decimal (exact; neither NaN nor Infinity), double (nearest number) |
| real, double precision | float, double |
| boolean, bit(1) | boolean |
| bit(n), bytea | blob (bits: least significant byte first) |
| text, varchar, char(n), citext, enum, xml, ltree, tsvector | text |
| json, jsonb, hstore, ranges, cidr, macaddr, timetz | text |
| uuid, inet | uuid, inet (single addresses; text for networks) |
| date, time | date, time |
| timestamp, timestamptz | timestamp (ms: microseconds are cut off, and refused in a key) |
| interval | duration, or text |
| T[] of one dimension without NULL | list<T>, set<T>, or a tuple |
| hstore, json, jsonb | map, list, tuple, vector or user-defined type, if the JSON fits |
| point | user-defined type with fields x and y |

What the consumer cannot see, because Debezium 3.7 does not send it:

* Columns of composite types, multiranges, pg_lsn, xid8, jsonpath, interval[], money[] and
  generated columns are not in the events at all: the Cassandra column stays null, and
  `missing_column` is logged once and counted.
* The type `name` arrives as null. So does a numeric[] that contains NaN or Infinity, and an enum[]
  that contains NULL.
* date[], timestamp[] and timestamptz[] lose the era: 44 BC arrives as 44 AD.
* varbit loses its length, timetz its time zone (it arrives in UTC).
* A number does not say its unit: a `date` in a CQL timestamp column would be read as µs. Use the
  types above.
* An empty list, set or map that is not frozen is null in Cassandra.

| PostgreSQL | value | Debezium's JSON | CQL column | stored |
|---|---|---|---|---|
"""
MAX_CHARACTERS = 48


def shortened(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def code(value: object) -> str:
    return "`" + shortened(str(value)).replace("|", "\\|") + "`"


def shown(stored: object) -> str:
    """Sets in a fixed order, so that the document is the same each time."""
    return f"{{{', '.join(sorted(map(repr, stored)))}}}" if isinstance(stored, set) else repr(stored)


def line(case: Case) -> str:
    stored = f"dead letter: {case.stored.words}" if isinstance(case.stored, Refused) else code(shown(case.stored))
    column = code(case.cql) + (" (key)" if case.key else "")
    cells = (case.postgres, code(case.value), code(repr(case.json)), column, stored)
    return f"| {' | '.join(cells)} |\n"


def document() -> str:
    return HEAD + "".join(map(line, CASES))


def main() -> None:
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
