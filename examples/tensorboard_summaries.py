"""Summaries for TensorBoard, written without TensorFlow: scalars, histograms and the graph.

During training the kernel of the first layer is watched: its mean, standard deviation, least and
greatest value as scalars, all of its values as a histogram. Afterwards TensorBoard's own reader
(`pip install '.[tensorboard]'`) reads every value back. Look at them with

    tensorboard --logdir logs

    python examples/tensorboard_summaries.py
"""

import pathlib

import numpy as np
from sklearn.datasets import load_digits

import kerasish as keras
from kerasish import layers, summary


class Watch(keras.callbacks.Callback):
    """Writes statistics of a variable after each epoch, and keeps them."""

    def __init__(self, folder, variable):
        super().__init__()
        self.writer, self.variable = summary.create_file_writer(folder), variable
        self.written = {}

    def on_epoch_end(self, epoch, logs=None):
        values = self.variable.numpy()
        figures = {
            "mean": values.mean(), "stddev": values.std(), "min": values.min(),
            "max": values.max(), "loss": logs["loss"],
        }  # fmt: skip
        with self.writer.as_default():
            for name, figure in figures.items():
                summary.scalar(f"kernel/{name}", figure, epoch)
                self.written[f"kernel/{name}", epoch] = float(figure)
            summary.histogram("kernel", values, epoch)
            self.written["kernel", epoch] = values
            if epoch == 0:
                summary.graph(self.model)


def read_back(folder):
    """Every value that TensorBoard's reader finds, by name and step, and what plugin shows it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    reader = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    reader.Reload()
    found = {}
    for tag in reader.Tags()["tensors"]:
        for event in reader.Tensors(tag):
            found[tag, event.step] = tensor_util.make_ndarray(event.tensor_proto)
    return found


def main(folder="logs"):
    """Train, write, read back; how many values were compared."""
    keras.utils.set_random_seed(0)
    x, y = load_digits(return_X_y=True)
    model = keras.Sequential(
        [layers.Input((64,)), layers.Dense(32, activation="relu"), layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    watch = Watch(pathlib.Path(folder), model.layers[0].kernel)
    model.fit(x / 16.0, y, epochs=5, verbose=0, callbacks=[watch])

    found = read_back(folder)
    for (name, step), value in watch.written.items():
        if name == "kernel":  # rows of left edge, right edge, count
            edges = found[name, step]
            assert edges[:, 2].sum() == value.size
            np.testing.assert_allclose(edges[0, 0], value.min(), rtol=1e-6)
            np.testing.assert_allclose(edges[-1, 1], value.max(), rtol=1e-6)
            counts, _ = np.histogram(value, np.append(edges[:, 0], edges[-1, 1]))
            assert np.abs(counts - edges[:, 2]).sum() <= 2  # values on an edge
        else:
            np.testing.assert_allclose(found[name, step], value, rtol=1e-6)
    graph = found["keras", 0].item().decode()
    assert all(layer.name in graph for layer in model.layers)
    print(f"TensorBoard's reader found all {len(watch.written)} values and the graph in {folder}")
    return len(watch.written)


if __name__ == "__main__":
    main()
