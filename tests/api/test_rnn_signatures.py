"""Arguments of recurrent layers by place and by name, attributes of their cells."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import kerasish
from kerasish import layers

X = np.ones((2, 5, 3), "float32")


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_arguments_by_place(name):
    kind, cell = getattr(layers, name), getattr(layers, f"{name}Cell")
    gate = () if name == "SimpleRNN" else ("hard_sigmoid",)
    layer = kind(4, "relu", *gate, False)
    assert layer.activation.__name__ == "relu" and layer.use_bias is False
    if gate:
        assert layer.recurrent_activation.__name__ == "hard_sigmoid"
    assert layer(X).shape == (2, 4) and len(layer.weights) == 2
    parameters = inspect.signature(kind).parameters
    for own in inspect.signature(cell).parameters:
        assert own in parameters
    again = kind.from_config(layer.get_config())
    assert again.get_config() == {**layer.get_config(), "name": again.name}


def test_forget_bias_by_place():
    names = list(inspect.signature(layers.LSTM).parameters)
    values = ["tanh", "sigmoid", True, "zeros", "zeros", "zeros", False]
    assert names[1:8][-1] == "unit_forget_bias"
    layer = layers.LSTM(4, *values)
    layer.build(X.shape)
    assert layer.unit_forget_bias is False and not layer.weights[2].numpy().any()


def test_masks_of_dropout():
    cell = layers.GRUCell(4, dropout=0.5)
    assert cell.get_recurrent_dropout_mask(np.ones((2, 4), "float32")) is None
    x = np.ones((2, 3), "float32")
    first = cell.get_dropout_mask(x)
    assert first is cell.get_dropout_mask(x) and set(first.numpy().ravel()) <= {0.0, 2.0}
    cell.reset_dropout_mask()
    assert cell.get_dropout_mask(x) is not first


def test_layers_by_config():
    layer = layers.Dense(3, name="d")
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is layers.Dense and again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="is not a"):
        layers.deserialize(layers.serialize(kerasish.losses.MeanSquaredError()))
