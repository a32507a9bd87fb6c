"""Distributions in one process, and the sums that connect several."""

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import distribution, layers, shard
from kerasish.distribution import (
    DataParallel,
    DeviceMesh,
    LayoutMap,
    ModelParallel,
    TensorLayout,
    distribute_tensor,
    initialize,
    list_devices,
    set_distribution,
)
from kerasish.distribution.mpi import launched
from kerasish.shard import Shard, sharded


@pytest.fixture(autouse=True)
def nothing_set():
    yield
    set_distribution(None)


class Both(core.Alone):
    """Two processes that hold the same: a sum is twice what each has."""

    size = 2

    def __init__(self):
        self.calls = []

    def all_reduce(self, array):
        self.calls.append(array.shape)
        return array * array.dtype.type(2)


@pytest.fixture
def both(monkeypatch):
    made = Both()
    monkeypatch.setattr("kerasish_core.collective._current", made)
    return made


@pytest.mark.cpu
def test_one_process():
    assert list_devices() == ["cpu:0"] == list_devices("CPU")
    assert distribution.get_device_count() == 1
    with pytest.raises(RuntimeError, match="gpu"):
        list_devices("gpu")
    initialize()
    initialize("10.0.0.1:12", num_processes=1, process_id=0)
    with pytest.raises(RuntimeError, match="num_processes is 2, but MPI says 1"):
        initialize(num_processes=2, process_id=0)


def test_numbers_in_the_environment(monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "3")
    with pytest.raises(RuntimeError, match="mpirun -n"):
        initialize()
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    assert launched() == 4


@pytest.mark.cpu
def test_which_distribution_is_set():
    strategy = DataParallel()
    assert distribution.distribution() is None
    with strategy.scope():
        assert distribution.distribution() is strategy
    assert distribution.distribution() is None
    with pytest.raises(ValueError, match="DataParallel"):
        set_distribution(4)
    two = DataParallel(devices=["cpu:0", "cpu:1"])
    with pytest.raises(ValueError, match="mpirun -n 2"):
        set_distribution(two)


def test_models_in_parts_are_not_there_yet():
    mesh = DeviceMesh((1, 2), ("batch", "model"), ["cpu:0", "cpu:1"])
    layouts = LayoutMap(mesh)
    layouts[".*kernel"] = (None, "model")
    with pytest.raises(NotImplementedError, match="into 2 parts"):
        set_distribution(ModelParallel(layout_map=layouts))


def test_a_mesh_of_two_axes_is_warned_of():
    mesh = DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    with pytest.warns(UserWarning, match=r"ndim=2. The first axis"):
        assert DataParallel(device_mesh=mesh).batch_dim_name == "batch"


def train(strategy):
    kerasish.utils.set_random_seed(3)
    set_distribution(strategy)
    model = kerasish.Sequential([layers.Input((3,)), layers.Dense(2, name="out")])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")
    model.fit(x, y, batch_size=4, verbose=0)
    return model


