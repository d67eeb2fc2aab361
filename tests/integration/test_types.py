"""Every kind of PostgreSQL value through the real Debezium into Cassandra, compared with what
psycopg2 reads: a table per group of types. What cannot be stored is a dead letter that says why."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from cassandra.cluster import Session
from cassandra.util import Date, Duration, Time
from kafka import KafkaConsumer

from pipeline import cassandra_session
from pipeline.settings import Settings
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("consumer")


class Column(NamedTuple):
    """`values`: SQL expressions, one per row; the last row is null everywhere. `select`: how
    psycopg2 reads the column, if not by its name."""

    postgres: str
    cql: str
    values: tuple[str, ...]
    select: str = "{}"


NUMBERS = {
    "i2": Column("smallint", "smallint", ("-32768", "0", "32767")),
    "i4": Column("int", "int", ("-2147483648", "0", "2147483647")),
    "i8": Column("bigint", "bigint", ("-9223372036854775808", "0", "9223372036854775807")),
    "n": Column("numeric", "decimal", ("12345678901234567890.123456789012345678", "0.00", "-1e-20")),
    "n2": Column("numeric(10,2)", "decimal", ("1.50", "0", "-99999999.99")),
    "n0": Column("numeric(30,0)", "varint", ("123456789012345678901234567890", "0", "-128")),
    "f4": Column("real", "float", ("0.1", "'NaN'", "'-Infinity'")),
    "f8": Column("double precision", "double", ("0.1", "'NaN'", "'Infinity'")),
    "nd": Column("numeric", "double", ("0.1", "'NaN'", "'NaN'")),
    "money": Column("money", "decimal", ("1234.50", "0", "-1"), "{}::numeric"),
    "flag": Column("boolean", "boolean", ("true", "false", "true")),
    "bit1": Column("bit(1)", "boolean", ("B'1'", "B'0'", "B'1'"), "{}::int::boolean"),
    "oid": Column("oid", "bigint", ("0", "1", "4294967295")),
    "serial": Column("int", "bigint", ("1", "2", "3")),
}
TIMES = {
    "d": Column("date", "date", ("'2026-01-15'", "'0001-01-01'", "'9999-12-31'")),
    "t": Column("time", "time", ("'10:00:00.123456'", "'00:00'", "'23:59:59.999999'")),
    "t3": Column("time(3)", "time", ("'10:00:00.123'", "'00:00'", "'23:59:59.999'")),
    "t0": Column("time(0)", "time", ("'10:00'", "'00:00'", "'23:59:59'")),
    "ts": Column("timestamp", "timestamp", ("'1970-06-01'", "'1900-01-01 00:00:00.001'", "'9999-12-31 23:59:59'")),
    "ts3": Column("timestamp(3)", "timestamp", ("'1965-03-01 12:00'", "'0001-01-01'", "'9999-12-31'")),
    "ts0": Column("timestamp(0)", "timestamp", ("'5138-11-16 10:00'", "'1973-03-03'", "'1969-12-31 23:59:59'")),
    "tz": Column("timestamptz", "timestamp", ("'2026-01-15 10:00+02'", "'1900-01-01Z'", "'9999-12-31 23:59:59Z'")),
    "tz0": Column("timestamptz(0)", "timestamp", ("'2026-01-15 10:00Z'", "'0001-01-01Z'", "'1970-01-01Z'")),
    "ttz": Column("timetz", "text", ("'10:00:00+02'", "'00:00:00Z'", "'23:00:00Z'"), "NULL"),
    "iv": Column("interval", "duration", ("'1 year 2 mons 3 days 04:05:06.789'", "'0'", "'-1 day -00:00:01'")),
}
TEXTS = {
    "tx": Column("text", "text", ("'größer 🚀'", "''", "E'line\\nbreak \"quoted\"'")),
    "vc": Column("varchar(10)", "text", ("'abc'", "''", "' x '")),
    "ch": Column("char(5)", "text", ("'ab'", "''", "'abcde'")),
    "en": Column("ty_mood", "text", ("'sad'", "'ok'", "'very happy'")),
    "dom": Column("ty_positive", "int", ("1", "2", "3")),
    "xm": Column("xml", "text", ("'<a>1</a>'", "'<b/>'", "'<c> </c>'")),
    "js": Column("json", "text", ("'{\"a\":  1}'", "'[]'", "'null'"), "{}::text"),
    "jb": Column("jsonb", "text", ("'{\"a\": [1, 2]}'", "'\"x\"'", "'1.50'"), "{}::text"),
    "ip": Column("inet", "inet", ("'10.0.0.1'", "'::1'", "'fe80::1'")),
    "net": Column("inet", "text", ("'10.0.0.0/8'", "'::1'", "'10.0.0.1'")),
    "ci": Column("cidr", "text", ("'10.0.0.0/8'", "'::/0'", "'10.1.2.3/32'")),
    "mac": Column("macaddr", "text", ("'08:00:2b:01:02:03'",) * 3),
    "rg": Column("int4range", "text", ("'[1,5)'", "'empty'", "'(,)'"), "{}::text"),
    "ts": Column("tsvector", "text", ("'a fat cat'", "''", "'x:1'")),
    "by": Column("bytea", "blob", (r"'\x00ff'", r"'\x'", "'abc'")),
    "uu": Column("uuid", "uuid", ("'7f2c9c2e-53a4-4d0b-9b3f-0d9d5a0e6a11'", "gen_random_uuid()", "gen_random_uuid()")),
}
ARRAYS = {
    "a2": Column("smallint[]", "list<smallint>", ("'{1,2}'", "'{-1}'", "'{32767}'")),
    "a4": Column("int[]", "list<int>", ("'{1,2}'", "'{-1}'", "'{2147483647}'")),
    "a8": Column("bigint[]", "list<bigint>", ("'{1,2}'", "'{-1}'", "'{9223372036854775807}'")),
    "an": Column("numeric[]", "list<decimal>", ("'{1.50,2}'", "'{-1}'", "'{12345678901234567890.123}'")),
    "anf": Column("numeric[]", "list<double>", ("'{1.50,2}'", "'{-1}'", "'{0.1}'")),
    "af8": Column("float8[]", "list<double>", ("'{0.1,2}'", "'{-1e300}'", "'{0}'")),
    "af4": Column("real[]", "list<float>", ("'{0.5,2}'", "'{-1}'", "'{0}'")),
    "ab": Column("boolean[]", "list<boolean>", ("'{t,f}'", "'{f}'", "'{t}'")),
    "at": Column("text[]", "list<text>", ("'{a,\"b c\"}'", "'{\"NULL\"}'", "'{\"\"}'")),
    "ast": Column("text[]", "set<text>", ("'{b,a,a}'", "'{x}'", "'{y}'")),
    "afz": Column("int[]", "frozen<list<int>>", ("'{1,2}'", "'{}'", "'{3}'")),
    "au": Column("uuid[]", "list<uuid>", ("ARRAY[gen_random_uuid(), gen_random_uuid()]",) * 3, "{}::text[]"),
    "ad": Column("date[]", "list<date>", ("'{2026-01-15,0001-01-01}'", "'{9999-12-31}'", "'{1970-01-01}'")),
    "ats": Column("timestamp[]", "list<timestamp>", ("'{2026-01-15 10:00}'", "'{1900-01-01}'", "'{1970-06-01}'")),
    "atz": Column(
        "timestamptz[]", "list<timestamp>", ("'{2026-01-15 10:00+02}'", "'{1900-01-01Z}'", "'{1970-06-01Z}'")
    ),
    "aby": Column("bytea[]", "list<blob>", (r"ARRAY['\x00ff'::bytea]", r"ARRAY['\x'::bytea]", "ARRAY['abc'::bytea]")),
    "aen": Column("ty_mood[]", "list<text>", ("'{sad,ok}'", "'{ok}'", "'{\"very happy\"}'"), "{}::text[]"),
    "ajb": Column(
        "jsonb[]", "list<text>", ("ARRAY['{\"a\": 1}'::jsonb]", "ARRAY['1'::jsonb]", "ARRAY['[]'::jsonb]"), "{}::text[]"
    ),
    "aip": Column(
        "inet[]",
        "list<inet>",
        ("'{10.0.0.1}'", "'{::1}'", "'{10.0.0.2,10.0.0.3}'"),
        "(SELECT array_agg(host(address)) FROM unnest({}) address)",
    ),
}
OBJECTS = {
    "hm": Column("hstore", "map<text, text>", ("'a=>1, b=>x'", "'c=>\"\"'", "'d=>4'"), "hstore_to_json({})"),
    "hi": Column("hstore", "map<text, int>", ("'a=>1'", "'b=>-2'", "'c=>3'"), "hstore_to_json({})"),
    "jm": Column("jsonb", "map<text, double>", ("'{\"a\": 1.5}'", "'{\"b\": 2}'", "'{\"c\": -1e10}'"), "{}"),
    "jl": Column("jsonb", "list<int>", ("'[1, 2]'", "'[-1]'", "'[0]'"), "{}"),
    "jt": Column("jsonb", "frozen<tuple<int, text>>", ("'[1, \"a\"]'", "'[2, null]'", "'[3, \"\"]'"), "{}"),
    "pt": Column(
        "point",
        "frozen<ty_point>",
        ("'(1.5,-2)'", "'(0,0)'", "'(1e10,3)'"),
        "CASE WHEN {0} IS NOT NULL THEN ARRAY[{0}[0], {0}[1]] END",
    ),
}
GROUPS = {"ty_numbers": NUMBERS, "ty_times": TIMES, "ty_texts": TEXTS, "ty_arrays": ARRAYS, "ty_objects": OBJECTS}

DURATIONS = {
    timedelta(days=428, hours=4, minutes=5, seconds=6, milliseconds=789): Duration(14, 3, 14_706_789_000_000),
    timedelta(0): Duration(0, 0, 0),
    timedelta(days=-1, seconds=-1): Duration(0, -1, -(10**9)),
}


def expected(value: Any, cql: str) -> Any:
    """What cassandra-driver reads, for a value as psycopg2 reads it."""
    inner = cql.removeprefix("frozen<").removesuffix(">") if cql.startswith("frozen<") else cql
    if value is None:
        return None
    if inner.startswith(("list<", "set<")):
        items = [expected(item, inner[inner.index("<") + 1 : -1]) for item in value]
        return set(items) if inner.startswith("set<") else items
    if inner.startswith("map<"):
        return {key: expected(item, inner[:-1].split(", ")[1]) for key, item in value.items()}
    convert: dict[str, Callable[[Any], Any]] = {
        "float": lambda v: pytest.approx(float(v), rel=1e-7, nan_ok=True),
        "double": lambda v: pytest.approx(float(v), rel=0, abs=0, nan_ok=True),
        "int": int,
        "decimal": Decimal,
        "varint": int,
        "uuid": lambda v: UUID(str(v)),
        "blob": bytes,
        "date": Date,
        "time": Time,
        "timestamp": in_ms,
        "duration": DURATIONS.__getitem__,
        "tuple<int, text>": tuple,
        "ty_point": tuple,
    }
    return convert.get(inner, lambda v: v)(value)


def in_ms(moment: datetime) -> datetime:
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return naive.replace(microsecond=naive.microsecond // 1000 * 1000)


def sql(postgres, statement: str) -> list[tuple]:
    with postgres.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def admin(settings: Settings) -> Iterator[Session]:
    """Cassandra's superuser, for changes of the schema."""
    password, keyspace = settings.CASSANDRA_ADMIN_PASSWORD, settings.CASSANDRA_KEYSPACE
    session = cassandra_session.login(settings, "cassandra", password, keyspace=keyspace)
    session.execute("CREATE TYPE IF NOT EXISTS ty_point (x double, y double)")
    yield session
    session.cluster.shutdown()


