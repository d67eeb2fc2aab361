"""The models, behind the two methods of scikit-learn: `fit(X, y)` and `predict(X)`. Knows numpy;
knows nothing of candles.

X has one row per past minute and the columns of `features.feature_names`: logarithms of variances
relative to the EWMA's. y is the logarithm of the variance that followed, relative to the EWMA's as
well. So a model that predicts 0 is the EWMA itself, and whatever a model learns corrects it.

A regressor of your own: any class that can be called without arguments and has these two methods,
named by the setting FORECAST_MODEL, e.g. `sklearn.linear_model:Ridge` or `my_models:Mine`."""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from pipeline.errors import BadSetting

Array = np.ndarray[Any, np.dtype[np.float64]]
NAIVE, EWMA, LOG_HAR = "naive", "ewma", "log_har"
BASELINES = (NAIVE, EWMA)


class Regressor(Protocol):
    """What a model must have. Rows are in the order of time."""

    def fit(self, X: Array, y: Array) -> Any:
        """Learn from the past; forget what was learned before."""
        ...

    def predict(self, X: Array) -> Array:
        """One value per row."""
        ...


class LogHar:
    """Heterogeneous autoregression of the log variance: a linear regression on windows of different
    lengths. Shrunk towards the EWMA: with few rows the coefficients stay near 0, with many they are
    those of least squares. Measured on three months: in the first days, plain least squares was
    worse than naive on each of them; shrunk, it is better on average."""

    def __init__(self, penalty_rows: float) -> None:
        """`penalty_rows`: as many rows of doubt; rows of overlapping windows count less, so it
        grows with the horizon."""
        self._penalty_rows = penalty_rows
        self._center: Array = np.zeros(0)
        self._coefficients: Array = np.zeros(0)
        self._intercept = 0.0

    def fit(self, X: Array, y: Array) -> "LogHar":
        self._center = X.mean(axis=0)
        scale = np.maximum(X.std(axis=0), 1e-9)
        Z = (X - self._center) / scale
        self._intercept = float(y.mean())
        gram = Z.T @ Z + self._penalty_rows * np.eye(X.shape[1])
        self._coefficients = np.linalg.solve(gram, Z.T @ (y - self._intercept)) / scale
        return self

    def predict(self, X: Array) -> Array:
        return (X - self._center) @ self._coefficients + self._intercept


# Windows of doubt. Of 3, 30, 100 and 200, this was best in the first days; after ten days there was
# no difference.
PENALTY_WINDOWS = 100


def make_model(name: str, horizon: int, stride: int) -> Regressor | None:
    """A new model for windows of `horizon` minutes, trained with one row per `stride` minutes; None
    for `naive` and `ewma`, which learn nothing. Raises BadSetting."""
    if name in BASELINES:
        return None
    if name == LOG_HAR:
        return LogHar(PENALTY_WINDOWS * horizon / stride)
    regressor: Regressor = load_class(name)()
    return regressor


def load_class(name: str) -> Callable[[], Any]:
    """The class that `package.module:Class` names. Raises BadSetting."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadSetting(f"FORECAST_MODEL={name!r}: {error}") from error
    if not (hasattr(found, "fit") and hasattr(found, "predict")):
        raise BadSetting(f"FORECAST_MODEL={name!r}: expected a class with fit and predict")
    return found  # type: ignore[no-any-return]
