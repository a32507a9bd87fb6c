"""Models as estimators of scikit-learn."""

import numpy as np
import pytest
import sklearn.base
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kerasish
from kerasish import layers, wrappers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4)).astype("float32")
NAMES = np.array(["low", "high"])[(X[:, 0] + 0.5 * X[:, 1] > 0).astype(int)]
TARGET = X[:, 0] - 2 * X[:, 1]


def classifier(X, y, units=8):
    model = kerasish.Sequential([
        layers.Input(X.shape[1:]), layers.Dense(units, activation="relu"),
        layers.Dense(y.shape[1], activation="softmax"),
    ])  # fmt: skip
    model.compile(kerasish.optimizers.Adam(0.02), "categorical_crossentropy")
    return model


def regressor():
    model = kerasish.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile(kerasish.optimizers.Adam(0.05), "mse")
    return model


def test_a_classifier_in_a_pipeline():
    kerasish.utils.set_random_seed(0)
    estimator = wrappers.SKLearnClassifier(
        classifier, model_kwargs={"units": 6}, fit_kwargs={"epochs": 15, "verbose": 0}
    )
    found = make_pipeline(StandardScaler(), estimator).fit(X, NAMES)
    assert found.score(X, NAMES) > 0.9 and list(estimator.classes_) == ["high", "low"]
    assert set(found.predict(X)) == {"low", "high"}
    assert estimator.decision_function(X).shape == (120, 2) and estimator.epoch_ == 15
    with pytest.raises(ValueError, match="only one class"):
        wrappers.SKLearnClassifier(classifier).fit(X, ["one"] * 120)
    with pytest.raises(ValueError, match="target types"):
        wrappers.SKLearnClassifier(classifier).fit(X, TARGET)


def test_a_regressor_is_a_copy_of_the_model():
    kerasish.utils.set_random_seed(0)
    model = regressor()
    before = model.get_weights()
    estimator = wrappers.SKLearnRegressor(model).fit(X, TARGET, epochs=60, verbose=0)
    assert estimator.score(X, TARGET) > 0.95 and estimator.predict(X).shape == (120,)
    column = wrappers.SKLearnRegressor(model).fit(X, TARGET[:, None], epochs=1, verbose=0)
    assert column.predict(X).shape == (120,)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    twin = sklearn.base.clone(estimator)
    assert twin.model is model and not hasattr(twin, "model_")


def test_a_search_over_settings():
    kerasish.utils.set_random_seed(0)
    estimator = wrappers.SKLearnClassifier(classifier, fit_kwargs={"epochs": 2, "verbose": 0})
    search = GridSearchCV(estimator, {"model_kwargs": [{"units": 2}, {"units": 6}]}, cv=2)
    search.fit(X, NAMES)
    assert search.best_params_["model_kwargs"]["units"] in (2, 6)
    assert len(search.best_estimator_.history_.history["loss"]) == 2


def test_a_transformer():
    estimator = wrappers.SKLearnTransformer(regressor()).fit(X, TARGET, epochs=1, verbose=0)
    assert estimator.transform(X).shape == (120, 1)


def test_what_is_not_compiled_is_refused():
    model = kerasish.Sequential([layers.Input((4,)), layers.Dense(1)])
    with pytest.raises(RuntimeError, match="compiled"):
        wrappers.SKLearnRegressor(model).fit(X, TARGET)
    with pytest.raises(RuntimeError, match="metadata routing"):
        wrappers.SKLearnRegressor(model).set_fit_request(sample_weight=True)
