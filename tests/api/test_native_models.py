"""Models in threads, processes and interrupts: what users do with a model while it trains."""

import contextlib
import copy
import gc
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

HERE = str(Path(__file__).parent)  # scripts import this file
pytestmark = pytest.mark.usefixtures("native")
RNG = np.random.default_rng(5)
X = RNG.normal(size=(320, 40)).astype("float32")
Y = RNG.normal(size=(320, 30)).astype("float32")


def twins(**settings):
    """A model of two equal halves, which stay equal: its first output is 0 at every whole step."""
    inputs = layers.Input((40,))
    halves = [
        layers.Dense(30, use_bias=False, kernel_initializer=keras.initializers.RandomNormal(seed=1))
        for _ in range(2)
    ]
    a, b = (half(inputs) for half in halves)
    model = keras.Model(inputs, [layers.subtract([a, b]), layers.add([a, b])])
    model.compile(**{"optimizer": "adam", "loss": [None, "mse"], **settings})
    return model


def whole(model):
    """Whether all weights are of one step."""
    first, second = model.get_weights()
    return np.array_equal(first, second)


@contextlib.contextmanager
def running(*functions):
    """Each function in a thread until it returns False or the block has ended."""
    ended, failures = threading.Event(), []

    def loop(function):
        try:
            while not ended.is_set() and function() is not False:
                pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=loop, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def run_script(text, *, interrupt=False):
    """The lines that a script prints, which gets SIGINT after its first one if asked for."""
    # The package that this process tests, and not the one that may lie in the working folder.
    package = os.path.dirname(os.path.dirname(keras.__file__))
    path = [HERE, package, *filter(None, [os.environ.get("PYTHONPATH")])]
    # A parent may have left SIGINT ignored.
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", start + textwrap.dedent(text)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )  # fmt: skip
    lines = []
    if interrupt:
        lines.append(process.stdout.readline().strip())
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    try:
        out, error = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        out, error = process.communicate()
        pytest.fail(f"the script hangs: {lines} {out} {error}")
    assert process.returncode == 0, (process.returncode, lines, out, error)
    return lines + out.split("\n")


# -- threads
def test_predict_in_eight_threads_beside_fit():
    model = twins()
    model.fit(X, [Y, Y], verbose=0)
    expected = model.predict(X[:7], verbose=0)[0].shape
    for _ in range(3):
        model(X[:2])  # a program from now on: an eager call reads its weights layer by layer
    counts = [0] * 8

    def predicting(i):
        def once():
            zero, _ = model.predict(X[: 1 + 7 * i], verbose=0)
            assert not zero.any()
            assert not model.predict_on_batch(X[:3])[0].any()
            assert not model(X[:2])[0].numpy().any()
            counts[i] += 1

        return once

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # another thread between most lines
    try:
        with running(
            lambda: model.fit(X, [Y, Y], epochs=3, verbose=0) and None, *map(predicting, range(8))
        ) as threads:
            while min(counts) < 40 and all(t.is_alive() for t in threads):
                time.sleep(0.01)
    finally:
        sys.setswitchinterval(interval)
    assert expected == (7, 30)
    assert whole(model)


def trained(seed, epochs=4):
    model = twins()
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=(40, 30)).astype("float32")] * 2)
    model.fit(X, [Y, Y], epochs=epochs, verbose=0, shuffle=False)
    return model.get_weights()


def test_two_threads_train_two_models():
    expected = [trained(seed) for seed in (1, 2)]
    found = [None, None]

    def training(i):
        def once():
            found[i] = trained(1 + i)
            return False

        return once

    with running(training(0), training(1)) as threads:
        for thread in threads:
            thread.join()
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


def test_copies_made_while_a_model_trains_stay():
    model = twins()
    model.fit(X, [Y, Y], verbose=0)
    kept = []
    with running(lambda: model.fit(X, [Y, Y], epochs=2, verbose=0) and None):
        for _ in range(8):
            twin = copy.deepcopy(model)
            lease = [v.value for v in model.trainable_variables]
            handed = model.get_weights()
            kept.append((twin, twin.get_weights(), lease, [t.numpy() for t in lease], handed,
                         [w.copy() for w in handed]))  # fmt: skip
            time.sleep(0.02)
    for twin, weights, lease, values, handed, same in kept:
        np.testing.assert_array_equal(twin.get_weights(), weights)
        np.testing.assert_array_equal([t.numpy() for t in lease], values)
        np.testing.assert_array_equal(handed, same)
    kept[0][0].fit(X, [Y, Y], verbose=0)
    np.testing.assert_array_equal(kept[1][0].get_weights(), kept[1][1])


# -- interrupts
def test_ctrl_c_ends_a_long_fit_between_two_steps():
    lines = run_script(
        """
        from test_native_models import X, Y, twins, whole
        model = twins()
        model.fit(X, [Y, Y], verbose=0)
        model.fit(X, [Y, Y], verbose=0, epochs=50)
        print("begun", flush=True)
        try:
            model.fit(X, [Y, Y], verbose=0, epochs=100_000_000)
        except KeyboardInterrupt:
            print("interrupted")
        print(whole(model), int(model.optimizer.iterations) > 10 * 51)
        before = int(model.optimizer.iterations)
        model.fit(X, [Y, Y], verbose=0)
        print(whole(model), int(model.optimizer.iterations) - before)
        """,
        interrupt=True,
    )
    assert lines[:4] == ["begun", "interrupted", "True True", "True 10"]


