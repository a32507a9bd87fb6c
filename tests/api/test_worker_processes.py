"""Batches made by other processes: `PyDataset(workers=n, use_multiprocessing=True)`."""

import contextlib
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers
from kerasish.training import worker_processes
from kerasish.training.pydataset import batches_of

ROWS = 4


class Rows(keras.utils.PyDataset):
    """Batch i of epoch e: rows of i, of e and of the process that made it."""

    def __init__(self, count=12, **options):
        super().__init__(**options)
        self.count, self.epoch = count, 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        time.sleep(0.005)  # so that one worker can't make them all
        facts = [index, self.epoch, os.getpid()]
        return np.tile(np.array(facts, "float64"), (ROWS, 1)), np.full((ROWS, 1), index / 10)

    def on_epoch_end(self):
        self.epoch += 1


class Broken(Rows):
    """Batch 3 fails."""

    def __init__(self, error, **options):
        super().__init__(workers=2, use_multiprocessing=True, **options)
        self.error = error

    def __getitem__(self, index):
        if index == 3:
            self.error()
        return super().__getitem__(index)


class Draws(Rows):
    """Batches of random numbers."""

    def __getitem__(self, index):
        time.sleep(0.005)
        return np.random.rand(ROWS, 3)


class TwoArguments(Exception):
    """Can be pickled, but not read back."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


@pytest.fixture(autouse=True)
def no_worker_is_left():
    yield
    assert multiprocessing.active_children() == []


@pytest.fixture(params=["fork", "spawn"])
def method(request, monkeypatch):
    if request.param not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {request.param} here")
    context = multiprocessing.get_context(request.param)
    monkeypatch.setattr(worker_processes, "_context", lambda: context)
    return request.param


def test_batches_come_in_order_from_several_processes(method):
    found = np.concatenate(
        [x for x, _ in batches_of(Rows(20, workers=2, use_multiprocessing=True))]
    )
    expected = np.concatenate([x for x, _ in batches_of(Rows(20, workers=2))])
    np.testing.assert_array_equal(found[:, :2], expected[:, :2])
    assert set(expected[:, 2]) == {os.getpid()}
    assert len(set(found[:, 2])) == 2 and os.getpid() not in found[:, 2]


def trained(**options):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [layers.Input((3,)), layers.Rescaling([1.0, 1.0, 0.0]), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    data = Rows(**options)
    history = model.fit(data, epochs=2, validation_data=Rows(5, **options), verbose=0)
    assert data.epoch == 2
    loss = model.evaluate(data, verbose=0)
    assert data.epoch == 3
    return [*model.get_weights(), *history.history.values(), loss, model.predict(data, verbose=0)]


def test_training_is_that_of_threads():
    """Workers also see what `on_epoch_end` did: batches hold the epoch."""
    expected = trained()
    for options in ({"workers": 2}, {"workers": 2, "use_multiprocessing": True},
                    {"workers": 1, "use_multiprocessing": True, "max_queue_size": 1}):  # fmt: skip
        for a, b in zip(trained(**options), expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_under_load():
    """Large batches faster than the model takes them, in several passes at once."""

    class Large(keras.utils.PyDataset):
        def __len__(self):
            return 40

        def __getitem__(self, index):
            x = np.full((64, 1000), index, "float32")
            return x, x[:, :1]

    options = {"workers": 3, "use_multiprocessing": True, "max_queue_size": 5}
    first, second = (batches_of(Large(**options)) for _ in range(2))
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    for index, ((x, _), (other, _)) in enumerate(zip(first, second, strict=True)):
        assert (x == index).all() and (other == index).all() and x.shape == (64, 1000)
        x += 1  # it is the caller's own
        if index % 8 == 0:
            assert model.predict(Large(**options), verbose=0).shape == (40 * 64, 1)


def test_random_draws_differ_and_can_be_repeated(monkeypatch):
    found = []
    for _ in range(2):
        monkeypatch.setattr(worker_processes, "_passes", itertools.count())
        np.random.seed(5)
        data = Draws(8, workers=2, use_multiprocessing=True)
        found.append(np.stack([*batches_of(data), *batches_of(data)]))
    np.testing.assert_array_equal(found[0], found[1])
    assert len(np.unique(found[0])) == found[0].size, "workers or epochs drew the same numbers"


def fail():
    raise ZeroDivisionError("batch of nothing")


def fail_beyond_pickling():
    raise TwoArguments("one", "two")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    "method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)], indirect=True
)
def test_errors_come_with_the_traceback_of_the_worker(method):
    with pytest.raises(ZeroDivisionError, match="batch of nothing") as caught:
        list(batches_of(Broken(fail)))
    text = str(caught.value.__cause__)
    assert "in fail\n" in text and 'raise ZeroDivisionError("batch of nothing")' in text
    with pytest.raises(RuntimeError, match="TwoArguments: one and two"):
        list(batches_of(Broken(fail_beyond_pickling)))


def test_a_worker_that_died_is_said():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match=r"exit code -9\) when it was to make batch 3"):
        model.fit(Broken(die), verbose=0)


def test_stopping_early_ends_the_workers():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(Rows(50, workers=2, use_multiprocessing=True), callbacks=[Stop()], verbose=0)
    assert multiprocessing.active_children() == []
    model.fit(Rows(50, workers=2, use_multiprocessing=True), steps_per_epoch=3, epochs=2, verbose=0)


def test_a_data_set_that_cannot_be_sent(monkeypatch):
    context = multiprocessing.get_context("spawn")
    monkeypatch.setattr(worker_processes, "_context", lambda: context)
    data = Rows(workers=2, use_multiprocessing=True)
    data.function = lambda: None
    with pytest.raises(TypeError, match=r"start by spawn here.*Rows can't be pickled"):
        next(batches_of(data))


SCRIPT = """
    import os, signal, time
    import numpy as np
    import kerasish as keras

    class Slow(keras.utils.PyDataset):
        def __len__(self):
            return 1000

        def __getitem__(self, index):
            if index > 3:
                os.write(1, f"asked {os.getpid()}\\n".encode())  # at once: two of them write
                time.sleep(60)
            return np.ones((2, 3)), np.ones((2, 1))

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    try:
        model.fit(Slow(workers=2, use_multiprocessing=True), verbose=0)
    finally:
        print("left", flush=True)
"""


def is_running(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
@pytest.mark.parametrize("whom", ["group", "parent"])
def test_ctrl_c_leaves_no_worker(whom, tmp_path):
    """A program without `if __name__ == "__main__"`, interrupted while its workers are busy."""
    script = tmp_path / "slow.py"
    script.write_text(textwrap.dedent(SCRIPT))
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    with process:
        try:
            workers = {int(process.stdout.readline().split()[1]) for _ in range(2)}
            assert len(workers) == 2 and all(map(is_running, workers))
            (os.killpg if whom == "group" else os.kill)(process.pid, signal.SIGINT)
            out, error = process.communicate(timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert out == "left\n" and error.rstrip().endswith("KeyboardInterrupt")
    assert error.count("Traceback") == 1, "workers are silent"
    assert not any(map(is_running, workers))
