"""One process that trains on two GPUs, over stand-ins, equals one that trains on the CPU."""

import gc
import threading
import time

import numpy as np
import parallel_program
import pytest
import standin_cuda
import standin_cupy
import standin_nccl

import kerasish
import kerasish_core as core
from kerasish import shard
from kerasish.distribution import DataParallel, set_distribution
from kerasish_core import replicas
from kerasish_core.executors.cuda import homes

TIGHT, LOOSE = 2e-5, 5e-3
# `own_parts` is for processes, each of which is given its own data.
PROGRAMS = [name for name in parallel_program.CASES if name != "own_parts"]


@pytest.fixture
def gpus(gpu, monkeypatch):
    monkeypatch.setattr(standin_nccl, "SUM", standin_nccl.of_threads)
    monkeypatch.setattr(standin_nccl, "CALLS", [])
    replicas.replicas_on.cache_clear()
    yield gpu
    replicas.replicas_on.cache_clear()
    set_distribution(None)


def outcome(name, distribution=None):
    kerasish.utils.clear_session()
    kerasish.utils.set_random_seed(1)
    parallel_program.RNG = np.random.default_rng(5)
    set_distribution(distribution)
    model, logs = parallel_program.CASES[name]()
    set_distribution(None)
    flat = [np.asarray(x, "float64") for x in core.tree.flatten(logs)]
    return model, [v.numpy().astype("float64") for v in model.variables] + flat


def compare(name):
    with core.device_scope("cpu"):
        _, alone = outcome(name)
    model, together = outcome(name, DataParallel())
    tolerance = LOOSE if name == "half" else TIGHT
    assert len(alone) == len(together) > 3
    for i, (a, b) in enumerate(zip(alone, together, strict=True)):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance, err_msg=f"{name} {i}")
    return model


def test_two_gpus_are_as_one_device(gpus):
    model = compare("simple")
    assert standin_nccl.CALLS and standin_cuda.LAUNCHED.count("graph") > 4
    text = model.explain("train", "kernels")
    assert "numbers of 2" in text and "generic" not in text
    assert all(v.value.device == "gpu:0" for v in model.variables)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "simple"])
def test_programs_on_two_gpus(gpus, name):
    compare(name)
    assert bool(standin_nccl.CALLS) == (name != "eagerly")


