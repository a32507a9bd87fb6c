"""Convolutions in stages, their text run on the host, beside float64 of the same operands."""

from __future__ import annotations

import itertools
import re

import cuda_host
import numpy as np
import pytest

import kerasish_core as core
from kerasish_core.codegen.cuda import source
from kerasish_core.executors.cuda.instructions import windows
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.ir import Graph, Node
from kerasish_core.op import REGISTRY as OPS
from kerasish_core.op import Spec

RNG = np.random.default_rng(0)
# Batch, sizes, channels, filters, window, strides, dilation, groups, padding before and after.
CASES = {
    "plain": (2, (9, 7), 8, 16, 3, 1, 1, 1, (1, 1)),
    "strides": (1, (12, 11), 16, 72, 3, 2, 1, 1, (0, 1)),
    "dilation": (2, (8, 9), 40, 24, 3, 1, 2, 1, (2, 2)),
    "groups": (3, (7, 7), 16, 32, 2, 1, 1, 2, (0, 1)),
    "strides of one place": (2, (10, 10), 136, 80, 1, 2, 1, 1, (0, 0)),
    "long strides": (2, (9, 8), 24, 136, 5, 3, 1, 1, (2, 2)),
    "one axis": (3, (90,), 24, 8, 4, 2, 1, 1, (3, 0)),
    "three axes": (2, (4, 5, 6), 8, 24, 2, 1, 1, 1, (1, 0)),
}
NAMES = ("conv", "conv_input_grad", "conv_kernel_grad")


