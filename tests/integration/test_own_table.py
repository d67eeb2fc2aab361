"""The example that the README shows, on real servers: a row, an update, a delete."""

from cassandra.cluster import Session

from pipeline import cassandra_session
from pipeline.schema import ROOT, cql_statements
from pipeline.settings import Settings
from tests.support.waiting import wait_until

EXAMPLE = ROOT / "examples" / "own_table"
ORDER = "SELECT quantity, unit_price, total FROM orders WHERE customer = 'ada' AND order_id = 1"


def test_own_table_of_the_example_is_mirrored(postgres, reader: Session, settings: Settings, consumer) -> None:
    with postgres.cursor() as cursor:
        for file in ("schema.sql", "by_hand.sql"):
            cursor.execute((EXAMPLE / file).read_text(encoding="utf-8"))
        cursor.execute("INSERT INTO orders VALUES ('ada', 1, 3, 19.90)")
    keyspace = settings.CASSANDRA_KEYSPACE
    admin = cassandra_session.login(settings, "cassandra", settings.CASSANDRA_ADMIN_PASSWORD, keyspace=keyspace)
    for statement in cql_statements((EXAMPLE / "table.cql").read_text(encoding="utf-8"), keyspace, {}):
        admin.execute(statement)
    admin.cluster.shutdown()

    def order() -> dict | None:
        return reader.execute(ORDER).one()

    wait_until(lambda: order() is not None, 60, "the order, written before Cassandra had the table")
    row = order()
    assert (row["quantity"], str(row["unit_price"]), row["total"]) == (3, "19.90", None)
    with postgres.cursor() as cursor:
        cursor.execute("UPDATE orders SET quantity = 4")
    wait_until(lambda: order()["quantity"] == 4 or order(), 30, "the new quantity")
    with postgres.cursor() as cursor:
        cursor.execute("DELETE FROM orders")
    wait_until(lambda: order() is None or order(), 30, "no order")
