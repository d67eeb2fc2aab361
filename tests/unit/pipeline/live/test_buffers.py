from pipeline.live.buffers import (
    MAX_LINES,
    MAX_TRADE_AGE_MS,
    MAX_TRADES,
    OLDER,
    SUPERSEDED,
    TOO_MANY,
    LastTrades,
    NewestValues,
)
from pipeline.live.channels import Point, points
from tests.unit.pipeline.live.changes import price, trade

NOW_MS = 1_795_687_200_500
AT = "2026-11-26T10:00:00.{:03}Z"


def of_price(text: str, version: int, symbol: str = "BTCUSDT", deleted: bool = False) -> Point:
    return points(price(text, version, symbol, deleted))[1]


def of_trade(number: int, ms: int = 0) -> Point:
    return points(trade(number, AT.format(ms)))[0]


def times(lines: list[str]) -> list[int]:
    return [int(each.split(" ")[-1]) // 1_000_000 for each in lines]


def test_newest_value_wins_and_the_replaced_one_is_counted() -> None:
    buffer = NewestValues()
    assert [buffer.put(of_price("1", 1)), buffer.put(of_price("2", 2))] == [None, SUPERSEDED]
    assert "price=2.0" in buffer.take(NOW_MS)[0][0]


def test_older_or_repeated_change_is_dropped_also_after_the_newer_was_sent() -> None:
    buffer = NewestValues()
    buffer.put(of_price("2", 2))
    buffer.take(NOW_MS)
    assert [buffer.put(of_price("1", 1)), buffer.put(of_price("2", 2))] == [OLDER, OLDER]
    assert buffer.take(NOW_MS) == ([], [], 0)


def test_all_series_of_a_frame_share_their_time() -> None:
    buffer = NewestValues()
    buffer.put(of_price("1", 1, "A"))
    buffer.put(of_price("2", 1, "B"))
    assert len(set(times(buffer.take(NOW_MS)[0]))) == 1


def test_times_rise_strictly_and_never_lie_in_the_future() -> None:
    buffer = NewestValues()
    seen = []
    for version in range(1, 4):
        buffer.put(of_price("1", version))
        seen += times(buffer.take(NOW_MS - 5_000)[0])  # the row is 4.5 s ahead of this clock
    assert seen == [NOW_MS - 5_000, NOW_MS - 4_999, NOW_MS - 4_998]


def test_frame_is_bounded_and_the_rest_follows() -> None:
    buffer = NewestValues()
    for number in range(MAX_LINES + 10):
        buffer.put(of_price("1", 1, f"S{number}"))
    assert [len(buffer.take(NOW_MS)[0]) for _ in range(3)] == [MAX_LINES, 10, 0]


def test_restored_values_are_sent_once_more_and_deleted_ones_are_not() -> None:
    buffer = NewestValues()
    buffer.put(of_price("1", 1, "A"))
    buffer.put(of_price("2", 1, "B"))
    buffer.take(NOW_MS)
    buffer.put(of_price("2", 2, "B", deleted=True))
    buffer.restore()
    (text,), (point,), _ = buffer.take(NOW_MS)
    assert "symbol=A " in text
    assert point.commit_us == 0, "an old value is no measurement of the delay"


def test_trades_of_one_millisecond_become_distinct_and_stay_in_order() -> None:
    buffer = LastTrades()
    for number in (1, 2, 3):
        buffer.put(of_trade(number, 100))
    assert times(buffer.take(NOW_MS)[0]) == [NOW_MS - 400, NOW_MS - 399, NOW_MS - 398]


def test_trade_comes_once() -> None:
    buffer = LastTrades()
    assert [buffer.put(of_trade(2)), buffer.put(of_trade(2)), buffer.put(of_trade(1))] == [None, OLDER, OLDER]
    assert buffer.pending == 1
    buffer.take(NOW_MS)
    buffer.restore()
    assert buffer.pending == 0


def test_trades_are_bounded_and_the_oldest_make_room() -> None:
    buffer = LastTrades()
    reasons = [buffer.put(of_trade(number)) for number in range(1, MAX_TRADES + 4)]
    assert reasons == [None] * MAX_TRADES + [TOO_MANY] * 3
    assert buffer.take(NOW_MS)[1][0].order == (4, 0)


def test_late_trades_are_left_out_and_counted() -> None:
    buffer = LastTrades()
    buffer.put(of_trade(1, 0))
    buffer.put(of_trade(2, 499))
    lines, _, late = buffer.take(NOW_MS + MAX_TRADE_AGE_MS - 100)
    assert (len(lines), late) == (1, 1)