@pytest.fixture(scope="module", autouse=True)
def types(postgres) -> None:
    sql(postgres, "CREATE TYPE ty_mood AS ENUM ('sad', 'ok', 'very happy')")
    sql(postgres, "CREATE DOMAIN ty_positive AS int CHECK (value > 0)")
    sql(postgres, "CREATE EXTENSION IF NOT EXISTS hstore")


@pytest.fixture
def letters(settings: Settings) -> Iterator[Callable[[str, int], dict[Any, str]]]:
    """`letters(table, count)`: the reasons of the table's dead letters, by the id of the row."""
    consumer = KafkaConsumer(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS), consumer_timeout_ms=1000)
    found: dict[str, dict[Any, str]] = {}

    def of_table(table: str, count: int) -> dict[Any, str]:
        topic = f"{settings.TOPIC_PREFIX}.dead_letters"
        wait_until(lambda: topic in consumer.topics(), 60, "the topic of dead letters")
        consumer.subscribe([topic])
        consumer.poll(1000)
        consumer.seek_to_beginning()

        def enough() -> object:
            for record in consumer:
                headers = {name: value.decode() for name, value in record.headers}
                if headers["dead_letter.topic"] == f"{settings.TOPIC_PREFIX}.public.{table}":
                    body = json.loads(record.value)
                    found.setdefault(table, {})[(body["after"] or body["before"])["id"]] = headers["dead_letter.reason"]
            return len(found.get(table, {})) >= count or found

        wait_until(enough, 60, f"{count} dead letters of {table}")
        return found[table]

    yield of_table
    consumer.close()


