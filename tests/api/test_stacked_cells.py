"""Cells one upon the other: one after another over all steps, as they are step by step."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers
from kerasish.layers.rnn.rnn import RNN

RNG = np.random.default_rng(4)
X = RNG.normal(size=(3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
CELLS = {
    "three": lambda: [layers.LSTMCell(3), layers.GRUCell(2), layers.SimpleRNNCell(4)],
    "dropout": lambda: [layers.GRUCell(3, dropout=0.4, seed=1),
                        layers.LSTMCell(2, dropout=0.3, seed=2)],
}  # fmt: skip


def both(monkeypatch, layer, **call):
    """What the layer gives, and what it gives step by step, from the same random numbers."""
    found, ran = [], []
    real = RNN._run
    monkeypatch.setattr(RNN, "_run", lambda self, *a: ran.append(self) or real(self, *a))
    seeds = [(v, np.asarray(v)) for v in layer.variables if not v.trainable]
    for whole in (True, False):
        if not whole:
            monkeypatch.setattr(layers.StackedRNNCells, "runs_whole", lambda self, policy: False)
        for variable, value in seeds:
            variable.assign(value)
        found.append([np.asarray(y) for y in keras.tree.flatten(layer(X, **call))])
    assert ran == [layer]  # the first time only
    return found


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", ["no", "mask", "zeros"])
@pytest.mark.parametrize("cells", list(CELLS))
def test_all_steps_of_each_cell(monkeypatch, cells, masked, backwards):
    layer = layers.RNN(
        CELLS[cells](), return_sequences=True, return_state=True, go_backwards=backwards,
        zero_output_for_mask=masked == "zeros",
    )  # fmt: skip
    call = {"training": cells == "dropout"}
    if masked != "no":
        call["mask"] = MASK
    layer(X)
    for sequences in (True, False):
        layer.return_sequences = sequences
        with monkeypatch.context() as patch:
            a, b = both(patch, layer, **call)
        assert [v.shape for v in a] == [v.shape for v in b]
        for y, z in zip(a, b, strict=True):
            np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-6)


def test_given_states(monkeypatch):
    layer = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_state=True)
    states = [[np.ones((3, 3), "f4"), np.zeros((3, 3), "f4")], [np.full((3, 2), 0.5, "f4")]]
    layer(X)
    a, b = both(monkeypatch, layer, initial_state=states)
    for y, z in zip(a, b, strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-6)


def test_cells_of_the_users_own_go_step_by_step():
    class Doubled(layers.GRUCell):
        def call(self, inputs, states, training=False):
            y, after = super().call(inputs, states, training)
            return 2 * y, after

    class Reversed(layers.StackedRNNCells):
        def call(self, inputs, states, training=False):
            return super().call(-inputs, states, training)

    pair = [layers.GRUCell(3), layers.GRUCell(3)]
    assert not layers.StackedRNNCells([pair[0], Doubled(3)]).runs_whole(pair[0].dtype_policy)
    assert not Reversed(pair).runs_whole(pair[0].dtype_policy)
    assert layers.StackedRNNCells(pair).runs_whole(pair[0].dtype_policy)
