from pipeline.consumer import tie_breaker
from pipeline.consumer.tie_breaker import TieBreaker


def test_second_change_of_a_row_in_a_transaction_gets_the_larger_version():
    breaker = TieBreaker()
    breaker.start_transaction(("klines", 0), 100)
    assert [breaker.version_us("row", 100) for _ in range(3)] == [100, 101, 102]
    assert breaker.version_us("other row", 100) == 100


def test_transaction_that_goes_on_in_the_next_poll_is_remembered():
    breaker = TieBreaker()
    breaker.start_transaction(("klines", 0), 100)
    breaker.version_us("row", 100)
    breaker.start_transaction(("klines", 1), 70)
    breaker.version_us("row", 70)
    breaker.start_transaction(("klines", 0), 100)
    assert breaker.version_us("row", 100) == 101


def test_next_transaction_starts_with_its_own_commit_time():
    breaker = TieBreaker()
    breaker.start_transaction(("klines", 0), 100)
    breaker.version_us("row", 100)
    breaker.start_transaction(("klines", 0), 250)
    assert breaker.version_us("row", 250) == 250


def test_memory_of_a_huge_transaction_is_bounded(monkeypatch):
    monkeypatch.setattr(tie_breaker, "MAX_ROWS", 3)
    breaker = TieBreaker()
    for row in range(10):
        breaker.start_transaction(("klines", 0), 100)
        breaker.version_us(row, 100)
    remembered = [row for row in range(10) if breaker.version_us(row, 100) > 100]
    assert 0 < len(remembered) <= 4
