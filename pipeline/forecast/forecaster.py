"""Forecasts of one symbol, minute by minute. A forecast uses candles that are closed when it is
made, and nothing later: the same code runs live and over recorded files. Knows no database.

Per horizon and minute:
1. the windows that close with this minute are scored, and the range learns from the hit,
2. once a day the model is fitted to the windows that have closed,
3. the next window is forecast."""

import logging
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.forecast.features import MIN_VARIANCE_PER_MINUTE, Ewma, features
from pipeline.forecast.minutes import DAY_MINUTES, Candle, Minutes
from pipeline.forecast.models import EWMA, NAIVE, make_model
from pipeline.forecast.scoring import RangeWidth, RecentScores, qlike
from pipeline.forecast.training import MIN_ROWS, STRIDE, TrainingRows
from pipeline.intervals import MINUTE_MS

log = logging.getLogger(__name__)

# The model's own forecasts are used again when they are this much better than naive; a margin, so
# that it does not change from minute to minute.
TRUST_AGAIN_RATIO = 0.95
# A model that learned from calm weeks reacts late to a shock, and a forecast that is far too small
# costs most. So none is below this share of the variance of the newest minutes. Measured: nothing
# changes in ordinary months; with a crash put into them, the loss at 15 minutes falls by 3 to 9 %.
SHOCK_SHARE = 0.3
SHOCK_MINUTES = 5
# Rounds away float noise; prices of the exchange have fewer digits.
PRICE_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Forecast:
    """The variance of the log return over the `horizon` minutes from `made_at_ms` on, and the range
    that should contain the price at their end. `naive_variance` is None when there is nothing to
    compare with; then the window is not scored. `recent_…`: see RecentScores."""

    symbol: str
    horizon: int
    made_at_ms: int
    closes_at_ms: int
    model: str
    price: float
    variance: float
    naive_variance: float | None
    lower_price: float
    upper_price: float
    recent_qlike_ratio: float | None
    recent_coverage: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the forecast made at `made_at_ms`."""

    symbol: str
    horizon: int
    made_at_ms: int
    realized_variance: float
    close_price: float
    qlike: float
    naive_qlike: float
    hit: bool


class Pending(NamedTuple):
    """A forecast whose window is open. `model_variance`: the model's own, even when another was
    issued. `x`: its features, if it becomes a row of training."""

    minute: int
    forecast: Forecast
    model_variance: float
    ewma: float
    x: list[float] | None


class HorizonForecaster:
    """One symbol and one horizon in minutes. `model`: naive, ewma, log_har, or module:Class."""

    def __init__(self, symbol: str, horizon: int, model: str) -> None:
        self.symbol = symbol
        self.horizon = horizon
        self.scores = RecentScores()
        self.falls_back = False
        self._model_name = model
        self._model = make_model(model, horizon, STRIDE)
        self._ewma = Ewma(horizon)
        self._width = RangeWidth()
        self._training = TrainingRows()
        self._pending: deque[Pending] = deque()
        self._fitted_day: int | None = None
        self._log_bias = 0.0
        self._log_limits = (0.0, 0.0)

    def step(self, minutes: Minutes, sparse: bool = False) -> tuple[Forecast | None, Score | None]:
        """The forecast made at the end of the newest minute, and the score of the one whose window
        it closes. `sparse`: forecast only what the model is trained on."""
        square = minutes.last_square()
        if square is not None:
            self._ewma.add(square)
        score = self._close_windows(minutes)
        self._fit_if_due(minutes.last // DAY_MINUTES)
        is_skipped = sparse and minutes.last % STRIDE != 0
        return None if is_skipped else self._forecast(minutes), score

    # --- 1. score

    def _close_windows(self, minutes: Minutes) -> Score | None:
        while self._pending and self._pending[0].minute + self.horizon <= minutes.last:
            closed = self._pending.popleft()
            if closed.minute + self.horizon == minutes.last:  # else its last minute is missing
                return self._score(closed, minutes)
        return None

    def _score(self, closed: Pending, minutes: Minutes) -> Score | None:
        realized = minutes.realized_variance(minutes.last, self.horizon)
        made = closed.forecast
        if realized is None or made.naive_variance is None:
            return None
        realized = self._floored(realized)
        if closed.x is not None:
            self._training.add(closed.x, math.log(realized / self.horizon / closed.ewma))
        close = minutes.close(minutes.last)
        hit = made.lower_price <= close <= made.upper_price
        self._width.learn(hit)
        issued, naive = qlike(realized, made.variance), qlike(realized, made.naive_variance)
        self.scores.add(qlike(realized, closed.model_variance), issued, naive, hit)
        self._choose_model()
        return Score(self.symbol, self.horizon, made.made_at_ms, realized, close, issued, naive, hit)

    def _choose_model(self) -> None:
        """Fall back to the EWMA while the model's score of a day is worse than naive."""
        ratio = self.scores.ratio(RecentScores.MODEL)
        if ratio is None or self._fitted_day is None or not self.scores.is_full:
            return
        facts = {"symbol": self.symbol, "horizon_minutes": self.horizon, "qlike_ratio": round(ratio, 3)}
        if not self.falls_back and ratio > 1:
            self.falls_back = True
            log.warning("forecast_fallback", extra=facts)
        elif self.falls_back and ratio < TRUST_AGAIN_RATIO:
            self.falls_back = False
            log.info("forecast_fallback_over", extra=facts)

    # --- 2. fit

    def _fit_if_due(self, day: int) -> None:
        if self._model is None or day == self._fitted_day or len(self._training) < MIN_ROWS:
            return
        X, y = self._training.arrays()
        self._model.fit(X, y)
        # The mean of a log-normal variable is above exp(mean of its logarithm) by this factor.
        self._log_bias = float(np.var(y - self._model.predict(X))) / 2
        self._log_limits = (float(y.min()), float(y.max()))
        self._fitted_day = day

    # --- 3. forecast

    def _forecast(self, minutes: Minutes) -> Forecast | None:
        ewma, last = self._ewma.per_minute(), minutes.last
        if ewma is None:
            return None
        x = features(minutes, self.horizon, ewma) if self._model is not None else None
        naive = minutes.realized_variance(last, self.horizon)
        naive_variance = None if naive is None else self._floored(naive)
        model, variance = self._model_variance(ewma, x, naive_variance, minutes.mean_square(last, SHOCK_MINUTES))
        issued = (EWMA, ewma * self.horizon) if self.falls_back else (model, variance)
        forecast = self._issue(*issued, naive_variance, minutes.close(last), last)
        is_row = x is not None and last % STRIDE == 0
        self._pending.append(Pending(last, forecast, variance, ewma, x if is_row else None))
        return forecast

    def _model_variance(
        self, ewma: float, x: Sequence[float] | None, naive: float | None, newest: float | None
    ) -> tuple[str, float]:
        """The model's name and forecast; the EWMA's while it cannot make one. `newest`: variance
        per minute of the newest minutes."""
        if self._model_name == NAIVE and naive is not None:
            return NAIVE, naive
        if self._model is None or x is None or self._fitted_day is None:
            return EWMA, ewma * self.horizon
        predicted = float(self._model.predict(np.array([x]))[0])
        if not math.isfinite(predicted):  # of a regressor of your own; no row may hold it
            return EWMA, ewma * self.horizon
        low, high = self._log_limits  # no model may forecast what it has never seen
        per_minute = ewma * math.exp(min(max(predicted, low), high) + self._log_bias)
        return self._model_name, self._floored(max(per_minute, SHOCK_SHARE * (newest or 0.0)) * self.horizon)

    def _issue(self, model: str, variance: float, naive_variance: float | None, price: float, last: int) -> Forecast:
        reach = math.exp(self._width.deviations * math.sqrt(variance))
        made_at_ms = (last + 1) * MINUTE_MS
        return Forecast(
            self.symbol,
            self.horizon,
            made_at_ms,
            made_at_ms + self.horizon * MINUTE_MS,
            model,
            price,
            variance,
            naive_variance,
            rounded(price / reach),
            rounded(price * reach),
            self.scores.ratio(RecentScores.ISSUED),
            self.scores.coverage(),
        )

    def _floored(self, variance: float) -> float:
        return max(variance, MIN_VARIANCE_PER_MINUTE * self.horizon)


class SymbolForecaster:
    """All horizons of one symbol."""

    def __init__(self, symbol: str, horizons: Sequence[int], model: str) -> None:
        self.horizons = tuple(HorizonForecaster(symbol, horizon, model) for horizon in horizons)
        self._minutes = Minutes()

    def add(self, candle: Candle, sparse: bool = False) -> tuple[list[Forecast], list[Score]]:
        """What follows from the next closed candle; nothing if it is not newer than the last.
        `sparse`: learn from it in a fraction of the time, with few forecasts."""
        forecasts: list[Forecast] = []
        scores: list[Score] = []
        if self._minutes.add(candle):
            for horizon in self.horizons:
                forecast, score = horizon.step(self._minutes, sparse)
                forecasts += [forecast] if forecast else []
                scores += [score] if score else []
        return forecasts, scores


def rounded(price: float) -> float:
    return float(f"{price:.{PRICE_DIGITS}g}")