def problem(case, dtype):
    """For each of the three ops its operands and attributes."""
    n, sizes, channels, filters, window, stride, gap, groups, pad = CASES[case]
    rank, kind = len(sizes), core.dtypes.as_dtype(dtype)
    how = {"strides": (stride,) * rank, "pads": (pad,) * rank, "dilation": (gap,) * rank,
           "groups": groups}  # fmt: skip
    x = RNG.normal(size=(n, *sizes, channels)).astype(kind)
    kernel = RNG.normal(size=(window,) * rank + (channels // groups, filters)).astype(kind)
    spec = OPS["conv"].infer(Spec(x.shape, kind), Spec(kernel.shape, kind), **how)
    g = RNG.normal(size=spec.shape).astype(kind)
    return {
        "conv": ([x, kernel], how),
        "conv_input_grad": ([g, kernel], {**how, "shape": x.shape}),
        "conv_kernel_grad": ([x, g], {**how, "shape": kernel.shape}),
    }


def program_of(backend, name, arrays, attrs):
    op = OPS[name]
    specs = [Spec(a.shape, a.dtype) for a in arrays]
    node = Node(op, (0, 1), (2,), attrs)
    graph = Graph(name, (0, 1), {}, (node,), (2,),
                  {0: specs[0], 1: specs[1], 2: op.infer(*specs, **attrs)})  # fmt: skip
    return backend.gather(CudaProgram(graph, 0, 0, (), backend))


def expected_of(name, arrays, attrs):
    return OPS[name].kernel(np, *(a.astype("float64") for a in arrays), **attrs)


def in_tf32(a):
    """Rounded to eleven bits, ties away from zero."""
    return ((a.view("uint32") + 0x1000) & 0xFFFFE000).view("float32")


def compare(got, name, arrays, attrs, text):
    """One rounding to the half type, and sums in float32 of some thousand products at most."""
    if "TF32" in text:
        arrays = [in_tf32(a) for a in arrays]
    expected = expected_of(name, arrays, attrs)
    unit = {"bfloat16": 2.0**-8, "float16": 2.0**-11, "float32": 1e-6}[got.dtype.name]
    np.testing.assert_allclose(got.astype("float64"), expected, rtol=unit, atol=1e-4)


@pytest.fixture(params=["bfloat16", "float16", "float32", "tf32"])
def dtype(request):
    """A dtype; "tf32" stands for float32 with its multiplications in TF32."""
    core.config.set_tensor_float_32(request.param == "tf32")
    yield "float32" if request.param == "tf32" else request.param
    core.config.set_tensor_float_32(False)


@pytest.fixture
def small(monkeypatch):
    """Kernel gradients in several parts though there are few pixels."""
    monkeypatch.setattr(windows, "_PART_PIXELS", 40)


def check(cases, dtype, monkeypatch):
    backend, programs = cuda_host.HostBackend(), []
    for full, case in itertools.product((1, 1 << 30), cases):
        monkeypatch.setattr(windows, "_FULL", full)
        for name, (arrays, attrs) in problem(case, dtype).items():
            program = program_of(backend, name, arrays, attrs)
            programs.append((case, name, arrays, attrs, program))
    text = "\n".join(p.explain_kernels() for *_, p in programs)
    assert text.count("in stages") == len(programs)
    assert {f"{m} x {n}" for m, n in windows._TILES} == {*re.findall(r"tiles (\d+ x \d+)", text)}
    assert re.search("summed in [2-9] parts", text)
    for _, name, arrays, attrs, program in programs:
        found = []
        for backend.reverse in (False, True):
            found += program.run(arrays, [])
        assert found[0].tobytes() == found[1].tobytes()
        compare(found[0], name, arrays, attrs, program.explain_kernels())


def test_tiles(dtype, small, monkeypatch):
    check(["strides", "groups"], dtype, monkeypatch)


@pytest.mark.slow
def test_all_cases(dtype, small, monkeypatch):
    check(CASES, dtype, monkeypatch)


def test_tiles_give_the_same_bits(dtype, monkeypatch):
    backend, results = cuda_host.HostBackend(), {}
    for name, (arrays, attrs) in problem("strides", dtype).items():
        programs = []
        for full in (1, 1 << 30):
            monkeypatch.setattr(windows, "_FULL", full)
            programs.append(program_of(backend, name, arrays, attrs))
        results[name] = [p.run(arrays, [])[0].tobytes() for p in programs]
    assert all(a == b for a, b in results.values())


def test_bias_and_relu():
    arrays, how = problem("plain", "bfloat16")["conv"]
    bias = RNG.normal(size=16).astype(arrays[0].dtype)
    specs = [Spec(a.shape, a.dtype) for a in (*arrays, bias)]
    out = OPS["conv"].infer(*specs[:2], **how)
    nodes = (
        Node(OPS["conv"], (0, 1), (3,), how), Node(OPS["add"], (3, 2), (4,), {}),
        Node(OPS["relu"], (4,), (5,), {}),
    )  # fmt: skip
    graph = Graph("g", (0, 1, 2), {}, nodes, (5,), dict(enumerate([*specs, out, out, out])))
    program = CudaProgram(graph, 0, 0, (), cuda_host.HostBackend())
    assert "in stages" in program.explain_kernels() and "+ bias, relu" in program.explain_kernels()
    (got,) = program.run([*arrays, bias], [])
    wanted = np.maximum(expected_of("conv", arrays, how) + bias.astype("float64"), 0)
    np.testing.assert_allclose(got.astype("float64"), wanted, rtol=2.0**-8, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_in_no_chunks_goes_element_by_element(name):
    backend = cuda_host.HostBackend()
    arrays, attrs = problem("plain", "bfloat16")[name]
    full = program_of(backend, name, arrays, attrs)
    wide = program_of(backend, name, [a.astype("float64") for a in arrays], attrs)
    backend.tensor_cores = False
    plain = program_of(backend, name, arrays, attrs)
    assert "in stages" in full.explain_kernels()
    for other in (wide, plain):
        assert "implicit product" in other.explain_kernels()
        assert "in stages" not in other.explain_kernels()


FEW = {
    "three channels": (2, (9, 8), 3, 16, 3, 1, 1, 1, (1, 1)),
    "one channel, strides": (2, (9, 8), 1, 24, 5, 2, 1, 1, (2, 1)),
}


@pytest.mark.parametrize("case", FEW)
def test_few_channels_are_filled_up(case, dtype, small, monkeypatch):
    """In the forward product and the kernel's gradient; the image's goes element by element."""
    monkeypatch.setitem(CASES, case, FEW[case])
    backend, programs = cuda_host.HostBackend(), []
    for name, (arrays, attrs) in problem(case, dtype).items():
        program = program_of(backend, name, arrays, attrs)
        text = program.explain_kernels()
        assert ("in stages" in text) == ("filled up" in text) == (name != "conv_input_grad")
        programs.append((name, arrays, attrs, program))
    for name, arrays, attrs, program in programs:
        compare(program.run(arrays, [])[0], name, arrays, attrs, program.explain_kernels())


def test_filters_that_are_no_chunks_go_element_by_element():
    half = core.dtypes.as_dtype("bfloat16")
    x, kernel = Spec((1, 5, 5, 3), half), Spec((3, 3, 3, 10), half)
    how = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    node = Node(OPS["conv"], (0, 1), (2,), how)
    specs = {0: x, 1: kernel, 2: OPS["conv"].infer(x, kernel, **how)}
    program = CudaProgram(Graph("g", (0, 1), {}, (node,), (2,), specs), 0, 0, (),
                          cuda_host.HostBackend())  # fmt: skip
    assert "in stages" not in program.explain_kernels()
    assert "filled up" not in program.explain_kernels()


@pytest.mark.parametrize("barrier", ["await_copies<kStages - 2>();", "__syncthreads();"])
def test_a_missing_wait_is_seen(barrier, monkeypatch):
    """What the checks rest on: copies come late, or threads in another order."""
    real = source._prelude()
    place = real.index("await_copies<kStages - 2>();")
    assert barrier in real[place : place + 80]
    broken = real[:place] + real[place:].replace(barrier, "", 1)
    arrays, attrs = problem("strides of one place", "bfloat16")["conv"]
    found = []
    for text in (real, broken):
        monkeypatch.setattr(source, "_prelude", lambda text=text: text)
        backend = cuda_host.HostBackend()
        program = program_of(backend, "conv", arrays, attrs)
        for backend.reverse in (False, True):
            found.append(program.run(arrays, [])[0].tobytes())
    assert found[0] == found[1]
    assert {*found[2:]} != {found[0]}


@pytest.mark.parametrize(
    "architecture", [pytest.param(a, marks=[] if a == 90 else pytest.mark.slow)
                     for a in source.ARCHITECTURES]
)  # fmt: skip
def test_compiles_for_a_gpu(architecture, dtype, monkeypatch):
    if cuda_host.compiler() is None:
        pytest.fail("neither nvidia-cuda-nvrtc nor nvcc: pip install 'kerasish[test]'")
    backend = cuda_host.HostBackend()
    for full, case in itertools.product((1, 1 << 30), CASES):
        monkeypatch.setattr(windows, "_FULL", full)
        for name, (arrays, attrs) in problem(case, dtype).items():
            program_of(backend, name, arrays, attrs)
    assert cuda_host.compile_for(backend.all.text(), architecture) == ""
