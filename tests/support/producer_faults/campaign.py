"""One disturbance after the other, then several at once, and the verdict over the whole time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from pipeline.times import now_ms
from tests.support.producer_faults import bans, truth
from tests.support.producer_faults.disturbances import Disturbance, Scene
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

CATCHES_UP_WITHIN_SECONDS = 150
STOPS_WITHIN_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.1


@dataclass(slots=True)
class Outcome:
    """`wrong` empty: nothing is missing, doubled, false or impolite. `figures`: what was looked at,
    for the table."""

    figures: dict[str, object] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """Runs against a world whose producer and exchange are running."""

    def __init__(
        self,
        world: World,
        symbols: Sequence[str],
        intervals: Sequence[str],
        seed: int,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.scene = Scene(world, Random(seed), tuple(symbols), set(), [])
        self._world = world
        self._intervals = intervals
        self._say = say
        self._began_ms = now_ms()
        self._done = 0
        self._ended_by_itself: list[str] = []

    def in_turn(self, disturbances: Sequence[Disturbance], seconds: float, calm_seconds: float) -> None:
        for disturbance in disturbances:
            self._together([disturbance], min(seconds, disturbance.longest))
            self._watch(calm_seconds + disturbance.echo)

    def at_random(self, disturbances: Sequence[Disturbance], until: float, most: int = 3) -> None:
        """Up to `most` at once, never two that take away the same process, until the monotonic time
        `until`."""
        random = self.scene.random
        while time.monotonic() < until:
            chosen: list[Disturbance] = []
            for one in random.sample(disturbances, random.randint(1, most)):
                if not one.of or one.of not in {other.of for other in chosen}:
                    chosen.append(one)
            self._together(chosen, random.uniform(1, 12))
            self._watch(random.uniform(0, 6))

    def _together(self, chosen: Sequence[Disturbance], seconds: float) -> None:
        seconds = min(seconds, *(one.longest for one in chosen))
        self._say(f"{' + '.join(one.name for one in chosen)} for {seconds:.1f} s")
        # Faults of replies first: the exchange that is to take them may be gone after the others.
        begun = sorted(chosen, key=lambda one: bool(one.of))
        for one in begun:
            one.begin(self.scene, seconds)
        self._watch(seconds, {one.of for one in chosen})
        for one in begun:
            one.end(self.scene)
        self._done += len(chosen)

    def _watch(self, seconds: float, away: frozenset[str] | set[str] = frozenset()) -> None:
        """Let time pass; a producer that ends now was not asked to."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if "exchange" not in away:
                self._world.exchange.collect()
            if "producer" not in away and not self._world.is_alive():
                self._ended_by_itself.append(f"the producer ended with {self._world.producer.process.poll()}")
                self._world.start_producer()
            time.sleep(min(left, LOOK_EVERY_SECONDS))

    # --- the verdict

    def verdict(self, trades_since_ms: int) -> Outcome:
        """Ends all faults, waits until the producer has caught up, and compares."""
        world, symbols = self._world, self.scene.symbols
        world.exchange.collect()
        until_ms = now_ms()
        wait_until(lambda: self._caught_up(until_ms), CATCHES_UP_WITHIN_SECONDS, f"all data; {world.log}")
        world.exchange.collect()
        outcome = Outcome()
        found = truth.trades(world, symbols, trades_since_ms, until_ms, self.scene.hidden)
        closed = truth.candles(world, symbols, self._intervals, until_ms)
        calls = bans.calls_inside(world)
        slow = [
            f"SIGTERM: exit code {code} after {took:.1f} s"
            for code, took in self.scene.exits
            if code != 0 or took > STOPS_WITHIN_SECONDS
        ]
        audit = truth.audit(world)
        tracebacks = ["a traceback in the producer's log"] * world.output().count("Traceback")
        outcome.wrong = [
            *found.wrong,
            *closed.wrong,
            *audit.wrong,
            *calls.violations,
            *slow,
            *self._ended_by_itself,
            *tracebacks,
        ]
        outcome.figures = {
            "disturbances": self._done,
            "minutes": round((now_ms() - self._began_ms) / 60_000, 1),
            "trades compared": found.compared,
            "trades missing, doubled or different": len(found.wrong),
            "trades that the exchange hid, all told in the log": found.gaps,
            "closed candles compared": closed.compared,
            "closed candles missing or different": len(closed.wrong),
            "books gone backwards, candles reopened, rows written without a change": len(audit.wrong),
            "bans": calls.bans,
            "calls inside a ban": len(calls.violations),
            "calls that were under way when a ban came": calls.under_way,
            "the latest of these arrived after the ban was read, ms": calls.latest_ms,
            "producer ended by itself": len(self._ended_by_itself),
            "slowest stop on SIGTERM, s": round(max((took for _, took in self.scene.exits), default=0), 1),
        }
        return outcome

    def _caught_up(self, until_ms: int) -> object:
        world = self._world
        stored = dict(world.rows("SELECT symbol, last_trade_id FROM trade_positions"))
        behind = {s: world.exchange.newest_id(s, until_ms) - stored.get(s, 0) for s in self.scene.symbols}
        open_ends = world.value(
            "SELECT count(*) FROM klines WHERE NOT is_closed AND close_time <= to_timestamp(%s)", until_ms / 1000
        )
        oldest_book = "SELECT coalesce(min(updated_at), 'epoch') > to_timestamp(%s) FROM order_book"
        fresh = world.value(oldest_book, until_ms / 1000)
        behind = {symbol: count for symbol, count in behind.items() if count > 0}
        return (not behind and not open_ends and fresh) or (behind, open_ends, fresh)
