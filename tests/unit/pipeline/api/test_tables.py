"""/tables and /tables/<name>, with a store that knows three tables."""

import re

import pytest
from cassandra.util import Date

from pipeline.api.app import create_app
from pipeline.api.store import BadPagingState, StorePage
from pipeline.api.table_key import TableKey, plain_type
from pipeline.errors import StoreUnavailable

ORDERS = TableKey(
    "orders",
    {"customer": "text", "at": "timestamp", "id": "int", "price": "decimal"},
    ("customer",),
    (("at", False), ("id", False)),
)
NEWEST_FIRST = TableKey("newest", {"dev": "int", "day": "date"}, ("dev",), (("day", True),))
PLAIN = TableKey("plain", {"limit": "int", "part": "uuid", "name": "text"}, ("limit", "part"), (("name", False),))
TEXT_TIME = TableKey(
    "text_time",
    {"dev": "int", "at": "text"},
    ("dev",),
    (("at", False),),
    "Mirror of public.text_time. Time as ISO 8601 text: at.",
)
US_TIME = TableKey(
    "us_time",
    {"dev": "int", "at": "bigint"},
    ("dev",),
    (("at", False),),
    "Mirror of public.us_time. Time as microseconds since 1970: at.",
)
# Tables of this project.
KLINES, FORECASTS, INSTRUMENTS = (
    TableKey(name, {"symbol": "text"}, ("symbol",)) for name in ("klines", "forecasts", "instruments")
)


class FakeStore:
    """Answers `page`; `asked` are the questions."""

    def __init__(self, page=None, error=None):
        self.page = page or StorePage([])
        self.error = error
        self.asked = []

    def tables(self):
        return [PLAIN, ORDERS, KLINES, FORECASTS, INSTRUMENTS, NEWEST_FIRST, TEXT_TIME, US_TIME]

    def select_page(self, columns, table, where, values, limit, paging_state=None):
        self.asked.append((columns, table, where, list(values), limit, paging_state))
        if self.error is not None:
            raise self.error
        return self.page


@pytest.fixture
def client(defaults):
    def make(*arguments):
        store = FakeStore(*arguments)
        made = create_app(defaults, store).test_client()
        made.store = store
        return made

    return make


def test_tables_are_listed_with_columns_and_key_and_without_those_of_the_project(client) -> None:
    found = {row["table"]: row for row in client().get("/tables").get_json()}
    assert list(found) == ["newest", "orders", "plain", "text_time", "us_time"]
    assert found["orders"]["partition_key"] == ["customer"]
    assert found["orders"]["clustering_key"] == ["at", "id"]
    assert found["orders"]["time"] == "at"
    assert found["plain"]["time"] is None
    assert {"name": "price", "type": "decimal"} in found["orders"]["columns"]


def test_partition_is_read_with_bound_values_newest_rows_last(client) -> None:
    made = client(StorePage([{"id": 2}, {"id": 1}]))
    reply = made.get("/tables/orders?customer=ada%22%27;&limit=2")
    assert reply.get_json() == [{"id": 1}, {"id": 2}]
    ((columns, table, where, values, limit, state),) = made.store.asked
    assert '"at"' in columns
    assert (table, values, limit, state) == ('"orders"', ["ada\"';"], 2, None)
    assert where == 'WHERE "customer" = ? ORDER BY "at" DESC, "id" DESC'


def test_range_goes_forward_from_its_start(client) -> None:
    made = client(StorePage([{"id": 1}, {"id": 2}]))
    assert made.get("/tables/orders?customer=a&from=5&to=1970-01-01T00:00:09Z").get_json() == [{"id": 1}, {"id": 2}]
    ((_, _, where, values, _, _),) = made.store.asked
    assert (where, values) == ('WHERE "customer" = ? AND "at" >= ? AND "at" < ?', ["a", 5, 9000])


def test_date_as_time_begins_at_its_midnight_and_a_descending_table_is_turned_round(client) -> None:
    made = client()
    made.get("/tables/newest?dev=1&from=2026-01-31T00:00:01Z&to=2026-02-02")
    made.get("/tables/newest?dev=1")
    (_, _, where, values, _, _), (_, _, backward, _, _, _) = made.store.asked
    assert where == 'WHERE "dev" = ? AND "day" >= ? AND "day" < ? ORDER BY "day" ASC'
    assert values == [1, Date("2026-02-01"), Date("2026-02-02")]
    assert backward == 'WHERE "dev" = ?'


@pytest.mark.parametrize(
    ("table", "start"), [("text_time", "2026-01-01T00:00:00.001000Z"), ("us_time", 1_767_225_600_001_000)]
)
def test_time_with_microseconds_has_a_range_as_well(client, table, start) -> None:
    made = client()
    made.get(f"/tables/{table}?dev=1&from=2026-01-01T00:00:00.001Z")
    ((_, _, where, values, _, _),) = made.store.asked
    assert where == 'WHERE "dev" = ? AND "at" >= ?'
    assert values == [1, start]


