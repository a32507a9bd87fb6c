"""What `test_data_parallel.py` runs, alone and under `mpirun`: the same program.

Each case trains a model; every process writes its weights, logs and predictions to a file.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import cuda_host
import standin_cupy
import standin_nccl

import kerasish
import kerasish_core as core
from kerasish import layers, ops
from kerasish.distribution.mpi import connect, launched
from kerasish_core.executors import native
from kerasish_core.executors.cuda.program import CudaProgram

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype("float32")
Y = RNG.integers(0, 3, 50)
IMAGES = RNG.normal(size=(24, 8, 8, 2)).astype("float32")
TEXTS = RNG.integers(1, 9, (30, 7))
TEXTS[:, 4:] *= RNG.integers(0, 2, (30, 1))  # 0 is masked


def dense(**compiled):
    model = kerasish.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(16, "tanh", kernel_regularizer="l2", activity_regularizer="l1"),
            layers.BatchNormalization(momentum=0.8),
            layers.Dropout(0.3),
            layers.GaussianNoise(0.1),
            layers.Dense(3, "softmax"),
        ]
    )
    options = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy"}
    model.compile(**options | {"metrics": ["accuracy"]} | compiled)
    return model


def fitted(**compiled):
    """Whole batches, a last one that can't be halved, validation, class weights."""
    model = dense(**compiled)
    history = model.fit(
        X, Y, batch_size=15, epochs=3, verbose=0, validation_data=(X[:9], Y[:9]),
        class_weight={0: 2.0, 1: 1.0, 2: 0.5},
    ).history  # fmt: skip
    found = model.evaluate(X[:21], Y[:21], batch_size=7, verbose=0)
    return model, [*history.values(), found, model.predict(X, verbose=0)]


def simple():
    model = kerasish.Sequential(
        [layers.Input((6,)), layers.Dense(5, "tanh"), layers.BatchNormalization(),
         layers.Dropout(0.3), layers.Dense(3, "softmax")]
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X[:30], Y[:30], batch_size=10, epochs=2, verbose=0).history
    return model, [*history.values(), model.predict(X, verbose=0)]


def eagerly():
    return fitted(run_eagerly=True)


def one_row_left():
    """25 rows in batches of 8: the last batch has fewer rows than there are processes."""
    model = dense()
    history = model.fit(X[:25], Y[:25], batch_size=8, epochs=2, verbose=0).history
    return model, list(history.values())