def create(postgres, admin: Session, table: str, columns: dict[str, Column], key: str = "id") -> None:
    declared = "".join(f', "{name}" {column.postgres}' for name, column in columns.items())
    sql(postgres, f"CREATE TABLE {table} (id int PRIMARY KEY{declared})")
    declared = "".join(f', "{name}" {column.cql}' for name, column in columns.items())
    admin.execute(f"CREATE TABLE {table} (id int{declared}, PRIMARY KEY ({key}))")
    sql(postgres, f"ALTER PUBLICATION crypto_publication ADD TABLE {table}")


def stored(reader: Session, table: str) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in reader.execute(f"SELECT * FROM {table}")}


@pytest.mark.parametrize("table", list(GROUPS))
def test_every_value_arrives_as_psycopg2_reads_it(postgres, reader, admin, letters, table) -> None:
    columns = GROUPS[table]
    create(postgres, admin, table, columns)
    rows = [*zip(*(column.values for column in columns.values())), ("NULL",) * len(columns)]
    for number, values in enumerate(rows):
        sql(postgres, f"INSERT INTO {table} VALUES ({number}, {', '.join(values)})")

    def arrived() -> object:
        found = stored(reader, table)
        return len(found) == len(rows) or found.keys()

    try:
        wait_until(arrived, 60, f"the rows of {table}")
    except AssertionError:
        raise AssertionError(letters(table, 1)) from None
    selected = ", ".join(column.select.format(f'"{name}"') for name, column in columns.items())
    found, wrong = stored(reader, table), {}
    for number, *values in sql(postgres, f"SELECT id, {selected} FROM {table} ORDER BY id"):
        for (name, column), value in zip(columns.items(), values):
            if column.postgres == "timetz":
                continue  # compared by test_time_with_time_zone
            if found[number][name] != expected(value, column.cql):
                wrong[name, number] = (column.postgres, value, found[number][name])
    assert wrong == {}


