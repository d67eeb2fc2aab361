"""One disturbance after the other, then several at once, and a verdict on the whole time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from pipeline.times import now_ms
from tests.support.producer_faults import bans, truth
from tests.support.producer_faults.disturbances import Disturbance, Scene
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

CATCHES_UP_WITHIN_SECONDS = 150
STOPS_WITHIN_SECONDS = 5.0
CHECK_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """`wrong` is empty if no row is missing, duplicated or different and no limit was broken.
    `figures`: what was checked, for the table."""

    figures: dict[str, float]
    wrong: list[str]


class Campaign:
    """Needs a world whose producer and exchange are running."""

    def __init__(
        self,
        world: World,
        symbols: Sequence[str],
        intervals: Sequence[str],
        seed: int,
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.scene = Scene(world, Random(seed), tuple(symbols), set(), [])
        self._world = world
        self._intervals = intervals
        self._report = report
        self._began_ms = now_ms()
        self._done = 0
        self._ended_by_itself: list[str] = []

    def in_turn(self, disturbances: Sequence[Disturbance], seconds: float, calm_seconds: float) -> None:
        for disturbance in disturbances:
            self._together([disturbance], min(seconds, disturbance.max_seconds))
            self._watch(calm_seconds + disturbance.after_seconds)

    def at_random(self, disturbances: Sequence[Disturbance], until: float, at_once: int = 3) -> None:
        """Up to `at_once` at a time, never two on the same process, until the monotonic time
        `until`."""
        random = self.scene.random
        while time.monotonic() < until:
            chosen: list[Disturbance] = []
            for one in random.sample(disturbances, random.randint(1, at_once)):
                if not one.process or one.process not in {other.process for other in chosen}:
                    chosen.append(one)
            self._together(chosen, random.uniform(1, 12))
            self._watch(random.uniform(0, 6))

    def _together(self, chosen: Sequence[Disturbance], seconds: float) -> None:
        seconds = min(seconds, *(one.max_seconds for one in chosen))
        self._report(f"{' + '.join(one.name for one in chosen)} for {seconds:.1f} s")
        # Faults of replies first: the other disturbances may stop the exchange.
        ordered = sorted(chosen, key=lambda one: bool(one.process))
        for one in ordered:
            one.begin(self.scene, seconds)
        self._watch(seconds, {one.process for one in chosen})
        for one in ordered:
            one.end(self.scene)
        self._done += len(chosen)

    def _watch(self, seconds: float, stopped: frozenset[str] | set[str] = frozenset()) -> None:
        """Let time pass. A producer that ends meanwhile ended by itself; it is started again."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if "exchange" not in stopped:
                self._world.exchange.collect()
            if "producer" not in stopped and not self._world.is_alive():
                self._ended_by_itself.append(f"the producer ended with {self._world.producer.process.poll()}")
                self._world.start_producer()
            time.sleep(min(left, CHECK_EVERY_SECONDS))

    # --- the verdict

    def verdict(self, trades_since_ms: int) -> Outcome:
        """Waits until the producer has caught up, and compares. No disturbance may be active."""
        world, symbols = self._world, self.scene.symbols
        world.exchange.collect()
        until_ms = now_ms()
        wait_until(lambda: self._caught_up(until_ms), CATCHES_UP_WITHIN_SECONDS, f"all data; {world.log}")
        world.exchange.collect()
        found = truth.trades(world, symbols, trades_since_ms, until_ms, self.scene.hidden)
        closed = truth.candles(world, symbols, self._intervals, until_ms)
        audit = truth.audit(world)
        calls = bans.calls_inside(world)
        slow = [
            f"SIGTERM: exit code {code} after {took:.1f} s"
            for code, took in self.scene.exits
            if code != 0 or took > STOPS_WITHIN_SECONDS
        ]
        tracebacks = ["a traceback in the producer's log"] * world.output().count("Traceback")
        differences = [*found.wrong, *closed.wrong, *audit.wrong, *calls.violations]
        wrong = [*differences, *slow, *self._ended_by_itself, *tracebacks]
        return Outcome(self._figures(found, closed, audit, calls), wrong)

    def _figures(
        self, found: truth.Findings, closed: truth.Findings, audit: truth.Findings, calls: bans.BanCalls
    ) -> dict[str, float]:
        return {
            "disturbances": self._done,
            "minutes": round((now_ms() - self._began_ms) / 60_000, 1),
            "trades compared": found.compared,
            "trades missing, duplicated or different": len(found.wrong),
            "trades that the exchange hid, all in the log": found.gaps,
            "closed candles compared": closed.compared,
            "closed candles missing or different": len(closed.wrong),
            "books gone backwards, candles reopened, rows written without a change": len(audit.wrong),
            "bans": calls.bans,
            "requests inside a ban": len(calls.violations),
            "requests in flight when a ban began": calls.in_flight,
            "the last of these arrived after the ban was read, ms": calls.latest_ms,
            "producer ended by itself": len(self._ended_by_itself),
            "slowest stop on SIGTERM, s": round(max((took for _, took in self.scene.exits), default=0), 1),
        }

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
