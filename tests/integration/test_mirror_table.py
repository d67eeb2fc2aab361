"""mirror_table.py as a user runs it, with real PostgreSQL, Debezium, Kafka and Cassandra: the five
tables of examples/film_rental, what is refused, and the end of a mirroring."""

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from cassandra.util import Date, Time

from tests.support.program import ROOT, Program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("consumer")

FILM_RENTAL = ROOT / "examples" / "film_rental"
COMMANDS = [
    line.removeprefix("docker compose run --rm mirror ").split()
    for line in (FILM_RENTAL / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("docker compose run --rm mirror ")
]
ROWS = {"film": 500, "film_actor": 1500, "customer": 300, "rental": 3000, "payment": 3000}


@pytest.fixture(scope="module")
def mirror(start: Callable[..., Program]) -> Callable[..., tuple[int, str]]:
    """Runs the program to its end; the exit code and the output."""

    def run(*arguments: str) -> tuple[int, str]:
        program = start("mirror_table.py", *arguments)
        return program.process.wait(180), program.output()

    return run


@pytest.fixture(scope="module")
def film_rental(postgres, mirror) -> dict[str, tuple[int, str]]:
    """The five commands of the example, by table."""
    sql(postgres, (FILM_RENTAL / "schema.sql").read_text(encoding="utf-8"))
    return {arguments[0]: mirror(*arguments) for arguments in COMMANDS}


def sql(postgres, statement: str) -> list[tuple]:
    with postgres.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def published(postgres) -> set[str]:
    rows = sql(postgres, "SELECT tablename FROM pg_publication_tables WHERE pubname = 'crypto_publication'")
    return {name for (name,) in rows}


def comparable(value: Any) -> Any:
    """A value of either driver in one form, times to the millisecond; JSON as what it means."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return ("ms", round(aware.timestamp() * 1_000_000) // 1000)
    if isinstance(value, memoryview | bytes):
        return bytes(value)
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return json.dumps(json.loads(value), sort_keys=True)
    if isinstance(value, Date):
        return str(value)
    if isinstance(value, Time):
        return f"{value.time()}"
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, float):
        return struct.pack(">f", value)
    if isinstance(value, Decimal):
        return value
    return value if isinstance(value, int | None) else str(value)


def rows_of_postgres(postgres, table: str) -> list[dict[str, Any]]:
    with postgres.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, map(comparable, row))) for row in cursor.fetchall()]


def rows_of_cassandra(reader, table: str) -> list[dict[str, Any]]:
    return [
        {name: comparable(value) for name, value in row.items()} for row in reader.execute(f"SELECT * FROM {table}")
    ]


def by_key(rows: list[dict[str, Any]], key: str) -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in rows}


def test_five_commands_mirror_five_tables(film_rental) -> None:
    assert [arguments[0] for arguments in COMMANDS] == list(ROWS)
    for table, (code, output) in film_rental.items():
        assert code == 0, output
        assert f"equal: {ROWS[table]:,} rows" in output
        assert "curl 'http://localhost:" in output
        assert "SELECT * FROM crypto." in output


@pytest.mark.parametrize(("table", "key"), [("film", "film_id"), ("customer", "customer_id"), ("rental", "rental_id")])
def test_every_value_of_the_mirror_is_that_of_postgres(postgres, reader, film_rental, table, key) -> None:
    wanted, found = (
        by_key(rows, key) for rows in (rows_of_postgres(postgres, table), rows_of_cassandra(reader, table))
    )
    assert len(wanted) == ROWS[table]
    assert found == wanted


def test_every_value_of_a_table_with_a_key_of_three_columns_is_that_of_postgres(postgres, reader, film_rental) -> None:
    def identified(rows: list[dict[str, Any]]) -> dict[Any, Any]:
        return {(row["film_id"], row["actor"], row["role_number"]): row for row in rows}

    assert identified(rows_of_cassandra(reader, "film_actor")) == identified(rows_of_postgres(postgres, "film_actor"))


def test_times_in_the_key_of_a_partitioned_table_keep_their_microseconds(postgres, reader, film_rental) -> None:
    wanted = {
        (str(customer), f"{paid_at:%Y-%m-%dT%H:%M:%S.%fZ}", payment, amount)
        for customer, paid_at, payment, amount in sql(
            postgres, "SELECT customer_id, paid_at, payment_id, amount FROM payment"
        )
    }
    found = {
        (str(row["customer_id"]), row["paid_at"], row["payment_id"], row["amount"])
        for row in reader.execute("SELECT customer_id, paid_at, payment_id, amount FROM payment")
    }
    assert len(found) == ROWS["payment"]
    assert found == wanted


def test_run_again_it_changes_nothing(mirror, film_rental) -> None:
    code, output = mirror("rental")
    assert code == 0
    assert "nothing to change" in output
    assert "ALTER" not in output
    assert "CREATE" not in output


def test_changes_arrive_after_the_snapshot(postgres, reader, film_rental) -> None:
    """A trigger sets last_update; a new month is a new partition; Cassandra's key of rental holds a
    column that is not in PostgreSQL's key."""
    sql(
        postgres, "CREATE TABLE payment_2026_04 PARTITION OF payment FOR VALUES FROM ('2026-04-01Z') TO ('2026-05-01Z')"
    )
    sql(postgres, "INSERT INTO payment VALUES (9001, gen_random_uuid(), 1, 5.00, '2026-04-02 03:04:05.000006Z')")
    sql(postgres, "UPDATE film SET special_features = '{New}', rating = 'NC-17' WHERE film_id = 7")
    sql(postgres, "UPDATE rental SET film_id = 499 WHERE rental_id = 1")
    sql(postgres, "DELETE FROM rental WHERE rental_id = 2")
    sql(postgres, "UPDATE customer SET phones = '{}', photo = NULL WHERE last_name = 'Last 10'")

    def equal() -> object:
        for table, key in (("film", "film_id"), ("customer", "customer_id"), ("payment", "payment_id")):
            wanted, found = (
                by_key(r, key) for r in (rows_of_postgres(postgres, table), rows_of_cassandra(reader, table))
            )
            different = [name for name in wanted if table != "payment" and found.get(name) != wanted[name]]
            if different or found.keys() != wanted.keys():
                return table, different[:3]
        return True

    wait_until(equal, 30, "the changes in Cassandra")
    query = "SELECT rental_id FROM rental WHERE film_id = %s AND rental_id = %s"
    wait_until(lambda: reader.execute(query, (499, 1)).one() is not None, 30, "the moved rental")
    (old_film,) = {2, 3} - {0, 3}  # rental 1 had film 2, rental 2 had film 3
    wait_until(lambda: reader.execute(query, (old_film, 1)).one() is None, 30, "no rental under its old key")
    wait_until(lambda: reader.execute(query, (3, 2)).one() is None, 30, "the deleted rental")


def test_mirrored_rows_are_read_by_partition_through_the_api(api: str, postgres, film_rental) -> None:
    tables = {row["table"]: row for row in requests.get(f"{api}/tables", timeout=10).json()}
    assert set(ROWS) <= set(tables)
    assert tables["rental"]["partition_key"] == ["film_id"]
    assert {"name": "rental_rate", "type": "decimal"} in tables["film"]["columns"]
    (film,) = requests.get(f"{api}/tables/film?film_id=12", timeout=10).json()
    ((rate, features),) = sql(postgres, "SELECT rental_rate::text, special_features FROM film WHERE film_id = 12")
    assert (film["rental_rate"], film["special_features"]) == (rate, features)
    reply = requests.get(f"{api}/tables/rental?film_id=8&limit=4", timeout=10)
    ids = [row["rental_id"] for row in reply.json()]
    while "next" in reply.links:
        reply = requests.get(api + reply.links["next"]["url"], timeout=10)
        ids += [row["rental_id"] for row in reply.json()]
    assert ids == [row[0] for row in sql(postgres, "SELECT rental_id FROM rental WHERE film_id = 8 ORDER BY rental_id")]


def test_dry_run_shows_the_plan_and_changes_nothing(postgres, reader, mirror) -> None:
    sql(postgres, "CREATE TABLE dry (id int PRIMARY KEY, at timetz, note text)")
    before = published(postgres)
    code, output = mirror("dry", "--dry-run")
    assert code == 0
    assert "left out: Debezium turns the time to UTC" in output
    assert "CREATE TABLE" in output
    assert published(postgres) == before
    assert reader.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'crypto'").all()
    names = {r["table_name"] for r in reader.execute("SELECT * FROM system_schema.tables WHERE keyspace_name='crypto'")}
    assert "dry" not in names


def test_stop_takes_the_table_out_and_keeps_the_rows(postgres, reader, mirror) -> None:
    sql(postgres, "CREATE TABLE stopped (id int PRIMARY KEY, note text); INSERT INTO stopped VALUES (1, 'kept')")
    assert mirror("stopped")[0] == 0
    code, output = mirror("stopped", "--stop")
    assert code == 0
    assert "DROP TABLE" in output
    assert "stopped" not in published(postgres)
    assert reader.execute("SELECT note FROM stopped WHERE id = 1").one()["note"] == "kept"
    code, output = mirror("stopped", "--stop")
    assert (code, "nothing to change" in output) == (0, True)
    sql(postgres, "UPDATE stopped SET note = 'again'; INSERT INTO stopped VALUES (2, 'new')")
    assert mirror("stopped")[0] == 0
    assert reader.execute("SELECT note FROM stopped WHERE id = 1").one()["note"] == "again"


def test_column_that_is_new_in_postgres_is_added_with_its_values(postgres, reader, mirror) -> None:
    sql(postgres, "CREATE TABLE growing (id int PRIMARY KEY); INSERT INTO growing VALUES (1), (2)")
    assert mirror("growing")[0] == 0
    sql(postgres, "ALTER TABLE growing ADD COLUMN added text DEFAULT 'new'")
    code, output = mirror("growing")
    assert code == 0, output
    assert {row["added"] for row in reader.execute("SELECT added FROM growing")} == {"new"}


KINDS = """
CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE mood AS ENUM ('calm', 'so so'); CREATE DOMAIN numbers AS integer[]; CREATE TYPE pair AS (a int, b int);
CREATE TABLE kinds (
    id int, at timestamp NOT NULL, s int2, b int8, n numeric, f4 real, f8 double precision, ok boolean,
    c char(5), v varchar(9), e mood, ci citext, j json, jb jsonb, x xml, h hstore, i inet, ne cidr, m macaddr,
    m8 macaddr8, r int4range, tr tstzrange, ts tsvector, iv interval, u uuid, by bytea, d date, t time,
    t3 time(3), tz timestamptz, b1 bit, b9 bit(9), o oid, mo money, q "char", left_out pair,
    twice int GENERATED ALWAYS AS (id * 2) STORED,
    ai int[], anum numbers, ab int8[], asm int2[], an numeric[], af float8[], aok boolean[], at_ text[], ae mood[],
    aci citext[], aj jsonb[], au uuid[], ad date[], ats timestamp[], atz timestamptz[], aby bytea[], air inet[],
    ar int4range[], ao oid[], am macaddr[], PRIMARY KEY (id, at));
INSERT INTO kinds VALUES (1, '2026-01-01 00:00:00.000001', -7, 9007199254740993, 12345678901234567890.12, 0.1, 1e-300,
    true, 'ab', 'ü', 'so so', 'Ci', '{"a": [1, null]}', '{"b": 1.50}', '<a>1</a>', 'a=>1,b=>NULL', '10.0.0.1/8',
    '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '[1,3)', '[2026-01-01,)', to_tsvector('a fat cat'),
    '1 year 2 mons -3 days 04:05:06.789', gen_random_uuid(), '\\x00ff', '0001-01-01', '23:59:59.999999', '10:00:00.123',
    '1900-01-01 00:00:00.999Z', B'1', B'100000001', 4294967295, -12.5, 'x', '(1,2)', DEFAULT, '{1,-2}', '{3}',
    '{9007199254740993}', '{1,2}', '{1.50,-2}', '{0.1,1e300}', '{true,false}', '{a,"b, c",""}', '{calm,"so so"}',
    '{A,b}', ARRAY['{"a":1}']::jsonb[], ARRAY[gen_random_uuid()], '{1999-12-31}', '{"1965-03-01 12:00"}',
    '{2026-01-01Z}', ARRAY['\\x01'::bytea], '{10.0.0.1}', ARRAY['[1,3)']::int4range[], '{1,4294967295}',
    '{08:00:2b:01:02:03}');
INSERT INTO kinds (id, at, ai, an, at_, n, d) VALUES (2, '2026-01-01', '{}', '{}', '{}', 'NaN', 'infinity');
INSERT INTO kinds (id, at, ai, at_) VALUES (3, '1969-12-31 23:59:59.999999', '{}', NULL);
"""


def test_value_of_every_type_arrives_as_it_is_or_is_announced_as_a_dead_letter(postgres, reader, mirror) -> None:
    sql(postgres, KINDS)
    code, output = mirror("kinds")
    assert code == 0, output
    assert "equal: 2 rows" in output
    assert "1 row has NaN or infinity: dead letters" in output
    assert "dead letters, as announced: 1" in output
    for name in ("left_out", "twice"):
        assert any(line.split()[:1] == [name] and "left out" in line for line in output.splitlines())
    first = reader.execute("SELECT at, b, n, c, ai, ae, iv, o FROM kinds WHERE id = 1").one()
    assert (first["at"], first["b"], str(first["n"])) == (1_767_225_600_000_001, 2**53 + 1, "12345678901234567890.12")
    assert (first["c"], first["ai"], first["ae"], first["o"]) == ("ab   ", [1, -2], ["calm", "so so"], 2**32 - 1)
    third = reader.execute("SELECT at, ai, at_ FROM kinds WHERE id = 3").one()
    assert (third["at"], third["ai"], third["at_"]) == (-1, [], None)


REFUSED = {
    "a view": ("CREATE VIEW ref_view AS SELECT 1 AS id", ["ref_view"], "is a view"),
    "no primary key": ("CREATE TABLE ref_none (a int)", ["ref_none"], "ADD PRIMARY KEY"),
    "a name that Cassandra cannot hold": (
        'CREATE TABLE "ref$name" (id int PRIMARY KEY)',
        ["ref$name"],
        "RENAME TO ref_name",
    ),
    "a partition": (
        "CREATE TABLE ref_root (id int PRIMARY KEY) PARTITION BY LIST (id);"
        "CREATE TABLE ref_leaf PARTITION OF ref_root FOR VALUES IN (1)",
        ["ref_leaf"],
        "mirror ref_root",
    ),
    "a key that does not tell rows apart": (
        "CREATE TABLE ref_key (id int PRIMARY KEY, customer text NOT NULL)",
        ["ref_key", "--key", "customer"],
        "--key customer,id",
    ),
    "a key that may be null": (
        "CREATE TABLE ref_null (id int PRIMARY KEY, customer text)",
        ["ref_null", "--key", "customer,id"],
        "SET NOT NULL",
    ),
    "values that would be changed without notice": (
        "CREATE TABLE ref_odd (id int PRIMARY KEY, days date[]);"
        "INSERT INTO ref_odd VALUES (1, '{2026-01-01,\"0044-03-15 BC\"}')",
        ["ref_odd"],
        "times before the year 1",
    ),
    "another schema": (
        "CREATE SCHEMA IF NOT EXISTS other; CREATE TABLE other.ref_far (id int PRIMARY KEY)",
        ["other.ref_far"],
        "SET SCHEMA public",
    ),
    "rows that row-level security hides": (
        "CREATE TABLE ref_secret (id int PRIMARY KEY); ALTER TABLE ref_secret ENABLE ROW LEVEL SECURITY",
        ["ref_secret"],
        "CREATE POLICY",
    ),
    "an unlogged table": ("CREATE UNLOGGED TABLE ref_unlogged (id int PRIMARY KEY)", ["ref_unlogged"], "SET LOGGED"),
    "a parent of tables that inherit": (
        "CREATE TABLE ref_parent (id int PRIMARY KEY); CREATE TABLE ref_child () INHERITS (ref_parent)",
        ["ref_parent"],
        "inherit",
    ),
    "no such table": ("SELECT 1", ["ref_nowhere"], "there is no table"),
    "a table of this project": ("SELECT 1", ["klines"], "a table of this project"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_says_what_to_change_and_changes_nothing(postgres, mirror, case) -> None:
    statement, arguments, remedy = REFUSED[case]
    sql(postgres, statement)
    before = published(postgres)
    code, output = mirror(*arguments)
    assert code == 1, output
    assert remedy in output
    assert "Traceback" not in output
    assert published(postgres) == before


@pytest.fixture(autouse=True, scope="module")
def clean(postgres):
    """The tables are left out of later modules' snapshots."""
    yield
    for table in published(postgres) & {*ROWS, "stopped", "growing", "kinds"}:
        sql(postgres, f"ALTER PUBLICATION crypto_publication DROP TABLE {table}")


def test_example_has_no_more_tables_than_it_mirrors_and_its_partitions() -> None:
    text = Path(FILM_RENTAL / "schema.sql").read_text(encoding="utf-8")
    assert text.count("CREATE TABLE ") - text.count("PARTITION OF payment FOR") == len(ROWS)
