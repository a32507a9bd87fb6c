"""The whole way of a program through CuPy and cuBLASLt, over their stand-ins."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import standin_cuda
from test_cuda_kernels import TOLERANCE

import kerasish_core as core
from kerasish_core import config
from kerasish_core.executors import cuda
from kerasish_core.executors.cuda.builder import CudaBuilder
from kerasish_core.ir import Graph

RNG = np.random.default_rng(7)


def f(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(core.dtypes.as_dtype(dtype))


def same(found, wanted, dtype="float32"):
    scale = 10 * TOLERANCE[dtype]
    np.testing.assert_allclose(
        np.asarray(found.numpy(), "float64"), np.asarray(wanted, "float64"), rtol=scale, atol=scale
    )


def test_a_step_is_captured_once_and_replayed(gpu):
    w = core.Variable(f(5, 3), name="w")
    start = w.numpy()

    def step(x):
        loss, slope = core.value_and_grad(
            lambda w: core.ops.sum(core.ops.square(core.ops.matmul(x, w)))
        )(w.read())
        w.assign(w - 0.01 * slope)
        return loss

    run = core.function(step)
    expected = start.astype("float64")
    for i in range(5):
        x = f(7, 5)  # a new batch of the host each time: by pinned memory, two buffers in turn
        product = x @ expected
        standin_cuda.LAUNCHED.clear()
        same(run(x), (product**2).sum())
        expected = expected - 0.01 * (x.T @ (2 * product))
        same(w, expected)
        assert ("graph" in standin_cuda.LAUNCHED) == (i > 0)
    assert standin_cuda.LAUNCHED.count("graph") == 1
    kernels = run.explain("kernels")
    assert kernels.count("(by a library)") == 2 and "generic" not in kernels


def test_what_has_no_kernel_runs_between_two_graphs(gpu):
    run = core.function(lambda x: core.ops.exp(core.ops.inv(core.ops.exp(x))))
    for _ in range(3):
        x = f(3, 3) + 2 * np.eye(3, dtype="float32")
        same(run(x), np.exp(np.linalg.inv(np.exp(x))))
    assert standin_cuda.LAUNCHED.count("graph") == 4
    assert "generic: outside the graph" in run.explain("kernels")


PRODUCTS = {
    "plain": (lambda a, b: core.ops.matmul(a, b), (6, 5), (5, 7)),
    "turned": (lambda a, b: core.ops.matmul(core.ops.transpose(a), b), (5, 6), (5, 7)),
    "both": (
        lambda a, b: core.ops.matmul(core.ops.transpose(a), core.ops.transpose(b)), (5, 6), (7, 5)
    ),
    "one row": (lambda a, b: core.ops.matmul(a, b), (1, 5), (5, 7)),
    "one column": (lambda a, b: core.ops.matmul(a, b), (6, 5), (5, 1)),
    "batch": (lambda a, b: core.ops.matmul(a, b), (9, 6, 5), (9, 5, 7)),
    "shared": (lambda a, b: core.ops.matmul(a, b), (9, 2, 6, 5), (2, 5, 7)),
    # More batches than calls are made: the larger axis is one call's.
    "heads": (
        lambda a, b: core.ops.einsum("bqhd,bkhd->bhqk", a, b), (70, 4, 2, 5), (70, 3, 2, 5)
    ),
    "offset": (lambda a, b: core.ops.matmul(a[:, 1:6], b), (6, 8), (5, 7)),
    "bias": (
        lambda a, b: core.ops.relu(core.ops.matmul(a, b[1:]) + b[0]), (6, 5), (6, 7)
    ),
}  # fmt: skip


OTHERS = [pytest.param(d, marks=pytest.mark.slow) for d in ("float64", "float16", "bfloat16")]


@pytest.mark.parametrize("dtype", ["float32", *OTHERS])
def test_products_by_the_library(gpu, cublaslt, dtype):
    for name, (function, *shapes) in PRODUCTS.items():
        arrays = [f(*shape, dtype=dtype) for shape in shapes]
        before, calls = cublaslt.number("asked"), cublaslt.number("multiplied")
        run = core.function(function)
        found = run(*arrays)
        with core.device_scope("cpu"):
            wanted = function(*(core.convert(a.astype("float64")) for a in arrays)).numpy()
        same(found, wanted, dtype)
        assert cublaslt.number("asked") == before + 1, name
        made = cublaslt.number("multiplied") - calls
        assert made == {"shared": 2, "heads": 2}.get(name, 1), name
        for _ in range(2):  # captured, replayed: nothing is asked any more
            same(run(*arrays), wanted, dtype)
        assert cublaslt.number("asked") == before + 1, name


def test_tensor_float_32_is_asked_for(gpu, cublaslt):
    def compute(dtype):
        core.function(core.ops.matmul)(f(2, 3, dtype=dtype), f(3, 4, dtype=dtype))
        return cublaslt.number("last_compute")

    assert not config.tensor_float_32() and compute("float32") == 68
    config.set_tensor_float_32(True)
    try:
        assert [compute(d) for d in ("float32", "float64", "bfloat16")] == [77, 70, 68]
    finally:
        config.set_tensor_float_32(False)
    assert compute("float32") == 68


def test_what_nvrtc_refuses_is_shown(gpu):
    code = cuda._room("backend").machine_code
    assert code("void f();", "90") == b"void f();"
    with pytest.raises(RuntimeError, match="NVRTC refused a generated kernel") as caught:
        code("#error no", "90")
    assert "a log" in str(caught.value)


def test_a_gpu_newer_than_nvrtc_gets_ptx(gpu, monkeypatch):
    code, asked = cuda._room("backend").machine_code, []
    real = gpu.cuda.nvrtc.compileProgram

    def compiled(program, options):
        asked.append(options[-1].partition("=")[2])
        real(program, options)

    monkeypatch.setattr(gpu.cuda.nvrtc, "compileProgram", compiled)
    assert code("void g();", "120") == b"void g();"
    assert asked == ["sm_120", "compute_100", "compute_90"]
    assert code("void g();", "120") == b"void g();" and len(asked) == 3  # kept
    with pytest.raises(RuntimeError, match=r"\(12, 9\) .* capability is 70"):
        code("void g();", "70")


def test_two_threads_compile_the_same_kernels(gpu, monkeypatch):
    """Each writes a file of its own before it takes the place of the other's."""
    backend = cuda._room("backend")
    together, real = threading.Barrier(2, timeout=20), Path.write_bytes

    def written(path, data):
        real(path, data)
        together.wait()
        return len(data)

    monkeypatch.setattr(Path, "write_bytes", written)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(backend.machine_code, "void twice();", "90") for _ in range(2)]
        assert [f.result() for f in found] == [b"void twice();"] * 2


