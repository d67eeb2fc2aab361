"""Which of two writes of a row wins, and what TRUNCATE leaves, with real PostgreSQL, Debezium,
Kafka and Cassandra. Each test has a table of its own."""

from collections.abc import Callable, Iterator

import pytest
from cassandra.cluster import Session

from pipeline import cassandra_session
from pipeline.settings import Settings
from tests.support.program import Program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("consumer")


@pytest.fixture(scope="module")
def admin(settings: Settings) -> Iterator[Session]:
    """Cassandra's superuser, for changes of the schema."""
    password, keyspace = settings.CASSANDRA_ADMIN_PASSWORD, settings.CASSANDRA_KEYSPACE
    session = cassandra_session.login(settings, "cassandra", password, keyspace=keyspace)
    yield session
    session.cluster.shutdown()


@pytest.fixture
def sql(postgres) -> Callable[..., list[tuple]]:
    def execute(statement: str) -> list[tuple]:
        with postgres.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return execute


@pytest.fixture
def mirrored(sql, admin) -> Callable[[str, str, str], None]:
    """`mirrored(name, postgres columns, cassandra columns)`: a captured table with its mirror."""

    def create(name: str, columns: str, cassandra_columns: str) -> None:
        admin.execute(f"CREATE TABLE {name} ({cassandra_columns})")
        sql(f"CREATE TABLE {name} ({columns})")
        sql(f"GRANT SELECT ON {name} TO crypto_debezium")
        sql(f"ALTER PUBLICATION crypto_publication ADD TABLE {name}")

    return create


@pytest.fixture
def same(sql, reader) -> Callable[[str], Callable[[], object]]:
    """`same(table)`: the mirror (id, n) equals PostgreSQL."""

    def rows(table: str) -> Callable[[], object]:
        def check() -> object:
            expected = dict(sql(f"SELECT id, n FROM {table}"))
            found = {row["id"]: row["n"] for row in reader.execute(f"SELECT id, n FROM {table}")}
            return found == expected or (len(expected), dict(list(found.items())[:5]))

        return check

    return rows


def snapshot(sql, table: str) -> None:
    sql(
        "INSERT INTO debezium_signal (id, type, data) VALUES (gen_random_uuid(), 'execute-snapshot',"
        f""" '{{"type": "blocking", "data-collections": ["public.{table}"]}}')"""
    )


