import copy

import pytest

from pipeline.producer.client import BadReply
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.listing import Listing, ListingJob, listing
from pipeline.times import now_ms


def limit(weight, interval="MINUTE", number=1, kind="REQUEST_WEIGHT"):
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": weight}


@pytest.fixture
def reply(exchange_reply):
    def make(**changes):
        return {**copy.deepcopy(exchange_reply("exchangeInfo")), **changes}

    return make


def test_recorded_listing_gives_symbols_and_the_limit_of_its_day(reply):
    found = listing(reply())
    assert found.symbols["XRPETH"] == ("ETH", "TRADING")
    assert len(found.symbols) == 5
    assert found.weight_limit_per_minute == 1200


@pytest.mark.parametrize(
    ("limits", "per_minute"),
    [
        ([limit(6000)], 6000),
        ([limit(6000), limit(50, "SECOND", 10, "ORDERS"), limit(61_000, "MINUTE", 5, "RAW_REQUESTS")], 6000),
        ([limit(6000), limit(100, "SECOND", 10)], 600),
        ([limit(60_000, "HOUR", 1)], 1000),
        ([limit(1_440_000, "DAY", 1), limit(6000)], 1000),
        ([limit(6000), limit(5, "WEEK", 1, "SOMETHING_NEW")], 6000),
    ],
)
def test_smallest_weight_limit_counts_as_weight_per_minute(reply, limits, per_minute):
    assert listing(reply(rateLimits=limits)).weight_limit_per_minute == per_minute


def test_weight_limit_of_an_unknown_interval_is_ignored(reply):
    """New values may appear at any time; here, one limit can still be read."""
    assert listing(reply(rateLimits=[limit(6000), limit(5_000_000, "WEEK")])).weight_limit_per_minute == 6000


@pytest.mark.parametrize("status", ["CANCEL_ONLY", "HALT", "BREAK", "END_OF_DAY", "", None])
def test_symbol_of_any_other_status_is_known_but_not_in_the_market(reply, status):
    changed = reply()
    changed["symbols"][1]["status"] = status
    found = listing(changed)
    assert found.known(["ETHUSDT"]) == ["ETHUSDT"]
    assert found.market("USDT") == {"BTCUSDT", "ALGOUSDT", "AVAXUSDT"}


def test_market_holds_only_symbols_of_its_quote_asset(reply):
    found = listing(reply())
    assert found.market("ETH") == {"XRPETH"}
    assert found.market("EUR") == frozenset()


ODD_SYMBOLS = [
    *(None, 5, [], {}, {"symbol": None}, {"symbol": ["A"]}, {"symbol": "NOQUOTE", "status": "TRADING"}),
    *({"symbol": name, "quoteAsset": "USDT", "status": "TRADING"} for name in ("", "a b", "<b>", "btcusdt", "X" * 21)),
    {"symbol": "ODDUSDT", "quoteAsset": ["USDT"], "status": "TRADING"},
]


@pytest.mark.parametrize("odd", ODD_SYMBOLS, ids=repr)
def test_odd_symbol_of_the_listing_is_left_out_alone_and_logged_once(reply, odd, caplog):
    class FakeExchange:
        def get(self, path, params):
            changed = reply()
            changed["symbols"].insert(1, odd)
            return changed

    job = ListingJob(clock=ExchangeClock())
    for _ in range(2):
        found = job.fetch(FakeExchange()).state
        assert len(found.symbols) == 5
    assert [(record.getMessage(), record.kind) for record in caplog.records] == [("row_rejected", "listing")]


def test_symbol_of_any_script_is_listed(reply):
    changed = reply()
    changed["symbols"].append({"symbol": "币安人生USDT", "quoteAsset": "USDT", "status": "TRADING"})
    assert "币安人生USDT" in listing(changed).market("USDT")


@pytest.mark.parametrize("odd", [None, {}, limit(None), limit("many"), limit(-5), limit(100, number=0), limit(5, None)])
def test_odd_weight_limit_is_ignored_beside_a_good_one(reply, odd):
    assert listing(reply(rateLimits=[odd, limit(6000)])).weight_limit_per_minute == 6000


def test_known_keeps_the_order_of_the_setting_and_drops_what_is_not_listed():
    found = Listing({"A": ("X", "TRADING"), "B": ("X", "HALT")}, 6000)
    assert found.known(["B", "NOPE", "A"]) == ["B", "A"]


@pytest.mark.parametrize(
    "changes",
    [
        {"symbols": []},
        {"rateLimits": []},
        {"rateLimits": [limit(5, kind="ORDERS")]},
        {"symbols": None},
        {"symbols": [{"symbol": "X"}]},
        {"rateLimits": [{"rateLimitType": "REQUEST_WEIGHT"}]},
        {"serverTime": None},
        {"serverTime": "soon"},
    ],
    ids=repr,
)
def test_listing_of_a_wrong_shape_is_a_bad_reply(reply, changes):
    class FakeExchange:
        def get(self, path, params):
            return reply(**changes)

    with pytest.raises(BadReply):
        ListingJob(clock=ExchangeClock()).fetch(FakeExchange())


def test_listing_sets_the_exchanges_clock(reply):
    class FakeExchange:
        def get(self, path, params):
            assert (path, params) == ("/api/v3/exchangeInfo", {"showPermissionSets": "false"})
            return reply(serverTime=now_ms() - 3_600_000)

    clock = ExchangeClock()
    fetched = ListingJob(clock=clock).fetch(FakeExchange())
    assert isinstance(fetched.state, Listing)
    assert -3_601_000 < clock.surely_past_ms() - now_ms() < -3_599_000
