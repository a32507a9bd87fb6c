"""Softmax regression on MNIST, written out: variables, a cost, an optimizer.

`p = softmax(x W + b)`, cost = mean over the batch of `-sum(y log p)`, gradient descent with rate
0.01, batches of 100, 10 epochs over the training images 5,000 to 59,999. The mean cost of the
epochs falls from 1.18 to 0.39; accuracy on the first 3,000 test images 0.873.

    python examples/softmax_regression.py
"""

import numpy as np
from tqdm import tqdm

import kerasish as keras
from kerasish import ops


def load():
    """Training images and one-hot labels, test images and labels."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    x = x.reshape(-1, 784).astype("float32") / 255
    x_test = x_test.reshape(-1, 784).astype("float32") / 255
    return x[5000:], keras.utils.to_categorical(y[5000:], 10).astype("float32"), x_test, y_test


def main(epochs=10, batch=100):
    """Mean cost of each epoch, and the accuracy."""
    x, y, x_test, y_test = load()
    weights = keras.Variable(np.zeros((784, 10), "float32"), name="W")
    bias = keras.Variable(np.zeros(10, "float32"), name="b")
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build([weights, bias])

    @keras.function
    def step(images, labels):
        with keras.GradientTape() as tape:
            p = ops.softmax(ops.matmul(images, weights) + bias)
            cost = ops.mean(-ops.sum(labels * ops.log(p), axis=1))
        optimizer.apply(tape.gradient(cost, [weights, bias]), [weights, bias])
        return cost

    rng = np.random.default_rng(0)
    costs = []
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        starts = tqdm(range(0, len(x), batch), desc=f"epoch {epoch + 1}", disable=None)
        found = [float(step(x[order[i : i + batch]], y[order[i : i + batch]])) for i in starts]
        costs.append(float(np.mean(found)))
        print(f"epoch {epoch + 1}: mean cost {costs[-1]:.4f}")
    predicted = np.argmax(np.asarray(ops.matmul(x_test[:3000], weights) + bias), 1)
    accuracy = float(np.mean(predicted == y_test[:3000]))
    print(f"accuracy on the first 3,000 test images: {accuracy:.4f}")
    return costs, accuracy


if __name__ == "__main__":
    main()
