"""A training loop of one's own: gradients capped, or clipped together, before they are applied.

Also: an optimizer limited to some of the variables leaves the others as they are, bit by bit.

    python examples/gradient_processing.py
"""

import numpy as np

import kerasish as keras
from kerasish import layers, ops


def cap_each(gradients, most):
    """Each gradient scaled to a norm of at most `most`."""
    norms = [ops.sqrt(ops.sum(ops.square(g))) for g in gradients]
    return [g * ops.minimum(1.0, most / (n + 1e-12)) for g, n in zip(gradients, norms)]


def clip_together(gradients, most):
    """All gradients scaled by one factor, so that their common norm is at most `most`.

    R. Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013.
    """
    norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in gradients))
    return [g * ops.minimum(1.0, most / (norm + 1e-12)) for g in gradients]


def norm(gradients):
    """The common norm of gradients."""
    return float(np.sqrt(sum(np.sum(np.square(g.numpy())) for g in gradients)))


def main():
    """Train three ways; the last loss of each."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 8)).astype("float32")
    y = np.sin(x.sum(axis=1, keepdims=True)).astype("float32") * 10
    found = {}
    for name, process in {"cap each": cap_each, "clip together": clip_together}.items():
        model = keras.Sequential(
            [layers.Input((8,)), layers.Dense(32, activation="tanh"), layers.Dense(1)]
        )
        optimizer = keras.optimizers.Adam(0.01)
        losses = []
        for _ in range(200):
            with keras.GradientTape() as tape:
                loss = ops.mean(ops.square(model(x) - y))
            gradients = tape.gradient(loss, model.trainable_variables)
            processed = process(gradients, 0.5)
            if process is cap_each:
                assert all(norm([g]) <= 0.5 + 1e-6 for g in processed)
            else:
                assert norm(processed) <= 0.5 + 1e-6
                # One factor for all: the direction stays.
                factor = norm(processed) / norm(gradients)
                for a, b in zip(processed, gradients):
                    np.testing.assert_allclose(a, b * factor, rtol=1e-4, atol=1e-7)
            optimizer.apply_gradients(zip(processed, model.trainable_variables))
            losses.append(float(loss))
        print(f"{name}: loss {losses[0]:.2f} -> {losses[-1]:.2f}")
        assert losses[-1] < 0.7 * losses[0]
        found[name] = losses[-1]

    # Only the last layer is trained: the optimizer gets no other variables.
    first, last = model.layers
    before = [w.copy() for w in first.get_weights()]
    start = last.get_weights()[0].copy()
    optimizer = keras.optimizers.SGD(0.01)
    for _ in range(5):
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(model(x) - y))
        chosen = last.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, chosen), chosen))
    assert all(np.array_equal(a, b) for a, b in zip(before, first.get_weights()))
    assert not np.array_equal(start, last.get_weights()[0])
    print("limited to the last layer: the first one is bit-equal")
    return found


if __name__ == "__main__":
    main()