def model_of_one():
    model = kerasish.Sequential([kerasish.Input((6,)), kerasish.layers.Dense(3, name="out")])
    model.compile(kerasish.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


X = parallel_program.X[:12]
Y = X[:, :3] * 2


def test_copies_follow_what_others_write(gpus):
    """Weights set by hand, an optimizer's state, and a batch too short to be cut."""
    found = []
    for where, distribution in (("cpu", None), ("gpu", DataParallel())):
        with core.device_scope(where):
            kerasish.utils.set_random_seed(2)
            set_distribution(distribution)
            model = model_of_one()
            losses = [model.train_on_batch(X, Y) for _ in range(3)]
            model.set_weights([np.ones((6, 3), "float32"), np.zeros(3, "float32")])
            losses += [model.train_on_batch(X, Y) for _ in range(2)]
            losses.append(model.train_on_batch(X[:1], Y[:1]))  # on the first GPU alone
            losses.append(model.evaluate(X, Y, batch_size=5, verbose=0))
            losses += [model.train_on_batch(X, Y) for _ in range(2)]
            model.optimizer.learning_rate = 0.01
            losses.append(model.train_on_batch(X, Y))
            losses.append(model.test_on_batch(X, Y))
            found.append((losses, model.get_weights(), model.predict(X, verbose=0)))
            set_distribution(None)
    for a, b in zip(core.tree.flatten(found[0]), core.tree.flatten(found[1]), strict=True):
        np.testing.assert_allclose(b, a, rtol=TIGHT, atol=TIGHT)


def test_copies_take_part_in_what_is_summed(gpus):
    """Both halves of a batch count, whichever way it is given."""
    set_distribution(DataParallel())
    model = model_of_one()
    model.set_weights([np.zeros((6, 3), "float32"), np.zeros(3, "float32")])
    assert model.test_on_batch(X, Y) == pytest.approx(float((Y**2).mean()), rel=1e-5)
    y = Y.copy()
    y[:6] = 0.0
    assert model.test_on_batch(X, y) == pytest.approx(float((y**2).mean()), rel=1e-5)
    with core.device_scope("gpu:0"):
        batches = (core.convert(X), core.convert(y))
    assert model.test_on_batch(*batches) == pytest.approx(float((y**2).mean()), rel=1e-5)


def test_sums_by_way_of_the_host(gpus, monkeypatch):
    monkeypatch.setattr(standin_nccl, "available", False)
    model = compare("simple")
    assert standin_nccl.CALLS == []
    assert "generic: outside the graph" in model.explain("train", "kernels")


def test_a_variable_that_is_gone_leaves_no_copy(gpus):
    set_distribution(DataParallel())
    model = model_of_one()
    model.train_on_batch(X, Y)
    ids = {id(v) for v in (*model.variables, *model.optimizer.variables)}
    assert ids <= homes._EQUAL[1] and {(i, 1) for i in ids} <= set(homes._BUFFERS)
    del model
    kerasish.utils.clear_session()
    gc.collect()
    assert not ids & homes._EQUAL[1] and not {(i, 1) for i in ids} & set(homes._BUFFERS)


def test_one_that_fails_lets_the_others_go(gpus, monkeypatch):
    monkeypatch.setattr(replicas, "_PATIENCE", 0.1)
    monkeypatch.setattr(standin_nccl, "ABORTED", [])
    two = replicas.Replicas(("gpu:0", "gpu:1"))
    with pytest.raises(ZeroDivisionError):
        two.each(lambda i: 1 // 0)  # all alike: nobody waits
    assert two.each(lambda i: (i, core.current_device())) == [(0, "gpu:0"), (1, "gpu:1")]

    def one(i):
        if i:
            raise MemoryError("this GPU is full")
        return core.communicator().all_reduce(np.ones(2))

    with pytest.raises(MemoryError, match="is full"):
        two.each(one)
    until = time.monotonic() + 20
    while len(standin_nccl.ABORTED) < 2 and time.monotonic() < until:
        time.sleep(0.01)  # by threads of their own
    assert len(standin_nccl.ABORTED) == 2
    with pytest.raises(core.DeviceError, match=r"out of step.*MemoryError: this GPU is full"):
        two.each(lambda i: i)


def test_steps_of_two_threads_do_not_meet(gpus, monkeypatch):
    two = replicas.Replicas(("gpu:0", "gpu:1"))
    real, found = two._pool.submit, {}

    def submit(*given):
        time.sleep(0.01)  # long enough for another thread to come between
        return real(*given)

    def work(tag):
        found[tag] = [
            two.each(lambda i: core.communicator().all_gather((tag, i))) for _ in range(10)
        ]

    monkeypatch.setattr(two._pool, "submit", submit)
    threads = [threading.Thread(target=work, args=(tag,)) for tag in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for tag in "ab":
        assert found[tag] == [[[(tag, 0), (tag, 1)]] * 2] * 10


def test_an_interrupt_waits_for_a_whole_step(gpus, monkeypatch):
    two = replicas.Replicas(("gpu:0", "gpu:1"))
    real, done = two._futures.wait, []

    def wait(*given, **options):
        if not done:
            done.append("interrupted")
            raise KeyboardInterrupt
        return real(*given, **options)

    monkeypatch.setattr(two._futures, "wait", wait)
    with pytest.raises(KeyboardInterrupt):
        two.each(lambda i: done.append(float(core.communicator().all_reduce(np.ones(1))[0])))
    assert done == ["interrupted", 2.0, 2.0]


def test_which_gpus(gpus):
    assert kerasish.distribution.list_devices() == ["gpu:0", "gpu:1"]
    assert kerasish.distribution.list_devices("cpu") == ["cpu:0"]
    both = DataParallel()
    assert both.num_model_replicas == 2 and both.num_processes == 1 and both.replicas is None
    set_distribution(both)
    assert both.replicas is shard.replicas() and both.replicas.devices == ("gpu:0", "gpu:1")
    with DataParallel(devices=["gpu:0"]).scope():
        assert shard.replicas() is None
    with core.device_scope("gpu:1"):  # where variables are made comes first
        set_distribution(both)
        assert both.replicas.devices == ("gpu:1", "gpu:0")
    for names in (["gpu:0", "gpu:0"], ["gpu:0", "gpu:7"]):
        with pytest.raises(ValueError, match=r"different devices of \['gpu:0', 'gpu:1'\]"):
            set_distribution(DataParallel(devices=names))
    with core.device_scope("cpu"), pytest.raises(ValueError, match="mpirun -n 2"):
        set_distribution(both)


class OwnLoss(kerasish.Model):
    """A step that returns its loss as it is, and a layer's state made of the rows it sees."""

    def __init__(self):
        super().__init__()
        self.dense = kerasish.layers.Dense(3)
        self.seen = self.add_weight((6,), "zeros", trainable=False, name="seen")

    def call(self, x):
        self.seen.assign(self.seen * 0.5 + kerasish.ops.mean(x, axis=0) * 0.5)
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with kerasish.GradientTape() as tape:
            loss = kerasish.ops.mean(kerasish.ops.square(self(x) - y))
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}


def own_loss():
    kerasish.utils.set_random_seed(3)
    model = OwnLoss()
    model.compile("sgd", "mse")
    return model


def test_a_loss_that_a_step_returns_is_that_of_all_rows(gpus):
    found = []
    for where, distribution in (("cpu", None), ("gpu", DataParallel())):
        with core.device_scope(where):
            set_distribution(distribution)
            model = own_loss()
            model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False)
            found.append(model.history.history["loss"])
            set_distribution(None)
    np.testing.assert_allclose(found[1], found[0], rtol=TIGHT)


def test_all_stop_at_a_loss_that_is_no_number(gpus):
    """In the rows of one GPU alone."""
    y = Y.copy()
    y[6] = np.nan
    with DataParallel().scope():
        model = own_loss()
        stop = kerasish.callbacks.TerminateOnNaN()
        model.fit(X, y, batch_size=4, epochs=5, verbose=0, shuffle=False, callbacks=[stop])
        assert model.history.epoch == [0] and np.isnan(model.history.history["loss"][0])


def test_state_of_own_rows_is_that_of_the_first_gpu(gpus):
    with DataParallel().scope():
        model = own_loss()
        model.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
        first = model.seen.numpy()
        assert 1 in homes._EQUAL and id(model.seen) in homes._EQUAL[1]
        model.fit(X[:4] * 0, Y[:4], batch_size=4, verbose=0)  # from that value on, on both
        (held,) = (home for key, (_, home) in homes._BUFFERS.items() if key == (id(model.seen), 1))
    np.testing.assert_allclose(held.get(), first / 2, rtol=1e-6)


def test_a_gpu_that_was_left_out_is_brought_up_to_date(gpus, monkeypatch):
    monkeypatch.setattr(standin_cupy, "DEVICES", 3)
    monkeypatch.setattr(standin_nccl, "SUM", lambda a: sum(core.communicator().all_gather(a)))
    with core.device_scope("cpu"):
        kerasish.utils.set_random_seed(2)
        alone = model_of_one()
        expected = [alone.train_on_batch(X, Y) for _ in range(4)] + [alone.test_on_batch(X, Y)]
    kerasish.utils.set_random_seed(2)
    all_three, model = DataParallel(), model_of_one()
    with all_three.scope():
        found = [model.train_on_batch(X, Y)]
        with DataParallel(devices=["gpu:0", "gpu:1"]).scope():
            found += [model.train_on_batch(X, Y) for _ in range(3)]
        found.append(model.test_on_batch(X, Y))
    np.testing.assert_allclose(found, expected, rtol=TIGHT)


def test_an_abort_that_waits_for_graphs_holds_nobody_up(gpus, monkeypatch):
    """NCCL's returns only when no graph is left that holds one of its sums."""
    monkeypatch.setattr(replicas, "_PATIENCE", 0.1)
    gone, late, two = threading.Event(), [], replicas.Replicas(("gpu:0", "gpu:1"))
    real = standin_nccl.NcclCommunicator.abort

    def abort(communicator):
        real(communicator)
        if not gone.wait(20):
            late.append(communicator)

    monkeypatch.setattr(standin_nccl.NcclCommunicator, "abort", abort)

    def one(i):
        if i:
            raise MemoryError("full")
        return core.communicator().all_reduce(np.ones(2))

    with pytest.raises(MemoryError):
        two.each(one)
    gone.set()
    assert not late


def test_leaving_a_scope_asks_for_nothing(gpus):
    outer = DataParallel()
    set_distribution(outer)
    with core.device_scope("cpu"), DataParallel(devices=["cpu:0"]).scope():
        pass
    assert shard.distribution() is outer and outer.replicas.devices == ("gpu:0", "gpu:1")
