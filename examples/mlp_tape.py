"""A 784-300-10 network of plain Variables with GradientTape and Adam.

Random batches of 100 of MNIST's training images; the images arrive as float64 and are cast.
At least 0.97 on the test set after 10 epochs.

    python examples/mlp_tape.py
"""

import numpy as np
from tqdm import tqdm

import kerasish as keras
from kerasish import ops
from kerasish.autodiff import strict_dtypes


def main(epochs=10, batch=100):
    """The accuracy on the test set."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    x, x_test = (v.reshape(-1, 784) / 255.0 for v in (x, x_test))  # float64
    rng = np.random.default_rng(0)
    sizes = [(784, 300), (300, 10)]
    weights = [
        keras.Variable(rng.normal(0, np.sqrt(2 / n), (n, m)).astype("float32"), name=f"W{i}")
        for i, (n, m) in enumerate(sizes)
    ]
    biases = [
        keras.Variable(np.zeros(m, "float32"), name=f"b{i}") for i, (_, m) in enumerate(sizes)
    ]
    variables = weights + biases
    optimizer = keras.optimizers.Adam()
    optimizer.build(variables)

    def logits(images):
        hidden = ops.relu(ops.matmul(images, weights[0]) + biases[0])
        return ops.matmul(hidden, weights[1]) + biases[1]

    with strict_dtypes():
        try:
            ops.matmul(ops.convert_to_tensor(x[:2]), weights[0])
        except TypeError as error:
            print("not cast:", error)
            assert "float64" in str(error) and "float32" in str(error)
        else:
            raise AssertionError("float64 times float32 must be an error under strict_dtypes()")

    @keras.function
    def step(images, labels):
        with keras.GradientTape() as tape:
            cost = ops.mean(
                ops.sparse_categorical_crossentropy(
                    labels, logits(ops.cast(images, "float32")), from_logits=True
                )
            )
        optimizer.apply(tape.gradient(cost, variables), variables)
        return cost

    for epoch in range(epochs):
        costs = []
        for _ in tqdm(range(len(x) // batch), desc=f"epoch {epoch + 1}", disable=None):
            rows = rng.integers(0, len(x), batch)
            costs.append(float(step(x[rows], y[rows])))
        print(f"epoch {epoch + 1}: mean cost {np.mean(costs):.4f}")
    predicted = np.argmax(np.asarray(logits(x_test.astype("float32"))), 1)
    accuracy = float(np.mean(predicted == y_test))
    print(f"test accuracy: {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    main()
