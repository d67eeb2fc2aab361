"""The bounds of a downsampled read; what it answers is tested against Cassandra
(tests/integration/api)."""

from pipeline.api.downsampling import aggregate
from pipeline.api.downsampling.aggregate import Downsampling
from pipeline.api.query import Query
from pipeline.times import HOUR_MS

T0 = 1_774_742_400_000
NOW = T0 + 10 * HOUR_MS + 5


class FakeHistory:
    """A price every second for ten hours; counts the rows it gave."""

    def __init__(self):
        self.given = 0

    def ends(self, table, symbol, from_ms, to_ms):
        return max(T0, from_ms), min(NOW, to_ms) - 1

    def read(self, table, where, parts, forward, count, columns):
        moments = [range(span.above.time_ms + 1, span.below.time_ms, 1000) for _, span in parts]
        found = [[{"symbol": "X", "updated_at": ms, "price": 1.0} for ms in each] for each in moments]
        self.given += sum(map(len, found))
        return found


def query(**more):
    return Query(symbols=("X",), **{"from_ms": T0, "to_ms": NOW, "points": 20, **more})


def test_wide_range_is_read_newest_first_within_a_bound_and_says_how_far_it_got(monkeypatch):
    monkeypatch.setattr(aggregate, "MOST_ROWS", 10_000)
    history = FakeHistory()
    found = Downsampling(history, lambda: NOW).sampled("latest_prices", query())
    assert history.given < 10_000 + 16 * 3600
    assert found.complete_from is not None
    assert found.rows[0]["updated_at"] >= found.complete_from
    assert found.rows[-1]["updated_at"] > NOW - 1001


def test_next_request_goes_on_where_the_last_one_ended_until_all_is_there(monkeypatch):
    monkeypatch.setattr(aggregate, "MOST_ROWS", 5_000)
    history = FakeHistory()
    downsampling = Downsampling(history, lambda: NOW)
    reached = []
    for _ in range(10):
        found = downsampling.sampled("latest_prices", query())
        reached.append(found.complete_from)
        if found.complete_from is None:
            break
    assert reached[-1] is None
    assert len(reached) > 1
    assert reached[:-1] == sorted(reached[:-1], reverse=True)
    history.given = 0
    assert downsampling.sampled("latest_prices", query()).rows == found.rows
    assert history.given <= 600  # the minutes that are not over yet


def test_past_that_was_remembered_is_not_read_again_when_the_range_moves_on():
    history = FakeHistory()
    downsampling = Downsampling(history, lambda: NOW)
    downsampling.sampled("latest_prices", query())
    history.given = 0
    downsampling.sampled("latest_prices", query(from_ms=T0 + 700, to_ms=NOW - 1))
    assert history.given <= 301 + 3600  # the minutes that are not over, and the hour whose start is cut off now