def test_cursor_of_another_partition_is_400(client) -> None:
    made = client(StorePage([{"id": 1}], b"state"))
    link = made.get("/tables/orders?customer=a&limit=1").headers["Link"].split(">")[0][1:]
    reply = made.get(link.replace("customer=a", "customer=b"))
    assert (reply.status_code, reply.get_json()["parameter"]) == (400, "cursor")


def test_key_column_that_is_called_like_a_parameter_has_a_prefix(client) -> None:
    made = client()
    part = "b68a35a7-17ad-45b3-af2a-ae46edb4545a"
    assert made.get(f"/tables/plain?key.limit=7&part={part}&limit=3").status_code == 200
    ((_, _, where, values, limit, _),) = made.store.asked
    assert where == 'WHERE "limit" = ? AND "part" = ?'
    assert (values[0], str(values[1]), limit) == (7, part, 3)


def test_next_page_is_linked_and_begins_where_the_last_one_ended(client) -> None:
    made = client(StorePage([{"id": 1}], b"\x00state\xff"))
    reply = made.get("/tables/orders?customer=a%26b&from=5&limit=1")
    link = re.fullmatch(r'<(/tables/orders\?.*)>; rel="next"', reply.headers["Link"])[1]
    made.store.page = StorePage([{"id": 2}])
    again = made.get(link)
    assert again.get_json() == [{"id": 2}]
    assert "Link" not in again.headers
    first, second = made.store.asked
    assert second == (*first[:5], b"\x00state\xff")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/tables/orders", "customer"),
        ("/tables/orders?customer=", "customer"),
        ("/tables/orders?customer=a&customer=b", "customer"),
        ("/tables/orders?customer=a&price=1", "price"),
        ("/tables/orders?customer=a&limit=0", "limit"),
        ("/tables/orders?customer=a&limit=5001", "limit"),
        ("/tables/orders?customer=a&from=soon", "from"),
        ("/tables/orders?customer=a&from=9&to=5", "from"),
        ("/tables/orders?customer=a&cursor=%FF", "cursor"),
        ("/tables/orders?customer=a&cursor=", "cursor"),
        ("/tables/newest?dev=x", "dev"),
        ("/tables/newest?dev=99999999999", "dev"),
        ("/tables/plain?key.limit=1&part=b68a35a7-17ad-45b3-af2a-ae46edb4545a&from=5", "from"),
        ("/tables/plain?limit=1", "key.limit"),
    ],
)
def test_bad_parameter_is_400_with_its_name_and_nothing_is_read(client, path, parameter) -> None:
    made = client()
    reply = made.get(path)
    assert (reply.status_code, reply.mimetype) == (400, "application/json")
    assert reply.get_json()["parameter"] == parameter
    assert made.store.asked == []


def test_cursor_that_cassandra_does_not_know_is_400(client) -> None:
    """As after an update of Cassandra."""
    made = client(StorePage([{"id": 1}], b"old state"))
    link = made.get("/tables/orders?customer=a&limit=1").headers["Link"].split(">")[0][1:]
    made.store.error = BadPagingState("?")
    reply = made.get(link)
    assert (reply.status_code, reply.get_json()["parameter"]) == (400, "cursor")


@pytest.mark.parametrize(
    "name", ["nowhere", "klines", "forecasts", "instruments", "market_now", "Orders", "system.local", "orders%20"]
)
def test_table_that_is_not_mirrored_is_404_in_the_shape_of_every_error(client, name) -> None:
    reply = client().get(f"/tables/{name}?customer=a")
    assert (reply.status_code, reply.mimetype) == (404, "application/json")
    assert set(reply.get_json()) == {"error"}


def test_unavailable_store_is_503(client) -> None:
    reply = client(StorePage([]), StoreUnavailable("down")).get("/tables/orders?customer=a")
    assert (reply.status_code, "Retry-After" in reply.headers) == (503, True)


def test_no_read_of_a_mirrored_table_filters(client) -> None:
    made = client()
    made.get("/tables/orders?customer=a")
    made.get("/tables/orders?customer=b&from=5")
    assert all("FILTERING" not in asked[2] for asked in made.store.asked)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("frozen<list<int>>", "list<int>"),
        ("list<frozen<tuple<int, text>>>", "list<tuple<int, text>>"),
        ("map<text, frozen<list<int>>>", "map<text, list<int>>"),
        ("frozen<map<text, frozen<list<int>>>>", "map<text, list<int>>"),
        ("text", "text"),
    ],
)
def test_types_are_shown_without_frozen(kind: str, plain: str) -> None:
    assert plain_type(kind) == plain