def test_ending_beside_running_threads():
    """Daemon threads run programs when the interpreter goes away."""
    lines = run_script(
        """
        import threading, time
        from test_native_models import X, Y, twins
        model = twins()
        model.fit(X, [Y, Y], verbose=0)
        model.predict(X, verbose=0)
        def training():
            while True:
                model.fit(X, [Y, Y], verbose=0)
        def predicting():
            while True:
                model.predict(X, verbose=0)
        for function in (training, predicting, predicting):
            threading.Thread(target=function, daemon=True).start()
        time.sleep(0.2)
        print("end", flush=True)
        """
    )
    assert lines[0] == "end"


# -- processes
def predict_in_child(model_file, x, queue):
    model = keras.models.load_model(model_file, compile=False)
    queue.put(model.predict(x, verbose=0)[1])


def predict_inherited(x, queue):
    queue.put(_inherited.predict(x, verbose=0)[1])


_inherited = None


def from_child(context, target, *args):
    queue = context.Queue()
    process = context.Process(target=target, args=(*args, queue))
    process.start()
    try:
        return queue.get(timeout=120)
    finally:
        process.join(60)
        assert process.exitcode == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_workers_by_fork_predict(native):
    global _inherited
    native.set_threads(2)
    _inherited = twins()
    _inherited.fit(X, [Y, Y], verbose=0)
    expected = _inherited.predict(X, verbose=0)[1]
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        np.testing.assert_array_equal(from_child(context, predict_inherited, X), expected)
    other = twins()
    with running(lambda: other.fit(X, [Y, Y], verbose=0) and None):
        for _ in range(3):
            np.testing.assert_array_equal(from_child(context, predict_inherited, X), expected)


def test_workers_by_spawn_predict(tmp_path):
    model = twins()
    model.fit(X, [Y, Y], verbose=0)
    file = tmp_path / "twins.keras"
    model.save(file)
    context = multiprocessing.get_context("spawn")
    found = from_child(context, predict_in_child, str(file), X)
    np.testing.assert_array_equal(found, model.predict(X, verbose=0)[1])


# -- the same bits
def weights_after(how, **settings):
    keras.utils.set_random_seed(11)
    model = keras.Sequential(
        [
            layers.Input((40,)), layers.Dense(50, activation="tanh"), layers.Dropout(0.3),
            layers.Dense(30),
        ]
    )  # fmt: skip
    model.compile("adam", "mse", metrics=["mae"], **settings)
    how(model)
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


class EveryBatch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)


def by_batch(model):
    for _ in range(2):
        for i in range(0, len(X), 32):
            model.train_on_batch(X[i : i + 32], Y[i : i + 32])


def by_fit(**options):
    return lambda model: model.fit(X, Y, epochs=2, shuffle=False, verbose=0, **options)


def test_bits_do_not_depend_on_chunks_or_threads(native):
    expected = weights_after(by_fit())
    ways = [
        (by_batch, {}), (by_fit(callbacks=[EveryBatch()]), {}),
        (by_fit(), {"steps_per_execution": 3}), (by_fit(callbacks=[EveryBatch()]), {}),
    ]  # fmt: skip
    for threads in (1, 2, 3):
        native.set_threads(threads)
        for how, settings in [*ways, (by_fit(), {})] if threads != 2 else [(by_fit(), {})]:
            for a, b in zip(weights_after(how, **settings), expected):
                np.testing.assert_array_equal(a, b)


# -- what is kept
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_over_models(native):
    def one():
        model = keras.Sequential([layers.Input((500,)), layers.Dense(1000), layers.Dense(30)])
        model.compile("adam", "mse")
        model.train_on_batch(np.zeros((8, 500), "float32"), Y[:8])
        model.predict(np.zeros((8, 500), "float32"), verbose=0)

    def several(count):
        for _ in range(count):
            one()
        keras.utils.clear_session()
        gc.collect()
        return resident()

    # What the allocator keeps for itself may grow once or twice; a leak grows every time. One
    # model's weights and slots are 6 MB.
    sizes = [several(40) for _ in range(4)]
    assert min(b - a for a, b in itertools.pairwise(sizes)) < 20 * 2**20


def test_programs_are_bounded_and_models_make_no_noise():
    model = twins()
    for n in range(1, 70):
        model.predict(X[:n], verbose=0)
    assert len(model._steps["predict_step"]._entries) <= 64
    model.fit(X[:33], [Y[:33], Y[:33]], verbose=0)
    assert len(model._steps["train_step"]._entries) == 2
    model.fit(X[:33], [Y[:33], Y[:33]], verbose=0)
    assert len(model._steps["train_step"].retraces) == 1