@pytest.mark.parametrize("updates", [5000, 50_000])
def test_update_after_a_transaction_with_thousands_of_updates_of_the_row_is_not_hidden(
    sql, mirrored, same, updates
) -> None:
    table = f"many_{updates}"
    mirrored(table, "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    sql(f"INSERT INTO {table} VALUES (1, 0)")
    # By its place: through the index, PostgreSQL would pass all versions of the row each time.
    sql(
        f"DO $$ DECLARE place tid; BEGIN SELECT ctid INTO place FROM {table}; FOR g IN 1..{updates} LOOP"
        f" UPDATE {table} SET n = 1000000 + g WHERE ctid = place RETURNING ctid INTO place; END LOOP; END $$"
    )
    sql(f"UPDATE {table} SET n = 7 WHERE id = 1")
    wait_until(same(table), 120, "the last update")


def test_running_total_of_a_trigger_is_the_last_one(sql, mirrored, same) -> None:
    mirrored("totals", "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    mirrored("parts", "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    sql("INSERT INTO totals VALUES (1, 100000)")
    sql(
        "CREATE FUNCTION add_up() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE totals SET n = n - NEW.n WHERE id = 1; RETURN NEW; END $$"
    )
    sql("CREATE TRIGGER add_up AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION add_up()")
    sql("INSERT INTO parts SELECT g, 1 FROM generate_series(1, 5000) g")
    sql("INSERT INTO parts VALUES (5001, 1000)")
    wait_until(same("totals"), 120, "the last total")
    wait_until(same("parts"), 60, "every part")


@pytest.mark.parametrize("with_time", [True, False], ids=["with updated_at", "without"])
def test_snapshot_corrects_a_row_that_changed_while_it_was_not_captured(sql, mirrored, same, with_time) -> None:
    """`updated_at` is that of the insert: no update touches it."""
    table = f"stale_{with_time}".lower()
    extra = (", updated_at timestamptz DEFAULT now()", ", updated_at timestamp") if with_time else ("", "")
    mirrored(table, f"id int PRIMARY KEY, n int{extra[0]}", f"id int PRIMARY KEY, n int{extra[1]}")
    sql(f"INSERT INTO {table} (id, n) VALUES (1, 1), (2, 1)")
    sql(f"UPDATE {table} SET n = 9 WHERE id = 1")
    wait_until(same(table), 60, "the streamed update")
    sql(f"ALTER PUBLICATION crypto_publication DROP TABLE {table}")
    sql(f"UPDATE {table} SET n = 3 WHERE id = 1")
    sql(f"ALTER PUBLICATION crypto_publication ADD TABLE {table}")
    snapshot(sql, table)
    sql(f"UPDATE {table} SET n = 5 WHERE id = 2")
    wait_until(same(table), 60, "what only the snapshot has")
    sql(f"UPDATE {table} SET n = 4 WHERE id = 1")
    wait_until(same(table), 60, "the update after the snapshot")


def test_truncate_empties_the_mirror_and_keeps_what_follows(sql, mirrored, same) -> None:
    mirrored("emptied", "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    sql("INSERT INTO emptied SELECT g, g FROM generate_series(1, 3000) g")
    wait_until(same("emptied"), 60, "the rows before")
    sql("TRUNCATE emptied; INSERT INTO emptied VALUES (99, 1)")
    wait_until(same("emptied"), 60, "the one row after")
    sql(
        "BEGIN; INSERT INTO emptied VALUES (98, 1); TRUNCATE emptied;"
        " INSERT INTO emptied VALUES (1, 2), (5000, 2); COMMIT"
    )
    sql("UPDATE emptied SET n = 3 WHERE id = 1")
    wait_until(same("emptied"), 60, "the rows of the second transaction")


def test_truncate_right_after_many_changes_leaves_none_of_them(sql, mirrored, same, reader) -> None:
    """Their records are in several Kafka partitions, and some may be read after the TRUNCATE."""
    mirrored("emptied_soon", "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    sql("INSERT INTO emptied_soon SELECT g, g FROM generate_series(1, 20000) g")
    sql("UPDATE emptied_soon SET n = n + 1")
    sql("TRUNCATE emptied_soon")
    sql("INSERT INTO emptied_soon VALUES (20001, 1)")
    wait_until(same("emptied_soon"), 120, "one row")
    done = "SELECT done FROM truncations WHERE table_name = 'emptied_soon'"
    wait_until(lambda: reader.execute(done).one()["done"] is True or "not done", 60, "the second delete")
    assert same("emptied_soon")() is True


def test_consumer_that_is_killed_after_a_truncate_still_empties_the_mirror(
    sql, mirrored, same, start: Callable[..., Program]
) -> None:
    mirrored("emptied_late", "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    with start("consumer_to_cassandra.py") as first:
        wait_until(first.healthy, 60, "health")
        sql("INSERT INTO emptied_late SELECT g, g FROM generate_series(1, 20000) g")
        sql("TRUNCATE emptied_late; INSERT INTO emptied_late VALUES (99, 1)")
        first.kill()
    wait_until(same("emptied_late"), 120, "one row")


def test_truncate_removes_what_another_consumer_has_written_in_its_transaction(
    sql, mirrored, same, consumer: Program, start: Callable[..., Program]
) -> None:
    mirrored("emptied_by_two", "id int PRIMARY KEY, n int", "id int PRIMARY KEY, n int")
    with start("consumer_to_cassandra.py") as second:

        def each_has_partitions() -> object:
            sql(
                "INSERT INTO emptied_by_two SELECT g, 0 FROM generate_series(1, 40) g"
                " ON CONFLICT (id) DO UPDATE SET n = emptied_by_two.n + 1"
            )
            read = [one.metric("consumer_records_total", table="emptied_by_two") for one in (consumer, second)]
            return all(read) or read

        wait_until(second.healthy, 60, "health")
        wait_until(each_has_partitions, 60, "records of the table for each consumer")
        sql(
            "BEGIN; UPDATE emptied_by_two SET n = n + 1; TRUNCATE emptied_by_two;"
            " INSERT INTO emptied_by_two VALUES (1, 2), (500, 2); COMMIT"
        )
        wait_until(same("emptied_by_two"), 60, "the two rows after it")


def test_truncate_of_a_history_table_is_reported_and_keeps_the_history(sql, reader, consumer: Program) -> None:
    sql("INSERT INTO latest_prices VALUES ('KEPTUSDT', 1.5)")
    query = "SELECT price FROM latest_prices WHERE symbol = 'KEPTUSDT'"
    wait_until(lambda: reader.execute(query).one() is not None, 30, "the price")
    sql("TRUNCATE latest_prices")
    wait_until(lambda: "truncate_ignored" in consumer.output() or "no line", 30, "the warning")
    assert reader.execute(query).one() == {"price": 1.5}
