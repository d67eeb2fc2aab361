"""The forecaster's loop: feed every closed candle to its symbol's forecaster, write what follows.

After a start the state is rebuilt: the candles of two weeks are fed again, all but the last days
with few forecasts (measured: a third of the time, with the same fits). What is stored already is
not written again, and forecasts that were missed are made from the candles up to their minute, as
they would have been then."""

import logging
import time
from collections.abc import Callable, Sequence

from pipeline.forecast import metrics
from pipeline.forecast.database import Database, Tables, horizon_name
from pipeline.forecast.forecaster import Forecast, HorizonForecaster, Score, SymbolForecaster
from pipeline.forecast.minutes import Candle
from pipeline.forecast.scoring import RecentScores
from pipeline.forecast.training import DAYS
from pipeline.intervals import MINUTE_MS
from pipeline.stopping import Stop
from pipeline.times import DAY_MS, now_ms

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
# What a model trains on, and two days for the windows of its first row.
HISTORY_MS = (DAYS + 2) * DAY_MS
# Every minute is forecast from here on, so that the scores of the last day are complete.
DENSE_MS = 3 * DAY_MS
# Forecasts that were missed longer ago are not made later: a first start would write weeks of them.
MAX_LATE_MS = DAY_MS


class Loop:
    """Repeats `step` until it is stopped."""

    def __init__(
        self,
        database: Database,
        symbols: Sequence[str],
        horizons: Sequence[int],
        model: str,
        clock: Callable[[], float] = time.monotonic,
        wall_clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._forecasters = {symbol: SymbolForecaster(symbol, horizons, model) for symbol in symbols}
        self._horizons = tuple(horizons)
        self._clock = clock
        self._wall_clock_ms = wall_clock_ms
        self._after_ms: dict[str, int] = {}
        self._stored_ms: dict[tuple[str, int], int] = {}
        self._progress_at = clock()
        self._began_at: float | None = clock()

    def run(self, stop: Stop) -> None:
        while not stop.requested:
            if not self.step(stop):
                stop.wait(POLL_SECONDS)

    def step(self, stop: Stop) -> bool:
        """Process the next candles of every symbol. Returns whether there were any."""
        self._find_start_of_new_symbols(stop)
        candles = self._database.run(lambda tables: tables.candles(self._after_ms), stop)
        if candles is None:
            return False
        found = False
        for symbol, several in candles.items():
            if stop.requested:
                return False
            if several:
                found = True
                self._process(symbol, several, stop)
        self._progress_at = self._clock()
        metrics.LAST_SUCCESS.set_to_current_time()
        self._log_first_idle(found)
        return found

    def idle_seconds(self) -> float:
        """Since PostgreSQL last answered, or since the start."""
        return self._clock() - self._progress_at

    def _find_start_of_new_symbols(self, stop: Stop) -> None:
        """A symbol may have no candle yet, and get one later."""
        waiting = [symbol for symbol in self._forecasters if symbol not in self._after_ms]
        if not waiting:
            return

        def read(tables: Tables) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
            return tables.newest_candles(waiting), tables.newest_forecasts(waiting, self._horizons)

        if (found := self._database.run(read, stop)) is not None:
            newest, self_stored = found
            self._after_ms |= {symbol: open_ms - HISTORY_MS for symbol, open_ms in newest.items()}
            self._stored_ms |= self_stored

    def _process(self, symbol: str, candles: Sequence[Candle], stop: Stop) -> None:
        forecaster = self._forecasters[symbol]
        forecasts: list[Forecast] = []
        scores: list[Score] = []
        dense_from_ms = self._wall_clock_ms() - DENSE_MS
        for candle in candles:
            made, scored = forecaster.add(candle, sparse=candle.open_time_ms < dense_from_ms)
            forecasts += filter(self._is_new, made)
            scores += filter(self._may_be_unscored, scored)
        self._after_ms[symbol] = candles[-1].open_time_ms
        if forecasts or scores:
            self._database.run(lambda tables: tables.write(forecasts, scores), stop)
        for forecast in forecasts:
            metrics.MADE.labels(horizon_name(forecast.horizon)).inc()
        for score in scores:
            metrics.SCORED.labels(horizon_name(score.horizon)).inc()
        for horizon in forecaster.horizons:
            export(horizon)

    def _is_new(self, made: Forecast) -> bool:
        stored_ms = self._stored_ms.get((made.symbol, made.horizon), 0)
        return made.made_at_ms > max(stored_ms, self._wall_clock_ms() - MAX_LATE_MS)

    def _may_be_unscored(self, score: Score) -> bool:
        """Whether its window closed after the newest stored forecast was made: scores of a minute
        are committed with the forecasts of that minute."""
        closed_at_ms = score.made_at_ms + score.horizon * MINUTE_MS
        return closed_at_ms > max(
            self._stored_ms.get((score.symbol, score.horizon), 0), self._wall_clock_ms() - MAX_LATE_MS
        )

    def _log_first_idle(self, found: bool) -> None:
        """The state is rebuilt as soon as no candle is left to read."""
        if self._began_at is not None and not found:
            took = round(self._clock() - self._began_at, 1)
            log.info("state_rebuilt", extra={"symbols": len(self._after_ms), "took_s": took})
            self._began_at = None


def export(horizon: HorizonForecaster) -> None:
    labels = (horizon.symbol, horizon_name(horizon.horizon))
    ratio, coverage = horizon.scores.ratio(RecentScores.ISSUED), horizon.scores.coverage()
    if ratio is not None and coverage is not None:
        metrics.QLIKE_RATIO.labels(*labels).set(ratio)
        metrics.COVERAGE.labels(*labels).set(coverage)
    metrics.FALLBACK.labels(*labels).set(horizon.falls_back)
