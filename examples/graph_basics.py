"""Graphs: tied layers, only what is asked for is computed, variables by their path.

python examples/graph_basics.py
"""

import numpy as np

import kerasish as keras
from kerasish import layers, ops


def tied_model():
    """Two inputs through the same layers: two outputs, one set of weights."""
    encode = keras.Sequential(
        [layers.Dense(8, activation="relu", name="hidden"), layers.Dense(3, name="code")],
        name="encoder",
    )
    left, right = layers.Input((4,), name="left"), layers.Input((4,), name="right")
    return keras.Model([left, right], [encode(left), encode(right)], name="twins")


@keras.function
def only_the_first(a, b):
    """Computes two results and returns one: the other is not in the step."""
    kept = ops.tanh(ops.matmul(a, b))
    dropped = ops.exp(ops.matmul(b, a))
    del dropped
    return kept


def main():
    """Check counts and printed steps; the model."""
    keras.utils.set_random_seed(0)
    model = tied_model()
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    first, second = model([x, x])
    np.testing.assert_array_equal(first, second)
    assert len(model.trainable_variables) == 4 and model.count_params() == 4 * 8 + 8 + 8 * 3 + 3

    for variable in model.variables:
        print(f"{variable.path:28} {tuple(variable.shape)}")
    assert [v.path for v in model.variables] == [
        "encoder/hidden/kernel", "encoder/hidden/bias", "encoder/code/kernel", "encoder/code/bias",
    ]  # fmt: skip

    # A model of one output computes only what that output needs.
    half = keras.Model(model.inputs, model.outputs[0])
    half.predict([x, x], verbose=0)
    model.predict([x, x], verbose=0)
    products = {m.name: m.explain("predict", "optimized").count("matmul") for m in (model, half)}
    print(f"products in the step: both outputs {products['twins']}, one output "
          f"{products[half.name]}")  # fmt: skip
    assert products["twins"] == 2 * products[half.name]

    square = np.eye(4, dtype="float32")
    only_the_first(square, square)
    traced, optimized = (only_the_first.explain(stage) for stage in ("traced", "optimized"))
    assert "exp" in traced and "exp" not in optimized
    print("the step after optimization:")
    print(optimized)
    return model


if __name__ == "__main__":
    main()
