"""Side-by-side training benchmark: the same Keras script on any Keras-compatible package.

One implementation, in this interpreter (JSON lines on stdout):

    python workloads.py run --impl kerasish [--only mlp_mnist,lstm_imdb]

Several side by side, interleaved round by round so that a drifting machine hits all alike
(each peer is LABEL=PYTHON:IMPL[:KERAS_BACKEND]; the first one is the one under test):

    python workloads.py compare ours=python:kerasish jax=PEER/bin/python:keras:jax \\
        torch=PEER/bin/python:keras:torch --json figures.json

Figures are milliseconds per training step (or per call), the best of the timed rounds; `cold_s` is
the time from the start of the process to the end of a first fit of two batches, import and
compilation included. `x` columns are peer / first: above 1 the first one is faster. Every workload
is one a user writes: `fit`, `train_on_batch`, `predict`, `predict_on_batch`, a plain call.

All of them must be installed by pip, which compiles modules to bytecode: a checkout run where
Python may not write bytecode compiles all of its modules at each start.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import time

START = time.perf_counter()  # NumPy and everything after it count as cold start

import numpy as np

WORKLOADS = {}


def workload(function):
    WORKLOADS[function.__name__] = function
    return function


def best_ms(call, steps, rounds=3):
    """Best time per step, in ms, of `rounds` calls that make `steps` steps each."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3 / steps)
    return min(times)


def timed_fit(model, x, y, batch_size, steps):
    n = batch_size * steps
    model.fit(x[: 2 * batch_size], y[: 2 * batch_size], batch_size=batch_size, epochs=1, verbose=0)
    cold = time.perf_counter() - START
    model.fit(x[:n], y[:n], batch_size=batch_size, epochs=1, verbose=0)
    step = best_ms(
        lambda: model.fit(x[:n], y[:n], batch_size=batch_size, epochs=1, verbose=0), steps
    )
    return {"step_ms": step, "cold_s": cold}


def rng():
    return np.random.default_rng(0)


@workload
def tabular_fit(keras):
    """Small MLP on a table, batch 32: dominated by the framework's own overhead."""
    L = keras.layers
    model = keras.Sequential(
        [keras.Input((32,)), L.Dense(64, "relu"), L.Dense(64, "relu"), L.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    x = rng().normal(size=(32 * 200, 32)).astype("float32")
    y = rng().normal(size=(32 * 200, 1)).astype("float32")
    return timed_fit(model, x, y, 32, 200)


@workload
def mlp_mnist(keras):
    """784-512-512-10 with dropout, batch 128, Adam: products and a large update of weights."""
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((784,)),
            L.Dense(512, "relu"),
            L.Dropout(0.2),
            L.Dense(512, "relu"),
            L.Dropout(0.2),
            L.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x = rng().random((128 * 40, 784), dtype="float32")
    y = np.eye(10, dtype="float32")[rng().integers(0, 10, 128 * 40)]
    return timed_fit(model, x, y, 128, 40)


@workload
def convnet_mnist(keras):
    """Two 3x3 convolutions with pooling, batch 128: the first convnet of every course."""
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(32, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(64, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x = rng().random((128 * 8, 28, 28, 1), dtype="float32")
    y = np.eye(10, dtype="float32")[rng().integers(0, 10, 128 * 8)]
    return timed_fit(model, x, y, 128, 8)


@workload
def resnet20_cifar(keras):
    """ResNet-20 on 32x32x3, batch 64: 3x3 convolutions and batch normalization."""
    L = keras.layers

    def conv_bn(x, filters, stride=1, relu=True):
        x = L.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        x = L.BatchNormalization()(x)
        return L.Activation("relu")(x) if relu else x

    inputs = keras.Input((32, 32, 3))
    x = conv_bn(inputs, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage and not block else 1
            y = conv_bn(x, filters, stride)
            y = conv_bn(y, filters, relu=False)
            if stride == 2:
                x = L.Conv2D(filters, 1, stride, padding="same", use_bias=False)(x)
            x = L.Activation("relu")(L.add([x, y]))
    outputs = L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    x = rng().random((64 * 4, 32, 32, 3), dtype="float32")
    y = rng().integers(0, 10, (64 * 4, 1))
    return timed_fit(model, x, y, 64, 4)


@workload
def lstm_imdb(keras):
    """Embedding and LSTM(128) over 80 steps, batch 32: a recurrent loop."""
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((80,), dtype="int32"),
            L.Embedding(20000, 128),
            L.LSTM(128),
            L.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x = rng().integers(0, 20000, (32 * 8, 80)).astype("int32")
    y = rng().integers(0, 2, (32 * 8, 1)).astype("float32")
    return timed_fit(model, x, y, 32, 8)


@workload
def transformer_text(keras):
    """Two pre-norm transformer blocks of width 128 over 128 tokens, batch 16."""
    L = keras.layers
    tokens = keras.Input((128,), dtype="int32")
    x = L.Embedding(8000, 128)(tokens)
    for _ in range(2):
        h = L.LayerNormalization()(x)
        x = L.add([x, L.MultiHeadAttention(4, 32)(h, h)])
        h = L.LayerNormalization()(x)
        x = L.add([x, L.Dense(128)(L.Dense(256, "gelu")(h))])
    outputs = L.Dense(8, "softmax")(L.GlobalAveragePooling1D()(x))
    model = keras.Model(tokens, outputs)
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    x = rng().integers(0, 8000, (16 * 8, 128)).astype("int32")
    y = rng().integers(0, 8, (16 * 8,))
    return timed_fit(model, x, y, 16, 8)


@workload
def actor_critic(keras):
    """CartPole-sized actor-critic: advantages in y_true, train_on_batch, predict of one state."""
    L, ops = keras.layers, keras.ops
    state = keras.Input((4,))
    h = L.Dense(64, "relu")(L.Dense(64, "relu")(state))
    model = keras.Model(
        state, {"value": L.Dense(1, name="value")(h), "policy": L.Dense(2, name="policy")(h)}
    )

    def policy_loss(y_true, logits):
        actions, advantages = ops.cast(y_true[:, 0], "int32"), y_true[:, 1]
        log_prob = ops.log_softmax(logits)
        taken = ops.sum(ops.one_hot(actions, 2) * log_prob, axis=-1)
        entropy = -ops.sum(ops.exp(log_prob) * log_prob, axis=-1)
        return -taken * advantages - 0.05 * entropy

    model.compile(
        keras.optimizers.RMSprop(1e-3),
        {"value": "mse", "policy": policy_loss},
        loss_weights={"value": 0.5, "policy": 1.0},
    )
    g = rng()
    x = g.normal(size=(64, 4)).astype("float32")
    y = {
        "value": g.normal(size=(64, 1)).astype("float32"),
        "policy": np.stack([g.integers(0, 2, 64), g.normal(size=64)], 1).astype("float32"),
    }
    one = x[:1]
    model.train_on_batch(x, y)
    cold = time.perf_counter() - START

    def repeat(call, n):
        def body():
            for _ in range(n):
                call()

        body()
        return best_ms(body, n)

    def array(outputs):
        return {k: ops.convert_to_numpy(v) for k, v in outputs.items()}

    return {
        "cold_s": cold,
        "step_ms": repeat(lambda: model.train_on_batch(x, y), 100),
        "predict_on_batch_ms": repeat(lambda: model.predict_on_batch(one), 100),
        "call_ms": repeat(lambda: array(model(one)), 100),
        "predict_ms": repeat(lambda: model.predict(one, verbose=0), 15),
    }


def run(impl, only):
    start = time.perf_counter()
    keras = importlib.import_module(impl)
    print(json.dumps({"workload": "import", "import_s": time.perf_counter() - start}), flush=True)
    for name, function in WORKLOADS.items():
        if only and name not in only:
            continue
        keras.utils.set_random_seed(0)
        try:
            result = function(keras)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:300]}
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"workload": name, **result}), flush=True)