REFUSED = [
    ("timestamp", "timestamp", "'infinity'", "infinite"),
    ("timestamp", "timestamp", "'-infinity'", "infinite"),
    ("timestamp", "timestamp", "'0044-03-15 BC'", "year 0001 to 9999"),
    ("timestamp", "timestamp", "'20000-01-01'", "year 0001 to 9999"),
    ("timestamptz", "timestamp", "'infinity'", "infinite"),
    ("timestamptz", "timestamp", "'0044-03-15 BC'", "year 0001 to 9999"),
    ("timestamptz", "timestamp", "'20000-01-01'", "year 0001 to 9999"),
    ("date", "date", "'infinity'", "infinite"),
    ("date", "date", "'-infinity'", "infinite"),
    ("date", "date", "'0044-03-15 BC'", "year 0001 to 9999"),
    ("time", "time", "'24:00'", "24:00:00"),
    ("timetz", "time", "'10:00Z'", "time with time zone"),
    ("numeric", "decimal", "'NaN'", "neither NaN nor Infinity"),
    ("int", "smallint", "40000", "outside the range of smallint"),
    ("int[]", "list<int>", "'{1,NULL}'", "cannot hold null"),
    ("int[]", "set<int>", "'{1,NULL}'", "cannot hold null"),
    ("text[]", "frozen<list<text>>", "'{a,NULL}'", "cannot hold null"),
    ("int[]", "list<int>", "'{{1,2},{3,4}}'", "two dimensions"),
    ("text[]", "list<text>", "'{{a,b},{c,d}}'", "two dimensions"),
    ("time[]", "list<time>", "'{10:00}'", "time[]"),
    ("timestamp[]", "list<timestamp>", "'{infinity}'", "infinite"),
    ("date[]", "list<date>", "'{infinity}'", "year 0001 to 9999"),
    ("timestamptz[]", "list<timestamp>", "'{-infinity}'", "year 0001 to 9999"),
    ("inet", "inet", "'10.0.0.0/8'", "a network"),
    ("hstore", "map<text, text>", "'a=>NULL'", "cannot hold null"),
    ("text", "ascii", "'Ω'", "not ASCII"),
    ("jsonb", "frozen<ty_point>", '\'{"x": 1, "z": 2}\'', "no field z"),
]


