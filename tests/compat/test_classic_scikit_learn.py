"""`keras.wrappers.scikit_learn` with today's scikit-learn."""

import functools

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers
from kerasish.compat.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone, is_classifier, is_regressor  # noqa: E402
from sklearn.datasets import load_diabetes, load_iris  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(1)


def three_classes(units=8, rate=0.02):
    model = keras.Sequential([layers.Dense(units, "relu"), layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


def two_classes():
    model = keras.Sequential([layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


def one_value(metrics=None):
    model = keras.Sequential([layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=metrics)
    return model


@pytest.fixture(scope="module")
def iris():
    x, y = load_iris(return_X_y=True)
    return (x - x.mean(0)) / x.std(0), y


FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def test_cross_validation(iris):
    x, y = iris
    classifier = KerasClassifier(three_classes, nb_epoch=15, batch_size=16, verbose=0)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    assert cross_val_score(classifier, x, names, cv=FOLDS).mean() > 0.8
    found = cross_val_predict(classifier, x, names, cv=FOLDS, method="predict_proba")
    assert found.shape == (150, 3)
    assert (found.argmax(1) == y).mean() > 0.8


def test_grid_search_in_a_pipeline(iris):
    x, y = iris
    classifier = KerasClassifier(build_fn=three_classes, epochs=10, batch_size=16, verbose=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), classifier),
        {"kerasclassifier__rate": [1e-6, 0.03]}, cv=FOLDS, error_score="raise",
    )  # fmt: skip
    search.fit(x, y)
    assert search.best_params_ == {"kerasclassifier__rate": 0.03}
    assert search.best_score_ > 0.8
    assert search.best_estimator_.predict(x[:3]).shape == (3,)


def test_regression():
    x, y = load_diabetes(return_X_y=True)
    x, y = x * 20, (y - y.mean()) / y.std()
    for metrics in (None, ["mae"]):
        build = functools.partial(one_value, metrics)
        regressor = KerasRegressor(build, epochs=15, verbose=0)
        assert is_regressor(regressor)
        history = regressor.fit(x, y)
        assert len(history.history["loss"]) == 15
        assert regressor.predict(x).shape == y.shape
        assert -regressor.score(x, y) == pytest.approx(((regressor.predict(x) - y) ** 2).mean())
    assert cross_val_score(regressor, x, y, cv=3, scoring="r2").mean() > 0.2
    assert regressor.predict(x[:1]).shape == (1,)


def test_two_classes(iris):
    x, y = iris
    x, y = x[:100], y[:100] + 5
    classifier = KerasClassifier(two_classes, epochs=5, verbose=0)
    assert is_classifier(classifier)
    classifier.fit(x, y, sample_weight=np.ones(100))
    assert classifier.score(x, y) == (classifier.predict(x) == y).mean() > 0.9
    assert set(classifier.predict(x)) == {5, 6}
    found = classifier.predict_proba(x)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    assert ((found[:, 1] > 0.5) == (y == 6)).mean() > 0.9


def test_one_hot_labels(iris):
    x, y = iris
    classifier = KerasClassifier(three_classes, epochs=15, verbose=0)
    classifier.fit(x, np.eye(3)[y])
    assert (classifier.predict(x) == y).mean() > 0.8
    assert classifier.score(x, np.eye(3)[y]) > 0.8
    assert classifier.score(x[:50], np.eye(3)[y[:50]]) > 0.8
    classifier.fit(x, y)
    assert classifier.score(x[:50], y[:50]) > 0.8, "of three classes, the part has one"


def test_parameters():
    widths = [1, 2]

    def build(widths, rate=0.1):
        return three_classes(rate=rate)

    wrapper = KerasClassifier(build, widths=widths, epochs=3)
    twin = clone(wrapper.set_params(rate=0.5))
    assert twin.get_params() == {"build_fn": build, "widths": widths, "epochs": 3, "rate": 0.5}
    assert wrapper.get_params()["widths"] is widths
    assert wrapper.filter_sk_params(build) == {"widths": widths, "rate": 0.5}
    assert wrapper.filter_sk_params(keras.Model.fit, {"verbose": 0}) == {"epochs": 3, "verbose": 0}
    with pytest.raises(ValueError, match="colour is not a legal parameter"):
        KerasClassifier(build, colour=1)
    with pytest.raises(ValueError, match="colour is not a legal parameter"):
        wrapper.set_params(colour=1)


def test_builders():
    class Builder:
        def __call__(self, units=4):
            return three_classes(units)

    class Wrapper(BaseWrapper):
        def __call__(self, units=4):
            return three_classes(units)

    x, y = np.ones((4, 2)), np.array([0, 1, 2, 0])
    for wrapper in (KerasClassifier(Builder(), units=5), Wrapper(units=5)):
        wrapper.fit(x, y, nb_epoch=1, verbose=0)
        assert wrapper.model.layers[0].units == 5


def test_errors():
    x, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    classifier = KerasClassifier(one_value, epochs=1, verbose=0)
    classifier.fit(x, y)
    with pytest.raises(ValueError, match="not configured to compute accuracy"):
        classifier.score(x, y)
    with pytest.raises(ValueError, match="Invalid shape for y"):
        classifier.fit(x, np.ones((4, 1, 1)))
