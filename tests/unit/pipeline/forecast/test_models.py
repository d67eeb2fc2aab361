"""The models, and how a user's own regressor is found."""

import numpy as np
import pytest

from pipeline.errors import BadSetting
from pipeline.forecast.models import LogHar, make_model

RANDOM = np.random.default_rng(7)
COEFFICIENTS = np.array([0.5, -0.2, 0.1])


def observations(count: int) -> tuple[np.ndarray, np.ndarray]:
    X = RANDOM.normal(size=(count, 3)) + 4
    return X, X @ COEFFICIENTS + 1.5 + RANDOM.normal(scale=0.1, size=count)


def test_log_har_finds_a_linear_relation_in_many_rows() -> None:
    X, y = observations(20_000)
    new = RANDOM.normal(size=(5, 3)) + 4
    assert LogHar(penalty_rows=30).fit(X, y).predict(new) == pytest.approx(new @ COEFFICIENTS + 1.5, abs=0.02)


def test_log_har_of_few_rows_is_close_to_their_mean() -> None:
    X, y = observations(10)
    predicted = LogHar(penalty_rows=1000).fit(X, y).predict(X)
    assert predicted == pytest.approx(np.full(10, y.mean()), abs=0.02)


def test_log_har_takes_columns_that_are_equal_or_constant() -> None:
    X, y = observations(500)
    X = np.column_stack([X, X[:, 0], np.ones(500)])
    assert np.isfinite(LogHar(penalty_rows=1).fit(X, y).predict(X)).all()


def test_fit_forgets_what_was_learned_before() -> None:
    X, y = observations(500)
    model = LogHar(penalty_rows=1)
    first = model.fit(X, y).predict(X)
    model.fit(X, -y)
    assert np.array_equal(model.fit(X, y).predict(X), first)


@pytest.mark.parametrize("name", ["naive", "ewma"])
def test_baselines_learn_nothing(name: str) -> None:
    assert make_model(name, 15, 5) is None


@pytest.mark.parametrize("name", ["no_such_module:Model", "math:Model", "math:pi", "json:JSONDecoder"])
def test_regressor_that_cannot_be_used_is_a_bad_setting(name: str) -> None:
    with pytest.raises(BadSetting, match=f"FORECAST_MODEL='{name}'"):
        make_model(name, 15, 5)


def test_regressor_of_scikit_learn_drops_in() -> None:
    pytest.importorskip("sklearn")
    X, y = observations(500)
    model = make_model("sklearn.linear_model:Ridge", 15, 5)
    assert model is not None
    model.fit(X, y)
    assert model.predict(X) == pytest.approx(y, abs=0.6)