def test_what_cannot_be_stored_is_a_dead_letter_that_says_why(postgres, reader, admin, letters) -> None:
    columns = {f"c{n}": Column(pg, cql, ()) for n, (pg, cql, _, _) in enumerate(REFUSED)}
    create(postgres, admin, "ty_refused", columns)
    for number, (_, _, value, _) in enumerate(REFUSED):
        sql(postgres, f"INSERT INTO ty_refused (id, c{number}) VALUES ({number}, {value})")
    sql(postgres, "INSERT INTO ty_refused (id) VALUES (1000)")
    wait_until(lambda: 1000 in stored(reader, "ty_refused"), 60, "the row after them")
    reasons = letters("ty_refused", len(REFUSED))
    wrong = {
        number: (pg, value, reasons.get(number))
        for number, (pg, _, value, words) in enumerate(REFUSED)
        if words not in reasons.get(number, "") or f"ty_refused.c{number}=" not in reasons[number]
    }
    assert wrong == {}
    assert stored(reader, "ty_refused").keys() == {1000}


BIG = 3000
TOASTED = {
    "n": Column("int", "int", ("1",)),
    "tx": Column("text", "text", (f"(SELECT string_agg(md5(g::text), '') FROM generate_series(1, {BIG}) g)",)),
    "js": Column("jsonb", "text", (f"(SELECT jsonb_agg(md5(g::text)) FROM generate_series(1, {BIG}) g)",), "{}::text"),
    "by": Column(
        "bytea", "blob", (f"(SELECT string_agg(sha256(g::text::bytea), '') FROM generate_series(1, {BIG}) g)",)
    ),
    "a4": Column("int[]", "list<int>", (f"(SELECT array_agg(hashint4(g)) FROM generate_series(1, {BIG}) g)",)),
    "a8": Column(
        "bigint[]", "list<bigint>", (f"(SELECT array_agg(hashint4(g)::bigint) FROM generate_series(1, {BIG}) g)",)
    ),
    "ad": Column(
        "date[]",
        "list<date>",
        (f"(SELECT array_agg(date '2026-01-01' + hashint4(g) % 9999) FROM generate_series(1, {BIG}) g)",),
    ),
    "at": Column("text[]", "list<text>", (f"(SELECT array_agg(md5(g::text)) FROM generate_series(1, {BIG}) g)",)),
    "au": Column(
        "uuid[]",
        "list<uuid>",
        (f"(SELECT array_agg(md5(g::text)::uuid) FROM generate_series(1, {BIG}) g)",),
        "{}::text[]",
    ),
    "aby": Column(
        "bytea[]", "list<blob>", (f"(SELECT array_agg(sha256(g::text::bytea)) FROM generate_series(1, {BIG}) g)",)
    ),
    "hs": Column(
        "hstore",
        "map<text, text>",
        (f"(SELECT hstore(array_agg(md5(g::text)), array_agg(md5(g::text))) FROM generate_series(1, {BIG}) g)",),
        "hstore_to_json({})",
    ),
}
NULL_IF_UNCHANGED = {
    "an": Column(
        "numeric[]", "list<decimal>", (f"(SELECT array_agg(hashint4(g)::numeric) FROM generate_series(1, {BIG}) g)",)
    ),
    "af": Column(
        "float8[]", "list<double>", (f"(SELECT array_agg(hashint4(g)::float8) FROM generate_series(1, {BIG}) g)",)
    ),
    "atz": Column(
        "timestamptz[]",
        "list<timestamp>",
        (f"(SELECT array_agg(to_timestamp(abs(hashint4(g)))) FROM generate_series(1, {BIG}) g)",),
    ),
}


def differences(postgres, reader: Session, table: str, columns: dict[str, Column]) -> dict[Any, Any]:
    selected = ", ".join(column.select.format(f'"{name}"') for name, column in columns.items())
    found, wrong = stored(reader, table), {}
    for number, *values in sql(postgres, f"SELECT id, {selected} FROM {table}"):
        for (name, column), value in zip(columns.items(), values):
            if found.get(number, {}).get(name) != expected(value, column.cql):
                wrong[name, number] = str(found.get(number, {}).get(name))[:200]
    return wrong


def test_large_values_that_an_update_leaves_alone_stay(postgres, reader, admin, letters) -> None:
    create(postgres, admin, "ty_toast", TOASTED)
    sql(postgres, f"INSERT INTO ty_toast VALUES (1, {', '.join(column.values[0] for column in TOASTED.values())})")
    sql(postgres, "UPDATE ty_toast SET n = 2")
    wait_until(lambda: stored(reader, "ty_toast").get(1, {}).get("n") == 2, 60, "the update")
    assert differences(postgres, reader, "ty_toast", TOASTED) == {}
    sql(postgres, "UPDATE ty_toast SET id = 2")
    assert "REPLICA IDENTITY FULL" in letters("ty_toast", 1)[2]


