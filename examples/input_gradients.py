"""Gradients with respect to the input: saliency maps, and Keras 2's `K.gradients`, `K.function`.

A small convolutional network learns the 8 x 8 digits. Then the gradient of its loss, and of an
output D(x), with respect to a batch of 64 pictures, by a tape and as `K.gradients` of a functional
model, which must be equal. The absolute gradient of a digit's own score shows which pixels matter:
`input_gradients.png`.

K. Simonyan et al., "Deep Inside Convolutional Networks", ICLR 2014 workshop.

    python examples/input_gradients.py
"""

import numpy as np
from sklearn.datasets import load_digits

import kerasish as keras
from kerasish import backend as K
from kerasish import layers, ops


def build_model():
    """Pictures to logits."""
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def by_tape(model, x, labels):
    """The gradients of the loss, and of each picture's own score, by the pictures."""
    x = ops.convert_to_tensor(x)
    with keras.GradientTape(persistent=True) as tape:
        tape.watch(x)
        logits = model(x)
        loss = ops.mean(
            keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        )
        score = ops.sum(logits * ops.one_hot(labels, 10))
    return tape.gradient(loss, x).numpy(), tape.gradient(score, x).numpy()


def by_functions(model, x, labels):
    """The same in the way of Keras 2: symbolic gradients, then a function that computes them."""
    target = layers.Input((), dtype="int32")
    logits = model.output
    loss = K.mean(keras.losses.sparse_categorical_crossentropy(target, logits, from_logits=True))
    score = K.sum(logits * K.one_hot(target, 10))
    inputs = model.input
    gradients = [K.gradients(loss, inputs)[0], K.gradients(score, inputs)[0]]
    return [np.asarray(g) for g in K.function([inputs, target], gradients)([x, labels])]


def draw(x, maps, path):
    """Pictures above their saliency maps."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 8, figsize=(9, 2.5))
    for i in range(8):
        for axis, picture, colours in ((axes[0, i], x[i], "gray"), (axes[1, i], maps[i], "hot")):
            axis.imshow(picture[..., 0], cmap=colours)
            axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(path="input_gradients.png"):
    """Train, compare both ways; the largest difference."""
    keras.utils.set_random_seed(0)
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).reshape(-1, 8, 8, 1).astype("float32")
    model = build_model()
    model.compile(
        keras.optimizers.Adam(3e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(x[64:], y[64:], epochs=8, verbose=0).history
    batch, labels = x[:64], y[:64].astype("int32")
    first, second = by_tape(model, batch, labels), by_functions(model, batch, labels)
    gap = max(float(np.abs(a - b).max()) for a, b in zip(first, second))
    print(f"accuracy {history['accuracy'][-1]:.3f}; tape and K.gradients differ by {gap:.1e}")
    assert first[0].shape == batch.shape and np.abs(first[0]).max() > 0 and gap < 1e-5

    # A small step along the gradient raises each picture's own score.
    def own(pictures):
        return model.predict(pictures, verbose=0)[np.arange(64), labels]

    raised = own(batch + 0.01 * first[1]) > own(batch)
    assert raised.all()
    draw(batch, np.abs(first[1]), path)
    return gap


if __name__ == "__main__":
    main()
