"""How many reads a downsampled range costs. Its rows are tested against Cassandra, in
tests/integration/api."""

from pipeline.api.downsampling.last_per_bucket import LastPerBucket
from pipeline.api.query import Query
from pipeline.intervals import MINUTE_MS
from pipeline.tables import BOOKS, FORECASTS
from pipeline.times import HOUR_MS

T0 = 1_774_742_400_000
NOW = T0 + 10 * HOUR_MS


class FakeHistory:
    """A book in the middle of every hour that is not empty; counts the reads."""

    def __init__(self, empty_hours=()):
        self.empty_hours = empty_hours
        self.reads = 0

    def hours(self, table, symbol, whole):
        return iter(range(NOW - HOUR_MS, T0 - 1, -HOUR_MS))

    def read(self, table, where, parts, forward, count):
        self.reads += len(parts)
        return [
            [] if hour in self.empty_hours else [{"symbol": symbol, "updated_at": hour + HOUR_MS // 2}]
            for (symbol, hour), _ in parts
        ]


def query(points):
    return Query(symbols=("X",), from_ms=T0, to_ms=NOW, points=points)


def test_only_the_newest_partition_of_each_bucket_is_read():
    history = FakeHistory()
    found = LastPerBucket(history, lambda: NOW).downsample(BOOKS, query(5))
    assert [row["updated_at"] for row in found.rows] == [T0 + n * HOUR_MS + HOUR_MS // 2 for n in (1, 3, 5, 7, 9)]
    assert history.reads == 5


def test_older_partition_of_a_bucket_is_read_if_the_newer_one_has_no_row():
    history = FakeHistory(empty_hours=(T0 + 3 * HOUR_MS,))
    found = LastPerBucket(history, lambda: NOW).downsample(BOOKS, query(5))
    assert [row["updated_at"] for row in found.rows] == [T0 + n * HOUR_MS + HOUR_MS // 2 for n in (1, 2, 5, 7, 9)]
    assert history.reads == 6


def test_settled_buckets_are_read_once():
    history = FakeHistory()
    books = LastPerBucket(history, lambda: NOW)
    first = books.downsample(BOOKS, query(5)).rows
    history.reads = 0
    assert books.downsample(BOOKS, query(5)).rows == first
    assert history.reads == 1  # the newest bucket, which is not settled


class FakeForecasts:
    """A forecast every minute; `reads` are the partitions."""

    def __init__(self):
        self.reads = []

    def ends(self, table, symbol, from_ms, to_ms, horizon):
        return T0, NOW

    def read(self, table, where, parts, forward, count):
        self.reads += [values for values, _ in parts]
        return [[{"symbol": values[0], "made_at": whole.below.time_ms - 60_000}] for values, whole in parts]


def test_forecasts_of_each_horizon_are_read_from_their_partition():
    history = FakeForecasts()
    forecasts = LastPerBucket(history, lambda: NOW)
    for horizon in ("15m", "1h"):
        asked = Query(symbols=("X",), from_ms=T0, to_ms=NOW, points=5, horizon=horizon)
        assert len(forecasts.downsample(FORECASTS, asked).rows) == 5
        assert set(history.reads) == {("X", horizon)}
        history.reads.clear()


class EveryMinute:
    """Forecasts of every minute but some; `reads` are the spans that were read."""

    def __init__(self, without=()):
        self.times = [time_ms for time_ms in range(T0, NOW, MINUTE_MS) if time_ms not in without]
        self.reads = []

    def ends(self, table, symbol, from_ms, to_ms, horizon):
        return T0, NOW

    def read(self, table, where, parts, forward, count):
        self.reads += [whole for _, whole in parts]
        return [
            [{"symbol": "X", "made_at": at} for at in self.times[::-1] if is_within(at, whole)][:count]
            for _, whole in parts
        ]


def is_within(time_ms, whole):
    return whole.above.time_ms < time_ms < whole.below.time_ms


def test_adjacent_narrow_buckets_are_one_read():
    without = range(T0 + HOUR_MS, T0 + 2 * HOUR_MS, MINUTE_MS)
    history = EveryMinute(without)
    forecasts = LastPerBucket(history, lambda: NOW)
    asked = Query(symbols=("X",), from_ms=T0, to_ms=NOW, points=120, horizon="1h")
    found = [row["made_at"] for row in forecasts.downsample(FORECASTS, asked).rows]
    buckets = range(T0, NOW, 5 * MINUTE_MS)
    assert found == [at + 4 * MINUTE_MS for at in buckets if at not in without]
    assert len(history.reads) == 1
    history.reads.clear()
    assert [row["made_at"] for row in forecasts.downsample(FORECASTS, asked).rows] == found
    (read,) = history.reads
    assert read.above.time_ms + 1 == NOW - HOUR_MS - 5 * MINUTE_MS, "those whose windows may be open"


def test_forecasts_whose_windows_may_be_open_are_read_again():
    history = FakeForecasts()
    forecasts = LastPerBucket(history, lambda: NOW)
    asked = Query(symbols=("X",), from_ms=T0, to_ms=NOW, points=10, horizon="1h")
    forecasts.downsample(FORECASTS, asked)
    history.reads.clear()
    forecasts.downsample(FORECASTS, asked)
    assert len(history.reads) == 2  # the newest hour, and the one whose last windows have just closed
