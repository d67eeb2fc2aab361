from pipeline.consumer import tie_breaker as ties
from pipeline.consumer.tie_breaker import TieBreaker


def test_second_change_of_a_row_in_a_transaction_gets_the_larger_version():
    order = TieBreaker()
    order.start_transaction(("klines", 0), 100)
    assert [order.version_us("row", 100) for _ in range(3)] == [100, 101, 102]
    assert order.version_us("other row", 100) == 100


def test_transaction_that_goes_on_in_the_next_poll_is_remembered():
    order = TieBreaker()
    order.start_transaction(("klines", 0), 100)
    order.version_us("row", 100)
    order.start_transaction(("klines", 1), 70)
    order.version_us("row", 70)
    order.start_transaction(("klines", 0), 100)
    assert order.version_us("row", 100) == 101


def test_next_transaction_begins_with_its_own_commit_time():
    order = TieBreaker()
    order.start_transaction(("klines", 0), 100)
    order.version_us("row", 100)
    order.start_transaction(("klines", 0), 250)
    assert order.version_us("row", 250) == 250


def test_memory_of_a_huge_transaction_is_bounded(monkeypatch):
    monkeypatch.setattr(ties, "MOST_ROWS", 3)
    order = TieBreaker()
    for row in range(10):
        order.start_transaction(("klines", 0), 100)
        order.version_us(row, 100)
    assert len(order._rows) <= 4
