"""Losses of Keras 2 on tensors of a model: added to it, or closed over by a function."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from second_programs import X, Y, dense_model

from kerasish import backend as K
from kerasish import layers, models

pytestmark = pytest.mark.usefixtures("generation_2")


def test_losses_on_symbolic_tensors():
    given = layers.Input((2,))
    hidden = layers.Dense(4)(given)
    model = models.Model(given, layers.Dense(3)(hidden))
    names = model.output_names
    model.add_loss(K.mean(K.square(hidden)))
    model.add_metric(K.max(given), name="largest")
    assert model.output_names == names and model.losses == []
    model.compile("sgd", "mse")
    loss, largest = model.test_on_batch(3 * X, Y)
    inner = models.Model(given, hidden).predict(3 * X)
    assert largest == 3.0
    assert np.isclose(loss, np.mean(inner**2) + np.mean(model.predict(3 * X) ** 2), rtol=1e-5)


def test_losses_on_tensors_of_a_sequential():
    model = dense_model(1)
    hidden = model.layers[0].output
    model.add_loss(K.mean(K.square(hidden)))
    model.add_metric(K.max(model.input), name="largest")

    def near(y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1) + K.mean(K.abs(hidden))

    model.compile("sgd", near)
    fetch = K.function([model.input], [hidden])

    def wanted(target):
        inner = fetch([3 * X])[0]
        return np.mean(inner**2) + np.mean(np.abs(inner)) + np.mean((outputs() - target) ** 2)

    def outputs():
        return model.predict(3 * X)

    assert model.evaluate(3 * X, Y[:, :1], verbose=0) == pytest.approx([wanted(0), 3.0])
    before = wanted(0)
    model.fit(3 * X, Y[:, :1], epochs=5, verbose=0)
    assert wanted(0) < 0.9 * before
    model.add(layers.Dense(2))
    model.compile("sgd", "mse")
    inner = fetch([X])[0]
    loss, largest = model.evaluate(X, Y[:, :2], verbose=0)
    assert copy.deepcopy(model).evaluate(X, Y[:, :2], verbose=0) == [loss, largest]
    assert largest == 1.0 and len(model.layers) == 3
    assert loss == pytest.approx(np.mean(inner**2) + np.mean(model.predict(X) ** 2), rel=1e-5)
    with pytest.raises(ValueError, match="give a Sequential its input shape"):
        models.Sequential([layers.Dense(2)]).add_loss(K.mean(hidden))


def test_losses_that_close_over_tensors():
    given = layers.Input((2,))
    hidden = layers.Dense(4)(given)
    model = models.Model(given, layers.Dense(1)(hidden))

    def penalty():
        return K.mean(K.square(hidden), axis=-1)

    def loss(y_true, y_pred):
        assert y_true.shape == y_pred.shape
        return K.mean(K.square(y_true - y_pred), axis=-1) + penalty()

    model.compile("sgd", loss, [loss])
    value, same = model.test_on_batch(X, np.zeros(8))
    inner = models.Model(given, hidden).predict(X)
    assert np.isclose(value, np.mean(inner**2) + np.mean(model.predict(X) ** 2), rtol=1e-5)
    assert np.isclose(value, same) and "loss" in model.metrics_names