def images():
    model = kerasish.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.SpatialDropout2D(0.2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse", metrics=["mae", "r2_score"])
    y = RNG.normal(size=(24, 2)).astype("float32")
    logs = [model.train_on_batch(IMAGES[i::3], y[i::3]) for i in range(3)]
    logs.append(model.test_on_batch(IMAGES, y))
    return model, logs


def masked():
    """Masks and sample weights differ from process to process; moments leave masked rows out."""
    model = kerasish.Sequential(
        [
            layers.Input((7,)),
            layers.Embedding(9, 4, mask_zero=True),
            layers.LSTM(5, return_sequences=True, dropout=0.2),
            layers.BatchNormalization(),
            layers.Dense(3),
        ]
    )
    loss = kerasish.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("rmsprop", loss, weighted_metrics=["sparse_categorical_accuracy"])
    weights = RNG.uniform(0.1, 2.0, (30, 7)).astype("float32")
    history = model.fit(
        TEXTS, TEXTS % 3, sample_weight=weights, batch_size=10, epochs=2, verbose=0
    ).history
    return model, list(history.values())


def several_outputs():
    x = layers.Input((6,))
    h = layers.Dense(8, "relu")(x)
    heads = {"a": layers.Dense(1, name="a")(h), "b": layers.Dense(4, "sigmoid", name="b")(h)}
    model = kerasish.Model(x, heads)
    sums = kerasish.losses.MeanSquaredError(reduction="sum")
    model.compile(
        kerasish.optimizers.SGD(0.01, global_clipnorm=0.5),
        {"a": sums, "b": kerasish.losses.Dice()},
        metrics={"b": ["auc", "cosine_similarity"], "a": ["mae"]},
    )
    y = {"a": X[:, :1], "b": (X[:, 1:5] > 0).astype("float32")}
    history = model.fit(X, y, batch_size=20, epochs=2, verbose=0, shuffle=False).history
    return model, [history[k] for k in sorted(history)]


class OwnStep(kerasish.Model):
    """A step as a user writes it, with its own metric and a penalty added in `call`."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, activation="softmax")
        self.mean = kerasish.metrics.Mean(name="own")

    def call(self, x, training=False):
        y = self.dense(x)
        self.add_loss(0.1 * ops.mean(ops.square(y)))
        return y

    def train_step(self, data):
        x, y = data
        with kerasish.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.mean.update_state(ops.max(x, axis=1))
        return {"own": self.mean.result()}


def own_step():
    model = OwnStep()
    model.compile(kerasish.optimizers.Adam(0.01, gradient_accumulation_steps=2),
                  "sparse_categorical_crossentropy")  # fmt: skip
    history = model.fit(X[:48], Y[:48], batch_size=16, epochs=2, verbose=0).history
    return model, list(history.values())


def half():
    kerasish.config.set_dtype_policy("mixed_float16")
    # A scale at which nothing overflows: a process's part of the gradient would do so sooner.
    sgd = kerasish.optimizers.SGD()
    model = dense(optimizer=kerasish.optimizers.LossScaleOptimizer(sgd, initial_scale=64.0))
    kerasish.config.set_dtype_policy("float32")
    history = model.fit(X[:48], Y[:48], batch_size=16, epochs=2, verbose=0).history
    return model, list(history.values())


class Batches(kerasish.utils.PyDataset):
    """Batches made in Python, in random order."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[12 * i : 12 * i + 12], Y[12 * i : 12 * i + 12]


def made_in_python():
    model = dense()
    history = model.fit(Batches(), epochs=2, verbose=0, shuffle=True).history
    return model, list(history.values())


def own_parts():
    """Each process is given its part of every batch."""
    found = kerasish.distribution.distribution()
    found.auto_shard_dataset = False
    mine, count = core.communicator().rank, core.communicator().size
    step = 12 // count
    rows = np.concatenate([
        np.arange(start + mine * step, start + (mine + 1) * step) for start in range(0, 48, 12)
    ])  # fmt: skip
    model = dense()
    history = model.fit(
        X[rows], Y[rows], batch_size=step, epochs=2, verbose=0, shuffle=False
    ).history
    return model, list(history.values())


CASES = {
    f.__name__: f
    for f in (
        simple, fitted, eagerly, one_row_left, images, masked, several_outputs, own_step, half,
        made_in_python, own_parts,
    )
}  # fmt: skip


def run(folder, names):
    for name in names.split(","):
        case = CASES[name]
        kerasish.utils.clear_session()
        # The first process's seed counts, whatever the others have.
        kerasish.utils.set_random_seed(1 + 17 * core.communicator().rank)
        strategy = kerasish.distribution.DataParallel()
        with strategy.scope():
            model, logs = case()
        rank = core.communicator().rank
        flat = [np.asarray(x, "float64") for x in core.tree.flatten(logs)]
        state = [v.numpy().astype("float64") for v in model.variables]
        np.savez(Path(folder) / f"{name}.{rank}.npz", *state, *flat)


def world_of_gpus():
    """NCCL's stand-in sums by MPI."""
    from mpi4py import MPI

    def total(array):
        found = np.empty_like(array)
        MPI.COMM_WORLD.Allreduce(array, found)
        return found

    standin_nccl.SUM = total


def on_gpus(folder, names):
    """The cases over CuPy's stand-in: each process has the GPU of its number on this machine."""
    world_of_gpus()
    with standin_cupy.installed(), core.device_scope("gpu"):
        assert core.current_device() == f"gpu:{core.config.local_rank()}"
        run(folder, names)
    # One process sums nothing.
    assert bool(standin_nccl.CALLS) == (core.communicator().size > 1)


def as_cuda(folder, names):
    """The cases as CUDA programs, their kernels' text run on the host."""
    world_of_gpus()
    made = []

    def compiled(graph, *rest):
        made.append(CudaProgram(graph, *rest, cuda_host.HostBackend()))
        return made[-1]

    with standin_cupy.installed():
        if launched() > 1:
            connect()  # on the host; the programs sum by NCCL all the same
            with core.device_scope("gpu"):
                sums = core.connect_gpus(core.communicator())
            core.communicator().on_device = lambda: sums
        native.compiled, native.available = compiled, lambda: True
        run(folder, names)
    outside = [s.node.op.name for p in made for s in p.instructions if s.node is not None]
    assert made and outside == [], outside
    text = "".join(p.explain_kernels() for p in made)
    assert ("all_reduce(" in text) == (core.communicator().size > 1)


def fail():
    """One process ends with an exception while the other waits for it."""
    with kerasish.distribution.DataParallel().scope():
        model = dense()
        if core.communicator().rank == 1:
            raise RuntimeError("this process has a mistake")
        model.fit(X, Y, verbose=0)


def differ():
    """Processes that would make different numbers of steps."""
    with kerasish.distribution.DataParallel(auto_shard_dataset=False).scope():
        model = dense()
        count = 20 + 20 * core.communicator().rank
        try:
            model.fit(X[:count], Y[:count], batch_size=10, verbose=0)
        except ValueError as error:
            print(f"said: {error}")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    rooms = {"run": run, "on_gpus": on_gpus, "as_cuda": as_cuda, "fail": fail, "differ": differ}
    rooms[what](*rest)
