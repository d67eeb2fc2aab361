"""What PostgreSQL holds, compared with the market itself, which is a pure function of seed and
time. Every function returns one line per kind of difference; no line means no difference."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.times import datetime_to_ms
from simulator.intervals import LENGTH_MS
from tests.support.producer_faults.world import World

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Findings:
    """`compared`: how many rows were compared. `gaps`: ids that the exchange hid and that are in
    the log."""

    wrong: list[str]
    compared: int
    gaps: int = 0


def logged_gaps(world: World, symbol: str) -> set[int]:
    return {
        trade_id
        for line in world.logged("trade_gap")
        if line["symbol"] == symbol
        for trade_id in range(int(line["first_missing_id"]), int(line["last_missing_id"]) + 1)
    }


def trades(
    world: World, symbols: Sequence[str], since_ms: int, until_ms: int, hidden: Set[tuple[str, int]] = frozenset()
) -> Findings:
    """Every trade of the symbols since `since_ms` must be stored once and unchanged, unless the
    exchange hid it: then it must be in the log."""
    wrong: list[str] = []
    compared = gaps = 0
    for symbol in symbols:
        stored = stored_trades(world, symbol, until_ms)
        found = {row[0]: (datetime_to_ms(row[1]), *row[2:]) for row in stored}
        made = made_trades(world, symbol, since_ms, until_ms)
        logged = logged_gaps(world, symbol)
        if len(found) != len(stored):
            wrong.append(f"{symbol}: {len(stored) - len(found)} trades are stored twice")
        missing = sorted(set(made) - set(found))
        unexpected = [i for i in missing if i not in logged or (symbol, i) not in hidden]
        if unexpected:
            wrong.append(f"{symbol}: {len(unexpected)} of {len(made)} trades are missing, e.g. {unexpected[:SHOWN]}")
        false_gaps = sorted(i for i in logged if i in found)
        if false_gaps:
            wrong.append(f"{symbol}: logged as missing but stored: {false_gaps[:SHOWN]}")
        differ = [i for i, row in found.items() if i in made and made[i] != row]
        if differ:
            wrong.append(f"{symbol}: {len(differ)} trades differ, e.g. {found[differ[0]]} is {made[differ[0]]}")
        compared, gaps = compared + len(found), gaps + len(missing)
    return Findings(wrong, compared, gaps)


def stored_trades(world: World, symbol: str, until_ms: int) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT trade_id, trade_time, price, quantity, first_trade_id, last_trade_id, is_buyer_maker, "
        "quote_quantity FROM recent_trades WHERE symbol = %s AND trade_time <= to_timestamp(%s) "
        "ORDER BY trade_id",
        symbol,
        until_ms / 1000,
    )


def made_trades(world: World, symbol: str, since_ms: int, until_ms: int) -> dict[int, tuple[Any, ...]]:
    """The market's trades by id, in the columns of `stored_trades`."""
    pair = world.exchange.market.pair(symbol)
    first, end = pair.trades.count_until(since_ms - 1), pair.trades.count_until(until_ms)
    return {
        row["a"]: (
            row["T"],
            Decimal(row["p"]),
            Decimal(row["q"]),
            row["f"],
            row["l"],
            row["m"],
            Decimal(row["p"]) * Decimal(row["q"]),
        )
        for row in pair.agg_trades(first, end)
    }


def candles(world: World, symbols: Sequence[str], intervals: Sequence[str], until_ms: int) -> Findings:
    """Every candle from the first stored one on that ended before `until_ms` must be stored, closed
    and equal to the market's."""
    wrong, compared = [], 0
    for symbol in symbols:
        for interval in intervals:
            stored = world.rows(
                "SELECT open_time, open_price, high_price, low_price, close_price, volume, close_time, quote_volume, "
                "number_of_trades, taker_buy_volume, taker_buy_quote_volume, is_closed FROM klines "
                "WHERE symbol = %s AND interval = %s ORDER BY open_time",
                symbol,
                interval,
            )
            found = {datetime_to_ms(row[0]): row for row in stored}
            length_ms, name = LENGTH_MS[interval], f"{symbol} {interval}"
            ended = list(range(min(found, default=until_ms), until_ms - length_ms + 1, length_ms))
            missing = [t for t in ended if t not in found or not found[t][-1]]
            if missing or not ended:
                wrong.append(f"{name}: {len(missing)} of {len(ended)} candles missing or open, e.g. {missing[:SHOWN]}")
            closed = {t: as_numbers(row) for t, row in found.items() if row[-1]}
            differ = [t for t, row in closed.items() if row != true_candle(world, symbol, interval, t)]
            if differ:
                wrong.append(f"{name}: {len(differ)} closed candles differ, e.g. {differ[:SHOWN]}")
            compared += len(closed)
    return Findings(wrong, compared)


def as_numbers(row: tuple) -> list:
    return [datetime_to_ms(row[0]), *row[1:6], datetime_to_ms(row[6]), *row[7:11]]


def true_candle(world: World, symbol: str, interval: str, open_ms: int) -> list:
    raw = world.exchange.market.pair(symbol).kline(open_ms, interval, open_ms + LENGTH_MS[interval])
    return [raw[0], *map(Decimal, raw[1:6]), raw[6], Decimal(raw[7]), raw[8], Decimal(raw[9]), Decimal(raw[10])]


def audit(world: World) -> Findings:
    """What the triggers of audit.sql found at any time."""
    seen = world.rows("SELECT what, count(*), min(row_key) FROM audit GROUP BY what")
    return Findings([f"{what}: {count} times, e.g. {key}" for what, count, key in seen], 0)
