from pipeline.api.downsampling.sampling import points_per_symbol, range_of
from pipeline.api.query import Query
from pipeline.times import DAY_MS

NOW = 1_774_742_400_000


def test_range_is_the_last_day_unless_given():
    assert range_of(Query(), NOW) == (NOW + 1 - DAY_MS, NOW + 1)
    assert range_of(Query(to_ms=5), NOW) == (0, 5)
    assert range_of(Query(from_ms=5, to_ms=9), NOW) == (5, 9)


def test_range_that_begins_in_the_future_is_empty():
    assert range_of(Query(from_ms=NOW + 10), NOW) == (NOW + 10, NOW + 10)


def test_points_are_divided_between_the_symbols_and_each_has_at_least_one():
    assert points_per_symbol(Query(symbols=("A", "B", "C"), points=100)) == 33
    assert points_per_symbol(Query(symbols=("A", "B", "C"), points=2)) == 1
    assert points_per_symbol(Query(symbols=("A",), points=5000), max_points=1000) == 1000