def test_layouts_of_one_device_change_nothing():
    layouts = LayoutMap(DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"]))
    layouts[".*kernel"] = (None, "model")
    strategy = ModelParallel(layout_map=layouts, batch_dim_name="batch")
    plain, laid_out = train(None), train(strategy)
    for a, b in zip(plain.get_weights(), laid_out.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernel, bias = laid_out.trainable_variables
    assert strategy.get_variable_layout(kernel).axes == (None, "model")
    assert strategy.get_variable_layout(bias).axes == (None,)
    own = kerasish.Variable(np.ones(2), layout=TensorLayout(("batch",), layouts.device_mesh))
    assert strategy.get_variable_layout(own).axes == ("batch",)


def test_distribute_tensor():
    mesh = DeviceMesh((2,), ("batch",), ["cpu:0", "cpu:1"])
    layout = TensorLayout(("batch", None), mesh)
    x = np.arange(8.0).reshape(4, 2)
    np.testing.assert_array_equal(distribute_tensor(x, layout), x)
    symbol = layers.Input((3,))
    assert distribute_tensor(symbol, layout) is symbol
    with pytest.raises(ValueError, match="can't be cut"):
        distribute_tensor(x[:3], layout)
    with pytest.raises(ValueError, match="not set"):
        distribute_tensor(x, TensorLayout(("batch",)))


# -- rows


@pytest.mark.parametrize("total", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_rows_are_those_of_one_process_each(monkeypatch, total, size):
    rows, shares = [], 0.0
    for rank in range(size):
        made = core.Alone()
        made.rank, made.size = rank, size
        monkeypatch.setattr("kerasish_core.collective._current", made)
        part = shard.shard_of(total)
        rows += part.cut(np.arange(total)).tolist()
        shares += part.share
    assert rows == list(range(total)) * (size if total < size else 1)
    assert shares == pytest.approx(1.0)


def test_random_rows_are_those_of_the_whole_batch():
    for draw in (
        lambda n, seed: kerasish.random.uniform((n, 3), seed=seed),
        lambda n, seed: kerasish.random.normal((n, 3), 1.0, 2.0, seed=seed),
        lambda n, seed: kerasish.random.truncated_normal((n, 3), seed=seed),
        lambda n, seed: kerasish.random.randint((n, 3), 0, 99, seed=seed),
        lambda n, seed: kerasish.random.dropout(np.ones((n, 3), "float32"), 0.5, seed=seed),
    ):
        whole = np.asarray(draw(10, 7))
        with sharded(Shard(4, 3, 10)):
            np.testing.assert_array_equal(np.asarray(draw(3, 7)), whole[4:7])
            np.testing.assert_array_equal(np.asarray(draw(5, 7)), np.asarray(whole[:5]))


# -- sums


def test_all_reduce_keeps_its_place_in_compiled_steps(both):
    def step(x):
        unused = core.ops.all_reduce(x * 3.0)  # all processes make this call: it stays
        del unused
        return core.ops.all_reduce(x) + core.ops.all_reduce(x)

    run = core.compile_step(step)
    found = run(core.convert(np.ones(3, "float32")))
    np.testing.assert_array_equal(np.asarray(found), np.full(3, 4.0))
    assert len(both.calls) == 3
    assert run.explain("optimized").count("all_reduce") == 3


def test_gradient_of_a_sum_over_processes(both):
    x = core.convert(np.arange(3.0))
    slope = core.grad(lambda x: core.ops.sum(core.ops.all_reduce(x) ** 2))(x)
    # Both differentiate (2x)**2 by their x, which the other sees too.
    np.testing.assert_allclose(np.asarray(slope), 2 * 2 * (2 * np.arange(3.0)))


def test_half_types_are_summed_in_float32(both):
    found = core.ops.all_reduce(core.convert(np.ones(2, "float16")))
    assert found.dtype == "float16" and np.asarray(found).tolist() == [2.0, 2.0]
    with pytest.raises(core.DTypeError, match="numbers are needed"):
        core.ops.all_reduce(core.convert(np.ones(2, bool)))


def test_gradients_are_summed_once_whoever_hands_them_on(both):
    v = kerasish.Variable(np.ones(2, "float32"))
    inner = kerasish.optimizers.SGD(1.0)
    outer = kerasish.optimizers.LossScaleOptimizer(inner, initial_scale=1.0)
    with sharded(Shard(0, 4, 8)):
        outer.apply([core.convert(np.ones(2, "float32"))], [v])
    # Half of each process's gradient, twice.
    np.testing.assert_array_equal(v.numpy(), [0.0, 0.0])
    assert both.calls == [(2,)]


def test_metrics_take_the_rows_of_all(both):
    mean, accuracy = kerasish.metrics.Mean(), kerasish.metrics.BinaryAccuracy()
    mean.update_state([5.0, 7.0])  # before: known to all
    both.calls.clear()
    with sharded(Shard(0, 2, 4)):
        mean.update_state([1.0, 3.0])
        accuracy.update_state([1, 0], [0.9, 0.8])
        assert both.calls == []
        # 12 of 2 values, and 4 of 2 values in each process.
        assert float(mean.result()) == pytest.approx(20.0 / 6)
        assert float(accuracy.result()) == 0.5
    assert both.calls == [(4,)] and float(accuracy.count) == 4.0
