"""How often each kind of request is made, so that all of them stay within the weight budget. Pure
arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

# Which kind slows down first when weight is short: whole-market statistics; candles and trades
# last.
LEAST_URGENT_FIRST = ("stats", "order_book", "price", "tracked_price", "klines", "trades")
# How many times slower a kind may get before the next one slows down too.
MAX_SLOWDOWN = {"stats": 12.0, "order_book": 8.0, "price": 5.0, "tracked_price": 5.0, "klines": 8.0, "trades": 20.0}
# What people look at gets the weight that is left, in this order: how many times faster at most.
MAX_SPEEDUP = {"tracked_price": 2.0, "trades": 2.0}
# The plan uses this share of the budget; pages of a backfill and the listing need the remainder.
PLANNED_SHARE = 0.95
# Weight beyond this share is not used to be faster: a backfill needs it more.
SPEEDUP_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Pace:
    """`count` requests of `weight` each, every `interval_seconds`; the setting asks for
    `wished_seconds`."""

    kind: str
    count: int
    weight: int
    wished_seconds: float
    interval_seconds: float

    @property
    def per_minute(self) -> float:
        return self.count * self.weight * 60 / self.interval_seconds


def plan(wished: Sequence[Pace], budget_per_minute: float) -> dict[str, Pace]:
    """The wished paces: the least urgent slowed down until the total fits, or what people look at
    faster while weight is left."""
    paces = {pace.kind: pace for pace in wished}
    for kind in LEAST_URGENT_FIRST:
        excess = total_per_minute(paces) - budget_per_minute * PLANNED_SHARE
        if excess <= 0 or kind not in paces:
            continue
        pace = paces[kind]
        left = pace.per_minute - excess
        needed = pace.per_minute / left if left > 0 else float("inf")
        paces[kind] = replace(pace, interval_seconds=pace.interval_seconds * min(needed, MAX_SLOWDOWN[kind]))
    for kind, most in MAX_SPEEDUP.items():
        spare = budget_per_minute * SPEEDUP_SHARE - total_per_minute(paces)
        if spare > 0 and kind in paces:
            pace = paces[kind]
            factor = min(most, 1 + spare / pace.per_minute)
            paces[kind] = replace(pace, interval_seconds=pace.interval_seconds / factor)
    return paces


def total_per_minute(paces: Mapping[str, Pace]) -> float:
    return sum(pace.per_minute for pace in paces.values())


def more_urgent_per_minute(kind: str, paces: Mapping[str, Pace]) -> float:
    """The planned weight of the kinds more urgent than this one. A kind that is not in the order is
    the most urgent."""
    place = LEAST_URGENT_FIRST.index(kind) if kind in LEAST_URGENT_FIRST else len(LEAST_URGENT_FIRST)
    return sum(paces[urgent].per_minute for urgent in LEAST_URGENT_FIRST[place + 1 :] if urgent in paces)


def lines(paces: Mapping[str, Pace], budget_per_minute: float, limit_per_minute: int) -> list[str]:
    """The plan for people: `price every 2 s: 120 weight/min`, one line per kind, then the total."""
    shown = []
    for pace in paces.values():
        times = f" × {pace.count}" if pace.count > 1 else ""
        wished = f" (wished {pace.wished_seconds:g} s)" if pace.interval_seconds != pace.wished_seconds else ""
        every = f"{pace.kind}{times} every {pace.interval_seconds:.3g} s{wished}"
        shown.append(f"{every}: {pace.per_minute:.0f} weight/min")
    total = total_per_minute(paces)
    return [*shown, f"total {total:.0f} of a budget of {budget_per_minute:.0f}, the exchange allows {limit_per_minute}"]