def test_large_arrays_that_come_as_null_need_the_full_replica_identity(postgres, reader, admin, letters) -> None:
    columns = {"n": TOASTED["n"], **NULL_IF_UNCHANGED}
    create(postgres, admin, "ty_nulls", columns)
    for number in (1, 2):
        values = ", ".join(column.values[0] for column in columns.values())
        sql(postgres, f"INSERT INTO ty_nulls VALUES ({number}, {values})")
    sql(postgres, "UPDATE ty_nulls SET n = 2 WHERE id = 1")
    assert "REPLICA IDENTITY FULL" in letters("ty_nulls", 1)[1]
    sql(postgres, "ALTER TABLE ty_nulls REPLICA IDENTITY FULL")
    sql(postgres, "UPDATE ty_nulls SET n = 3")
    wait_until(lambda: differences(postgres, reader, "ty_nulls", columns) == {} or "different", 60, "equal rows")


def test_delete_and_move_of_a_row_whose_key_postgres_does_not_log(postgres, reader, admin, letters) -> None:
    columns = {
        "at": Column("timestamptz NOT NULL", "timestamp", ()),
        "status": Column("text NOT NULL DEFAULT 'new'", "text", ()),
        "quantity": Column("int NOT NULL DEFAULT 1", "int", ()),
        "note": Column("text DEFAULT 'none'", "text", ()),
    }
    create(postgres, admin, "ty_keys", columns, key="(id), at")
    sql(
        postgres,
        "INSERT INTO ty_keys SELECT g, timestamptz '2026-01-01Z' + g * interval '1 day', 'old', 5, NULL"
        " FROM generate_series(1, 6) g",
    )
    wait_until(lambda: len(stored(reader, "ty_keys")) == 6 or stored(reader, "ty_keys"), 60, "six rows")
    assert {row["note"] for row in stored(reader, "ty_keys").values()} == {None}  # not the column's default
    sql(postgres, "DELETE FROM ty_keys WHERE id = 1")
    sql(postgres, "UPDATE ty_keys SET at = at + interval '1 hour' WHERE id = 2")
    sql(postgres, "DELETE FROM ty_keys WHERE id = 3")
    reasons = letters("ty_keys", 3)
    assert all("REPLICA IDENTITY FULL" in reasons.get(number, "") for number in (1, 2, 3)), reasons
    assert stored(reader, "ty_keys").keys() == {1, 2, 3, 4, 5, 6}
    sql(postgres, "ALTER TABLE ty_keys REPLICA IDENTITY FULL")
    sql(postgres, "UPDATE ty_keys SET at = at + interval '1 hour' WHERE id = 4")
    sql(postgres, "DELETE FROM ty_keys WHERE id = 5")

    def moved() -> object:
        rows = list(reader.execute("SELECT id, at FROM ty_keys"))
        found = sorted((row["id"], row["at"]) for row in rows if row["id"] in (4, 5))
        return found == [(4, datetime(2026, 1, 5, 1))] or found

    wait_until(moved, 60, "row 4 moved, row 5 deleted")


def test_rows_that_follow_bad_ones_of_every_kind_arrive(postgres, reader, admin) -> None:
    """A counter table, and a name that shares its topic with another: dead letters only."""
    sql(postgres, "CREATE TABLE ty_hits (id int PRIMARY KEY, hits bigint)")
    admin.execute("CREATE TABLE ty_hits (id int PRIMARY KEY, hits counter)")
    sql(postgres, "ALTER PUBLICATION crypto_publication ADD TABLE ty_hits")
    sql(postgres, "INSERT INTO ty_hits VALUES (1, 5)")
    create(postgres, admin, "ty_after", {"v": Column("text", "text", ())})
    for number in itertools.count():
        sql(postgres, f"INSERT INTO ty_after VALUES ({number}, 'x')")
        if number == 20:
            break
    wait_until(lambda: len(stored(reader, "ty_after")) == 21, 60, "the rows of the other table")


def test_time_with_time_zone_is_text_in_utc(postgres, reader) -> None:
    rows = stored(reader, "ty_times")
    assert [rows[number]["ttz"] for number in range(3)] == ["08:00:00Z", "00:00:00Z", "23:00:00Z"]
