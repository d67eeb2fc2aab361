"""What Redis holds is answered in the form that Cassandra's rows have."""

from pipeline.api.current_state import REDIS
from pipeline.api.instruments import Instrument
from pipeline.api.market import MarketNow
from pipeline.api.query import Query
from pipeline.api.redis_state import RedisState
from pipeline.tables import PRICES, STATS

PRICE = b'[{"symbol":"BTCUSDT","price":95423.60,"updated_at":7},{"symbol":"AUSDT","price":5.0,"updated_at":9}]'
STEPS = b'[{"symbol":"BTCUSDT","base_asset":"BTC","tick_size":0.01,"step_size":null,"status":"TRADING","updated_at":1}]'
STATE = RedisState(PRICE, b"[]", STEPS, b'[{"id":1,"name":"live","base_url":"https://x","updated_at":1}]', [b"BTCUSDT"])


def test_numbers_are_doubles_and_times_ms():
    assert STATE.rows_of(PRICES)[0] == {"symbol": "BTCUSDT", "price": 95423.6, "updated_at": 7}
    assert STATE.rows_of(STATS) == []


def test_newest_rows_come_last_and_shared_rows_keep_their_order():
    now = MarketNow(STATE)
    assert [row["symbol"] for row in now.newest(PRICES, Query())] == ["BTCUSDT", "AUSDT"]
    assert [row["symbol"] for row in now.newest(PRICES, Query(limit=1))] == ["AUSDT"]
    assert [row["symbol"] for row in STATE.rows_of(PRICES)] == ["BTCUSDT", "AUSDT"]
    assert now.store == REDIS


def test_symbols_have_steps_source_and_whether_they_are_tracked():
    first, second = MarketNow(STATE).symbols(Query())
    assert first == {
        "symbol": "AUSDT",
        "quote_asset": "USDT",
        "tracked": False,
        "tick_size": None,
        "step_size": None,
        "status": None,
        "live_name": "AUSDT",
        "source": "live",
        "source_url": "https://x",
    }
    assert (second["tracked"], second["tick_size"], second["status"]) == (True, 0.01, "TRADING")
    assert STATE.instruments() == {"BTCUSDT": Instrument(0.01, None, "TRADING")}


def test_market_of_a_quote_asset_is_listed():
    assert MarketNow(STATE).listed(Query(quote_asset="USDT")) == ("AUSDT", "BTCUSDT")
    assert MarketNow(STATE).listed(Query(quote_asset="BTC")) == ()
