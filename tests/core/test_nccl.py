"""Sums over GPUs by NCCL's stand-in, which takes what CuPy 14's module takes."""

import cuda_host
import numpy as np
import pytest
import standin_nccl

import kerasish_core as core
from kerasish_core import config, device
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.tracing import trace


class Two(core.Alone):
    """Two processes that hold the same, on two GPUs unless `places` says otherwise."""

    size = 2

    def __init__(self, other=("elsewhere", "0000:01:00.0")):
        self.other, self.sums, self.by_host = other, None, []

    def all_gather(self, value):
        return [value, self.other if isinstance(value, tuple | None) else None]

    def on_device(self):
        return self.sums

    def all_reduce(self, array):
        self.by_host.append(array.shape)
        return array * array.dtype.type(2)


@pytest.fixture
def two(monkeypatch, cupy):
    made = Two()
    monkeypatch.setattr("kerasish_core.collective._current", made)
    monkeypatch.setattr(standin_nccl, "SUM", lambda a: a * a.dtype.type(2))
    monkeypatch.setattr(standin_nccl, "CALLS", [])
    made.sums = core.connect_gpus(made)
    return made


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint32", "int64", "complex64"])
def test_arrays_of_a_gpu_are_summed_there(two, cupy, dtype):
    x = core.convert(np.arange(6).reshape(2, 3).astype(dtype))
    y = core.ops.all_reduce(x)
    assert type(y.value) is cupy.ndarray and y.dtype == dtype
    np.testing.assert_array_equal(y.numpy(), 2 * np.arange(6).reshape(2, 3))
    parts = 2 if dtype == "complex64" else 1
    kind = "float32" if dtype == "complex64" else dtype
    assert standin_nccl.CALLS[-1:] == [(6 * parts, kind)] and two.by_host == []
    turned = core.ops.all_reduce(core.ops.transpose(x))  # not dense
    np.testing.assert_array_equal(turned.numpy(), 2 * np.arange(6).reshape(2, 3).T)


def test_what_nccl_does_not_sum_goes_by_the_host(two, cupy):
    y = core.ops.all_reduce(core.convert(np.ones(3, "int16")))
    assert y.numpy().tolist() == [2, 2, 2] and type(y.value) is cupy.ndarray
    assert two.by_host == [(3,)] and standin_nccl.CALLS == []
    assert core.ops.all_reduce(core.convert(np.ones((0, 3), "float32"))).shape == (0, 3)
    assert standin_nccl.CALLS == []


def test_processes_that_share_a_gpu_or_have_none(two, cupy):
    assert core.connect_gpus(Two(None)) is None
    mine = []

    class Same(Two):
        def all_gather(self, value):
            mine.append(value)
            return [value, value]

    assert core.connect_gpus(Same()) is None
    with core.device_scope("cpu"):
        assert core.connect_gpus(Same()) is None
    (_, bus), nothing = mine
    assert bus == "0000:01:00.0" and nothing is None


def test_an_array_of_another_gpu(two):
    with core.device_scope("gpu:1"):
        x = core.convert(np.ones(2, "float32"))
    with pytest.raises(core.DeviceError, match=r"gpu:1, but this process .* gpu:0"):
        core.ops.all_reduce(x)


def test_a_program_sums_between_its_launches(two):
    """Sums keep their order, and what a sum makes is a launch of the graph, not of the host."""

    def step(x, y):
        a = core.ops.all_reduce(core.ops.exp(x))
        b = core.ops.all_reduce(core.ops.cast(y, "int32"))
        return a * 2.0, b, core.ops.all_reduce(core.ops.sum(a))

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 7)).astype("float32"), rng.integers(0, 9, 4)
    with core.device_scope("cpu"):
        traced = trace(step, [core.Spec(a.shape, a.dtype) for a in (x, y)])
        variables = list(dict.fromkeys([*traced.variables, *traced.updates]))
        backend = cuda_host.HostBackend()
        program = CudaProgram(
            traced.graph, len(variables), len(traced.variables),
            [variables.index(v) for v in traced.updates], backend,
        )  # fmt: skip
        order = core.ops.collective._ORDER
        order.assign(np.array(5, "uint32"))
        assert all(s.node is None for s in program.instructions)
        a, b, c = program.run([x, y], variables)
        after = int(order)
    assert after == 8
    np.testing.assert_allclose(a, 4 * np.exp(x), rtol=1e-5)
    np.testing.assert_array_equal(b, 2 * y)
    np.testing.assert_allclose(c, 4 * np.exp(x).sum(), rtol=1e-5)
    assert standin_nccl.CALLS == [(35, "float32"), (4, "int32"), (1, "float32")]
    text = program.explain_kernels()
    assert text.count("all_reduce(") == text.count("numbers of 2 processes") == 3
    assert text.count("(by a library)") == 3


def test_a_process_takes_the_gpu_of_its_number(cupy, monkeypatch):
    for name in ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"):
        monkeypatch.delenv(name, raising=False)
    assert config.local_rank() == 0
    for rank, expected in (("1", "gpu:1"), ("2", "gpu:0"), ("3", "gpu:1")):
        monkeypatch.setenv("MPI_LOCALRANKID", rank)
        device._checked.cache_clear()
        with core.device_scope("gpu"):
            assert core.current_device() == expected
        with core.device_scope("gpu:0"):
            assert core.current_device() == "gpu:0"


def test_constants_fold_where_they_lie(cupy):
    """On another GPU than the first."""
    with core.device_scope("gpu:1"):
        x = core.convert(np.ones(3, "float32"))
        y = core.function(lambda x: x * core.ops.exp(core.ops.full((3,), 0.0)))(x)
        assert device.device_of(y.value) == "gpu:1" and y.numpy().tolist() == [1.0, 1.0, 1.0]
