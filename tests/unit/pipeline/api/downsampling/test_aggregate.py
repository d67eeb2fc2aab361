"""The limits of a downsampled read. Its rows are tested against Cassandra, in
tests/integration/api."""

from pipeline.api.downsampling import aggregate
from pipeline.api.downsampling.aggregate import AggregatePerBucket
from pipeline.api.query import Query
from pipeline.tables import PRICES
from pipeline.times import HOUR_MS

T0 = 1_774_742_400_000
NOW = T0 + 10 * HOUR_MS + 5


class FakeHistory:
    """A price every second for ten hours; counts the rows it returned."""

    def __init__(self):
        self.rows_read = 0

    def ends(self, table, symbol, from_ms, to_ms):
        return max(T0, from_ms), min(NOW, to_ms) - 1

    def read(self, table, where, parts, forward, count, columns):
        times = [range(span.above.time_ms + 1, span.below.time_ms, 1000) for _, span in parts]
        found = [[{"symbol": "X", "updated_at": ms, "price": 1.0} for ms in each] for each in times]
        self.rows_read += sum(map(len, found))
        return found


def query(**more):
    return Query(symbols=("X",), **{"from_ms": T0, "to_ms": NOW, "points": 20, **more})


def test_wide_range_is_read_newest_first_up_to_a_limit_and_reports_from_where_it_is_complete(monkeypatch):
    monkeypatch.setattr(aggregate, "MAX_ROWS_READ", 10_000)
    history = FakeHistory()
    found = AggregatePerBucket(history, lambda: NOW).downsample(PRICES, query())
    assert history.rows_read < 10_000 + 16 * 3600
    assert found.complete_from is not None
    assert found.rows[0]["updated_at"] >= found.complete_from
    assert found.rows[-1]["updated_at"] > NOW - 1001


def test_next_request_continues_where_the_last_one_stopped_until_the_range_is_complete(monkeypatch):
    monkeypatch.setattr(aggregate, "MAX_ROWS_READ", 5_000)
    history = FakeHistory()
    prices = AggregatePerBucket(history, lambda: NOW)
    reached = []
    for _ in range(10):
        found = prices.downsample(PRICES, query())
        reached.append(found.complete_from)
        if found.complete_from is None:
            break
    assert reached[-1] is None
    assert len(reached) > 1
    assert reached[:-1] == sorted(reached[:-1], reverse=True)
    history.rows_read = 0
    assert prices.downsample(PRICES, query()).rows == found.rows
    assert history.rows_read <= 600  # the minutes that are not settled yet


def test_cached_buckets_are_not_read_again_when_the_range_moves_on():
    history = FakeHistory()
    prices = AggregatePerBucket(history, lambda: NOW)
    prices.downsample(PRICES, query())
    history.rows_read = 0
    prices.downsample(PRICES, query(from_ms=T0 + 700, to_ms=NOW - 1))
    assert history.rows_read <= 301 + 3600  # the minutes that are not settled, and the hour whose start is now cut off
