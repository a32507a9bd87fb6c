"""Recurrent cells run over a sequence by `RNN`, built-in ones and one of your own.

`RNN(cell)` steps a cell along time; the fused layers compute the same.

    python examples/rnn_cells.py
"""

import numpy as np

import kerasish as keras
from kerasish import layers, ops


class MinimalGatedCell(layers.Layer):
    """`f = sigmoid(W_f x + U_f h)`, `h' = (1 - f) h + f tanh(W x + U (f h))`.

    G. Zhou et al., "Minimal Gated Unit for Recurrent Neural Networks", 2016.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, units, units

    def build(self, input_shape):
        size = (input_shape[-1], 2 * self.units)
        self.kernel = self.add_weight(shape=size, name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, 2 * self.units), name="recurrent")

    def call(self, x, states):
        (h,) = states
        n = self.units
        given = ops.matmul(x, self.kernel)
        gate = ops.sigmoid(given[:, :n] + ops.matmul(h, self.recurrent[:, :n]))
        new = ops.tanh(given[:, n:] + ops.matmul(gate * h, self.recurrent[:, n:]))
        h = (1 - gate) * h + gate * new
        return h, [h]


def main():
    """Run all cells; the shapes met."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(32, 50, 10)).astype("float32")
    pairs = [
        (layers.SimpleRNNCell(20), layers.SimpleRNN),
        (layers.GRUCell(20), layers.GRU),
        (layers.LSTMCell(20), layers.LSTM),
    ]
    for cell, fused in pairs:
        stepped = layers.RNN(cell, return_sequences=True, return_state=True)
        outputs, *states = stepped(x)
        assert outputs.shape == (32, 50, 20) and all(s.shape == (32, 20) for s in states)
        np.testing.assert_array_equal(outputs[:, -1], states[0])
        layer = fused(20, return_sequences=True, return_state=True)
        layer.build(x.shape)
        layer.set_weights(stepped.get_weights())
        gap = 0.0
        for a, b in zip([outputs, *states], layer(x), strict=True):
            gap = max(gap, float(np.abs(a.numpy() - b.numpy()).max()))
        print(f"{type(cell).__name__}: outputs {outputs.shape}, {len(states)} state(s) of "
              f"{states[0].shape}, largest difference from the fused layer {gap:.1e}")  # fmt: skip
        assert gap < 1e-5

    own = layers.RNN(MinimalGatedCell(20), return_sequences=True, return_state=True)
    outputs, state = own(x)
    assert outputs.shape == (32, 50, 20) and state.shape == (32, 20)

    # It learns: the sum of the last steps' first feature.
    y = x[:, -5:, :1].sum(axis=1)
    model = keras.Sequential(
        [layers.Input((50, 10)), layers.RNN(MinimalGatedCell(20)), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    losses = model.fit(x, y, batch_size=32, epochs=60, verbose=0).history["loss"]
    print(f"MinimalGatedCell: loss {losses[0]:.3f} -> {losses[-1]:.3f}")
    assert losses[-1] < 0.3 * losses[0]


if __name__ == "__main__":
    main()
