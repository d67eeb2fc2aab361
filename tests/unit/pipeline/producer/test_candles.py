import pytest

from pipeline.intervals import INTERVALS, max_interval_ms
from pipeline.producer.candles import MAX_PAGE, KlinesJob, first_start_ms
from pipeline.producer.client import BadReply
from pipeline.producer.clock import ExchangeClock
from pipeline.tables import KLINES
from pipeline.times import DAY_MS, datetime_to_ms

MINUTE_MS = 60_000
BEGIN_MS = 1_725_321_600_000  # a full day


class FakeExchange:
    """1-minute candles of every minute from BEGIN_MS to `now_ms`; the last is open. An answer takes
    `takes_ms`."""

    def __init__(self, now_ms, takes_ms=0, missing=()):
        self.now_ms = now_ms
        self.takes_ms = takes_ms
        self.missing = set(missing)
        self.requested = []

    def get(self, path, params):
        assert path == "/api/v3/klines"
        self.requested.append(params)
        self.now_ms += self.takes_ms
        first = -(-(max(params["startTime"], BEGIN_MS) - BEGIN_MS) // MINUTE_MS)
        opens = (BEGIN_MS + n * MINUTE_MS for n in range(first, (self.now_ms - BEGIN_MS) // MINUTE_MS + 1))
        return [candle(open_ms) for open_ms in opens if open_ms not in self.missing][: params["limit"]]


def candle(open_ms):
    return [open_ms, "1", "2", "0.5", "1.5", "10", open_ms + MINUTE_MS - 1, "15", 7, "5", "7", "0"]


@pytest.fixture
def make():
    def job(exchange, from_ms=BEGIN_MS):
        clock = ExchangeClock(lambda: exchange.now_ms)
        return KlinesJob(name="klines", symbol="ETHUSDT", interval="1m", from_ms=from_ms, clock=clock)

    return job


def states(fetched):
    return {
        (datetime_to_ms(row["open_time"]) - BEGIN_MS) // MINUTE_MS: row["is_closed"]
        for batch in fetched.batches
        for row in batch.rows
    }


def test_candles_are_requested_from_the_newest_closed_one(make):
    """So a correction right after its end is seen."""
    exchange = FakeExchange(BEGIN_MS + 3 * MINUTE_MS + 20_000)
    job = make(exchange, from_ms=BEGIN_MS + MINUTE_MS)
    fetched = job.fetch(exchange)
    assert exchange.requested == [
        {"symbol": "ETHUSDT", "interval": "1m", "startTime": BEGIN_MS + MINUTE_MS, "limit": MAX_PAGE}
    ]
    assert states(fetched) == {1: True, 2: True, 3: False}
    assert fetched.batches[0].table is KLINES
    job.stored(fetched)
    assert job.from_ms == BEGIN_MS + 2 * MINUTE_MS


def test_close_of_a_candle_is_seen_by_the_next_request(make):
    exchange = FakeExchange(BEGIN_MS + 20_000)
    job = make(exchange)
    job.stored(job.fetch(exchange))
    exchange.now_ms += MINUTE_MS
    fetched = job.fetch(exchange)
    assert states(fetched) == {0: True, 1: False}


def test_closed_is_decided_by_the_clock_before_the_request(make):
    """The candle ends while the request is in flight: the reply may hold a state from before the
    end."""
    exchange = FakeExchange(BEGIN_MS + MINUTE_MS - 100, takes_ms=500)
    job = make(exchange)
    fetched = job.fetch(exchange)
    assert states(fetched)[0] is False
    job.stored(fetched)
    assert job.from_ms == BEGIN_MS
    assert states(job.fetch(exchange))[0] is True


def test_what_was_not_committed_is_fetched_again(make):
    exchange = FakeExchange(BEGIN_MS + 5 * MINUTE_MS)
    job = make(exchange)
    assert states(job.fetch(exchange)) == states(job.fetch(exchange))
    assert job.from_ms == BEGIN_MS


def test_outage_is_filled_page_by_page_without_a_pause(make):
    exchange = FakeExchange(BEGIN_MS + 2500 * MINUTE_MS + 30_000)
    job, seen, again = make(exchange), {}, True
    while again:
        fetched = job.fetch(exchange)
        job.stored(fetched)
        seen |= states(fetched)
        again = fetched.again
        assert len(exchange.requested) < 10
    assert sorted(seen) == list(range(2501))
    assert [number for number, closed in seen.items() if not closed] == [2500]
    assert job.from_ms == BEGIN_MS + 2499 * MINUTE_MS


def test_page_without_progress_is_not_requested_again_at_once(make):
    """Our clock is a day behind the exchange's, so every candle of the full page looks open."""
    exchange = FakeExchange(BEGIN_MS + 1440 * MINUTE_MS)
    job = make(exchange)
    job.clock = ExchangeClock(lambda: BEGIN_MS)
    fetched = job.fetch(exchange)
    assert len(states(fetched)) == MAX_PAGE
    assert not fetched.again
    job.stored(fetched)
    assert not job.fetch(exchange).again


def test_page_that_is_exactly_full_is_followed_by_one_more_and_no_third(make):
    exchange = FakeExchange(BEGIN_MS + (MAX_PAGE - 1) * MINUTE_MS + 1)
    job, requests = make(exchange), 0
    again = True
    while again and requests < 10:
        fetched = job.fetch(exchange)
        job.stored(fetched)
        again, requests = fetched.again, requests + 1
    assert requests == 2
    assert job.from_ms == BEGIN_MS + (MAX_PAGE - 2) * MINUTE_MS


def test_candles_that_the_exchange_never_made_do_not_delay_the_others(make):
    halted = [BEGIN_MS + n * MINUTE_MS for n in range(2, 8)]
    exchange = FakeExchange(BEGIN_MS + 9 * MINUTE_MS + 1, missing=halted)
    job = make(exchange)
    job.stored(job.fetch(exchange))
    assert job.from_ms == BEGIN_MS + 8 * MINUTE_MS


def test_symbol_without_candles_keeps_its_place(make):
    exchange = FakeExchange(BEGIN_MS - 1)
    job = make(exchange)
    fetched = job.fetch(exchange)
    job.stored(fetched)
    assert (fetched.batches, fetched.again, job.from_ms) == ([], False, BEGIN_MS)


def test_newest_closed_candle_is_requested_again_when_all_are_closed(make):
    """Then the next one cannot be missed, whenever it opens."""
    exchange = FakeExchange(BEGIN_MS + 3 * MINUTE_MS, missing=[BEGIN_MS + 3 * MINUTE_MS])
    job = make(exchange)
    job.stored(job.fetch(exchange))
    assert job.from_ms == BEGIN_MS + 2 * MINUTE_MS


class Odd(FakeExchange):
    """The candles that open at these times have no close price."""

    def __init__(self, now_ms, odd):
        super().__init__(now_ms)
        self.odd = set(odd)

    def get(self, path, params):
        found = super().get(path, params)
        return [[*each[:4], None, *each[5:]] if each[0] in self.odd else each for each in found]


@pytest.mark.parametrize("place", range(4))
def test_odd_candle_is_left_out_and_requested_until_it_is_well(make, place, caplog):
    exchange = Odd(BEGIN_MS + 3 * MINUTE_MS + 20_000, {BEGIN_MS + place * MINUTE_MS})
    job = make(exchange)
    for _ in range(3):
        fetched = job.fetch(exchange)
        job.stored(fetched)
        seen = states(fetched)
        assert place not in seen
        assert 3 in seen or place == 3
    assert job.from_ms == BEGIN_MS + max(0, min(place, 3) - 1) * MINUTE_MS
    assert len(caplog.records) == 1
    exchange.odd.clear()
    assert states(job.fetch(exchange))[place] is (place < 3)


def test_odd_candle_does_not_stop_the_pages_behind_it(make):
    exchange = Odd(BEGIN_MS + 2500 * MINUTE_MS + 30_000, {BEGIN_MS, BEGIN_MS + 700 * MINUTE_MS})
    job, seen, again = make(exchange), {}, True
    while again:
        fetched = job.fetch(exchange)
        job.stored(fetched)
        seen |= states(fetched)
        again = fetched.again
        assert len(exchange.requested) < 10
    assert sorted(seen) == [number for number in range(2501) if number not in (0, 700)]
    assert job.from_ms == BEGIN_MS + 2499 * MINUTE_MS


@pytest.mark.parametrize("reply", [{"code": 1}, [{}], [["x"]], None])
def test_reply_of_a_wrong_shape_is_a_bad_reply(make, reply):
    exchange = FakeExchange(BEGIN_MS)
    exchange.get = lambda path, params: reply
    with pytest.raises(BadReply, match="kline_rows"):
        make(exchange).fetch(exchange)


@pytest.mark.parametrize(
    ("interval", "ms"),
    [("1m", 60_000), ("15m", 900_000), ("12h", DAY_MS // 2), ("1w", 7 * DAY_MS), ("1M", 31 * DAY_MS)],
)
def test_length_of_an_interval_distinguishes_minute_and_month(interval, ms):
    assert max_interval_ms(interval) == ms


@pytest.mark.parametrize("interval", INTERVALS)
def test_first_start_reaches_back_at_least_to_the_previous_candle(interval):
    now_ms = 1_795_461_947_123
    assert first_start_ms(interval, 0, now_ms) <= now_ms - 2 * max_interval_ms(interval)
    assert first_start_ms(interval, 400 * 86_400, now_ms) == now_ms - 400 * DAY_MS