def test_kernels_are_compiled_where_none_can_be_kept(gpu, monkeypatch, tmp_path):
    backend = cuda._room("backend")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(backend, "_CACHE", tmp_path / "file" / "kernels")
    assert backend.machine_code("void h();", "90") == b"void h();"


def test_a_variable_moves_between_gpus(gpu):
    """Programs of two GPUs have a home each for it; its value goes where it is used."""
    v = core.Variable(np.zeros(3, "float32"), name="v")

    def make():
        @core.function
        def step(x):
            v.assign(v + x)
            return core.ops.sum(v)

        return step

    first, second = make(), make()
    with core.device_scope("gpu:0"):
        assert float(first(np.ones(3, "float32"))) == 3.0
    with core.device_scope("gpu:1"):
        assert float(second(np.ones(3, "float32"))) == 6.0
    with core.device_scope("gpu:0"):
        assert [float(first(np.ones(3, "float32"))) for _ in range(3)] == [9.0, 12.0, 15.0]


def test_pinned_memory_is_for_batches_alone(gpu, monkeypatch):
    asked = []
    monkeypatch.setattr(
        gpu.cuda, "alloc_pinned_memory",
        lambda size: asked.append(size) or standin_cuda._pinned(size),
    )  # fmt: skip
    w = core.Variable(f(100, 3), name="w")
    run = core.function(lambda x, y: core.ops.matmul(x, w.read()) + y)
    for _ in range(5):
        run(f(2, 100), f(3))
    # Of each, one is filled while the other is on its way.
    assert asked == [800, 12, 800, 12]


def test_an_epoch_is_never_far_ahead_of_the_device(gpu, monkeypatch):
    waited = []
    monkeypatch.setattr(standin_cuda.Event, "synchronize", lambda self: waited.append(self))
    step, data = core.compile_step(lambda x: core.ops.sum(x, 0)), f(40, 3)
    rows = RNG.permutation(40)
    done, found = step.run_rows((core.convert(data[:4]),), [data], rows, 4, 60.0)
    assert done == 10
    same(found, data[rows[36:]].sum(0))
    assert standin_cuda.LAUNCHED.count("graph") == 9  # the first one is launched piece by piece
    assert len(waited) >= 6  # all but the last four


def test_more_blocks_than_a_grid_has_run_generically():
    b = CudaBuilder(Graph("g", (), {}, (), (), {}))
    with pytest.raises(ValueError, match="a grid has at most 2147483647"):
        b.launch("k", "float* y", "  y[0] = 0;", [], [b.temp((1,), "float32")], blocks=1 << 31)


def test_constants_in_bfloat16_are_left_to_the_program(gpu):
    def step(x):
        c = core.ops.full((3,), 1.5, dtype="bfloat16")
        return x * core.ops.exp(c * c)

    x = f(3, dtype="bfloat16")
    same(core.function(step)(x), x.astype("float64") * np.exp(2.25), "bfloat16")


def test_products_of_no_rows(gpu):
    """What is empty has no memory, between two graphs either."""
    a, b = np.zeros((0, 4), "float32"), np.ones((4, 2), "float32")
    found = core.compile_step(core.ops.dot)(core.convert(a), core.convert(b))
    assert np.asarray(found).shape == (0, 2)
