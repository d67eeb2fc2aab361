"""Values that the stream cannot carry exactly: which rows have them now. Knows SQL; changes
nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.keys import Key
from pipeline.mirroring.source_table import PgType, SourceColumn, SourceTable, quoted, sql_name

OUT_OF_RANGE = "times outside the years 1 to 9999 (infinity too)"
# CQL types that hold the odd values of a type as well. They are not this program's choice, except
# for a time in the key; a table that is in Cassandra already may have them (docs/types.md).
HOLDS_ALL = {
    "numeric": ("double", "float", "text"),
    "timestamptz": ("text",),
    "timestamp": ("bigint",),
    "date": ("int", "bigint"),
    "time": ("bigint",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of odd value. `silent`: the stream does not show the damage, so nobody would notice
    it; otherwise the row becomes a dead letter."""

    column: str
    condition: str
    what: str
    silent: bool = False


def counted(rows: int) -> str:
    """`1 row has`, `12,000 rows have`."""
    return "1 row has" if rows == 1 else f"{rows:,} rows have"


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What the rows of a table hold now. `odd`: number of rows by check, only those above 0.
    `unwritable`: rows that become dead letters. `with_microseconds`: key columns that hold times
    which Cassandra's timestamp would round."""

    total: int = 0
    unwritable: int = 0
    odd: tuple[tuple[Check, int], ...] = ()
    with_microseconds: frozenset[str] = field(default_factory=frozenset)


def scalar_conditions(value: str, base: str) -> Iterator[tuple[str, str]]:
    """(condition, what it finds) for a value of the type `base`."""
    if base in ("timestamp", "timestamptz", "date"):
        yield f"({value} < '0001-01-01' OR {value} > '9999-12-31 23:59:59.999999')", OUT_OF_RANGE
    elif base == "time":
        yield f"{value} = '24:00'", "the time 24:00"
    elif base == "numeric":
        yield f"{value}::text IN ('NaN', 'Infinity', '-Infinity')", "NaN or infinity"


def array_checks(column: str, value: str, kind: PgType) -> Iterator[Check]:
    """An array with several dimensions, with null, or with odd elements."""
    yield Check(column, f"array_ndims({value}) > 1", "arrays of several dimensions")

    def has_element(condition: str) -> str:
        return f"EXISTS (SELECT FROM unnest({value}) AS e (v) WHERE {condition})"

    # Debezium sends null for the whole array.
    yield Check(column, has_element("e.v IS NULL"), "arrays that contain null", silent=kind.base == "enum")
    if kind.base in ("date", "timestamp", "timestamptz"):
        # Debezium loses BC in arrays.
        before_our_era = "e.v < '0001-01-01' AND isfinite(e.v)"
        yield Check(column, has_element(before_our_era), "arrays with times before the year 1", silent=True)
        yield Check(column, has_element("NOT isfinite(e.v) OR e.v >= '10000-01-01'"), OUT_OF_RANGE)
    for condition, what in scalar_conditions("e.v", kind.base):
        if kind.base == "numeric":
            yield Check(column, has_element(condition), f"arrays with {what}", silent=True)


def checks_of(
    source: SourceTable, key: Key, mirrored: tuple[SourceColumn, ...], cql_types: Mapping[str, str | None]
) -> list[Check]:
    """The checks of every mirrored column, and of a partition key that Cassandra refuses.
    `cql_types`: those that are known, by column."""
    found: list[Check] = []
    for column in mirrored:
        value = quoted(column.name)
        if column.type.is_array:
            found += array_checks(column.name, value, column.type)
        elif cql_types.get(column.name) not in HOLDS_ALL.get(column.type.base, ()):
            found += [Check(column.name, *pair) for pair in scalar_conditions(value, column.type.base)]
    if len(key.partition) == 1:
        first = source.column(key.partition[0])
        if first.type.base in ("text", "varchar", "citext", "bytea"):
            found.append(Check(first.name, f"length({quoted(first.name)}) = 0", "an empty partition key"))
    return found


def read_facts(
    cursor: Cursor,
    source: SourceTable,
    key: Key,
    mirrored: tuple[SourceColumn, ...],
    cql_types: Mapping[str, str | None],
) -> RowFacts:
    """Reads the whole table once."""
    checks = checks_of(source, key, mirrored, cql_types)
    times = [name for name in key.columns if source.column(name).type.base in ("timestamp", "timestamptz")]
    unwritable = unwritable_condition(checks)
    conditions = [unwritable, *(check.condition for check in checks)]
    conditions += [f"date_trunc('milliseconds', {quoted(name)}) <> {quoted(name)}" for name in times]
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    cursor.execute("SET statement_timeout = 0")  # a large table takes its time
    cursor.execute(f"SELECT count(*), {counts} FROM {sql_name(source.name)}")
    total, unwritable_rows, *numbers = cursor.fetchone()
    odd = tuple((check, number) for check, number in zip(checks, numbers) if number)
    rounded = frozenset(name for name, number in zip(times, numbers[len(checks) :]) if number)
    return RowFacts(total, unwritable_rows, odd, rounded)


def unwritable_condition(checks: list[Check]) -> str:
    """True for a row that has any odd value."""
    return " OR ".join(f"coalesce({check.condition}, false)" for check in checks) or "false"