def compare(peers, only, rounds):
    parsed = []
    for peer in peers:
        label, spec = peer.split("=", 1)
        python, impl, *backend = spec.split(":")
        parsed.append((label, python, impl, backend[0] if backend else ""))
    names = only or list(WORKLOADS)
    best = {}
    for _ in range(rounds):
        for (
            name
        ) in names:  # one process per workload and peer: peak memory and first fit stay its own
            for label, python, impl, backend in parsed:
                env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONWARNINGS="ignore")
                if backend:
                    env["KERAS_BACKEND"] = backend
                command = [python, __file__, "run", "--impl", impl, "--only", name]
                done = subprocess.run(command, env=env, capture_output=True, text=True)
                if done.returncode:
                    best.setdefault((name, "error"), {})[label] = done.stderr.strip().splitlines()[
                        -1:
                    ]
                for line in done.stdout.splitlines():
                    if not line.startswith("{"):
                        continue
                    record = json.loads(line)
                    where = record.pop("workload")
                    for figure, value in record.items():
                        cell = best.setdefault((where, figure), {})
                        if isinstance(value, str):
                            cell[label] = value
                        elif not isinstance(cell.get(label), str):
                            cell[label] = min(value, cell.get(label, value))
    labels = [p[0] for p in parsed]
    print(
        f"{'workload':18} {'figure':20} "
        + " ".join(f"{l:>12}" for l in labels)
        + "   "
        + " ".join(f"x {l:>9}" for l in labels[1:])
    )
    for (where, figure), cell in best.items():
        row = [cell.get(l) for l in labels]
        shown = " ".join(
            f"{v:12.3f}" if isinstance(v, float) else f"{str(v)[:12]:>12}" for v in row
        )
        ratios = " ".join(
            f"{v / row[0]:11.2f}"
            if isinstance(v, float) and isinstance(row[0], float) and row[0]
            else " " * 11
            for v in row[1:]
        )
        print(f"{where:18} {figure:20} {shown}   {ratios}")
    return {f"{w}/{f}": c for (w, f), c in best.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run")
    one.add_argument("--impl", default="kerasish")
    one.add_argument("--only", default="")
    many = commands.add_parser("compare")
    many.add_argument("peers", nargs="+")
    many.add_argument("--only", default="")
    many.add_argument("--rounds", type=int, default=2)
    many.add_argument("--json", default="")
    args = parser.parse_args()
    only = [n for n in args.only.split(",") if n]
    if args.command == "run":
        run(args.impl, only)
        return
    result = compare(args.peers, only, args.rounds)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(result, f, indent=1)


if __name__ == "__main__":
    main()
