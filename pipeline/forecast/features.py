"""What a model sees of a symbol's past: logarithms of variances over several windows, relative to
the EWMA, and the time of day. Knows nothing of models."""

import math
from functools import cache

from pipeline.forecast.minutes import DAY_MINUTES, Minutes

# Prices come in ticks, so a very small realized variance is rounding and not the market: a variance
# counts as at least that of one basis point per quarter of an hour. Without this floor a single
# window in which the price stood still would decide every mean of scores.
MIN_VARIANCE_PER_MINUTE = 1e-8 / 15
# Squares of the newest half of a window weigh about 40 % of the EWMA.
EWMA_SHARE = 0.5
# Returns before the EWMA is used.
MIN_RETURNS = 15
RETURN_WINDOWS = (60, 240, DAY_MINUTES)
RANGE_WINDOWS = (5, 60, 240)
HARMONICS = 3


class Ewma:
    """The exponentially weighted mean of squared returns per minute; what is older than a window
    hardly counts."""

    def __init__(self, horizon: int) -> None:
        self._weight = EWMA_SHARE / horizon
        self._value = 0.0
        self._returns = 0

    def add(self, square: float) -> None:
        self._returns += 1
        # The plain mean at first, so that the start has no special weight.
        self._value += (square - self._value) * max(self._weight, 1 / self._returns)

    def per_minute(self) -> float | None:
        """None before MIN_RETURNS returns."""
        return max(self._value, MIN_VARIANCE_PER_MINUTE) if self._returns >= MIN_RETURNS else None


@cache
def return_windows(horizon: int) -> tuple[int, ...]:
    return tuple(sorted({horizon, *RETURN_WINDOWS}))


@cache
def range_windows(horizon: int) -> tuple[int, ...]:
    return tuple(sorted({horizon, *RANGE_WINDOWS}))


def feature_names(horizon: int) -> list[str]:
    """The columns of X, in order."""
    names = [f"returns_{length}m" for length in return_windows(horizon)]
    names += ["same_time_yesterday"]
    names += [f"range_{length}m" for length in range_windows(horizon)]
    return names + [f"{kind}_{number}_per_day" for number in range(1, HARMONICS + 1) for kind in ("sin", "cos")]


def features(minutes: Minutes, horizon: int, ewma: float) -> list[float] | None:
    """The row of X for a forecast made at the end of the newest minute; None while a window is not
    covered. `ewma`: variance per minute."""
    last = minutes.last
    variances = [minutes.mean_square(last, length) for length in return_windows(horizon)]
    variances.append(minutes.mean_square(last - DAY_MINUTES + horizon, horizon))
    variances += [minutes.mean_range(last, length) for length in range_windows(horizon)]
    row = []
    for variance in variances:
        if variance is None:
            return None
        row.append(math.log(max(variance, MIN_VARIANCE_PER_MINUTE) / ewma))
    return [*row, *time_of_day(last % DAY_MINUTES)]


@cache
def time_of_day(minute: int) -> tuple[float, ...]:
    """Smooth functions of the minute of the day (UTC): markets have quiet and busy hours."""
    angle = 2 * math.pi * minute / DAY_MINUTES
    return tuple(curve(number * angle) for number in range(1, HARMONICS + 1) for curve in (math.sin, math.cos))
