"""Walk-forward evaluation: every model over the same candles, minute by minute, through the code
that runs live. Knows neither files nor a database."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.forecast.forecaster import Score, SymbolForecaster
from pipeline.forecast.minutes import Candle
from pipeline.intervals import MINUTE_MS, interval_name
from pipeline.times import DAY_MS

# The beginning is not scored, as the models have little to learn from: this many days, or a third
# of shorter series.
WARM_UP_MS = 10 * DAY_MS
TITLES = ("symbol", "horizon", "model", "QLIKE", "ratio to naive", "coverage", "windows", "µs per step")


@dataclass(frozen=True, slots=True)
class Result:
    """One model over one symbol and horizon. `windows`: how many were scored; `step_us`: mean CPU
    time of a forecast, with its share of scoring and fitting."""

    symbol: str
    horizon: int
    model: str
    qlike: float
    naive_qlike: float
    coverage: float
    windows: int
    step_us: float

    @property
    def ratio(self) -> float:
        return self.qlike / self.naive_qlike


def evaluate(
    candles: Mapping[str, Sequence[Candle]],
    horizons: Sequence[int],
    models: Iterable[str],
    clock: Callable[[], float] = time.process_time,
) -> list[Result]:
    """The results by symbol, horizon and model, in the order given. A symbol with too few candles
    to score has none."""
    models = list(models)
    found: list[Result] = []
    for symbol, several in candles.items():
        by_horizon: dict[int, list[Result]] = defaultdict(list)
        for model in models:
            for result in evaluate_model(symbol, several, horizons, model, clock):
                by_horizon[result.horizon].append(result)
        found += [result for horizon in horizons for result in by_horizon[horizon]]
    return found


def evaluate_model(
    symbol: str, candles: Sequence[Candle], horizons: Sequence[int], model: str, clock: Callable[[], float]
) -> list[Result]:
    """The results of one model, one per horizon."""
    if not candles:
        return []
    first_ms, last_ms = candles[0].open_time_ms, candles[-1].open_time_ms
    scored_from_ms = first_ms + min(WARM_UP_MS, (last_ms - first_ms) // 3)
    forecaster = SymbolForecaster(symbol, horizons, model)
    scores: dict[int, list[Score]] = defaultdict(list)
    began = clock()
    for candle in candles:
        for score in forecaster.add(candle)[1]:
            if score.made_at_ms >= scored_from_ms:
                scores[score.horizon].append(score)
    step_us = (clock() - began) / (len(candles) * len(horizons)) * 1e6
    return [summary(model, several, step_us) for several in (scores[h] for h in horizons) if several]


def summary(model: str, scores: Sequence[Score], step_us: float) -> Result:
    count = len(scores)
    return Result(
        scores[0].symbol,
        scores[0].horizon,
        model,
        sum(score.qlike for score in scores) / count,
        sum(score.naive_qlike for score in scores) / count,
        sum(score.hit for score in scores) / count,
        count,
        step_us,
    )


def markdown(results: Iterable[Result]) -> str:
    """A table for a terminal or a README."""
    rows = [
        (
            result.symbol,
            interval_name(result.horizon * MINUTE_MS),
            f"`{result.model}`",
            f"{result.qlike:.3f}",
            f"{result.ratio:.3f}",
            f"{result.coverage:.1%}",
            str(result.windows),
            f"{result.step_us:.0f}",
        )
        for result in results
    ]
    lines = [TITLES, ["---"] * len(TITLES), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
